"""alerts.json of OSSEC and of Wazuh → events, one an alert.

The two name the same things differently, and both are read: OSSEC has `rule.sidid`, `rule.comment`, `srcip` and
`TimeStamp`, in milliseconds since 1970; Wazuh has `rule.id`, `rule.description`, `data.srcip`, `agent`, `manager`,
`rule.mitre.id` and an ISO 8601 `timestamp`, with a zone. Traps: OSSEC's `timestamp` ("2026 Nov 25 03:02:31") is local
and used only where `TimeStamp` is missing; numbers may be text; `full_log` holds another program's line, with the time
when that program wrote it. Wazuh 5, which writes ECS documents to its index, is read by `elasticsearch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from socml.formats._fields import Fields, whole
from socml.formats._inner import filled_from_inner
from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._times import MONTHS, Clock, epoch, iso
from socml.formats._windows import windows_event
from socml.formats.alert._ossec import HASHES, alert_columns, file_change, location_columns

__all__ = ["OssecJson"]

_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "rule_name": ("rule.comment", "rule.description"),
    "message": "full_log",
    "host_name": ("agent.name", "agent_name", "hostname", "predecoder.hostname"),
    "observer_name": "manager.name",
    "process_name": ("program_name", "predecoder.program_name"),
    "user_name": ("dstuser", "data.dstuser", "user", "data.user", "srcuser", "data.srcuser"),
    "source_ip": ("srcip", "data.srcip", "data.src_ip", "data.win.eventdata.ipAddress"),
    "source_port": ("srcport", "data.srcport", "data.src_port"),
    "destination_ip": ("dstip", "data.dstip", "data.dest_ip"),
    "destination_port": ("dstport", "data.dstport", "data.dest_port"),
    "network_transport": ("protocol", "data.protocol"),
    "url_original": ("url", "data.url"),
    "threat_technique_id": "rule.mitre.id",
    "file_path": ("file.path", "syscheck.path"),
    "process_command_line": ("command", "data.command", "data.win.eventdata.commandLine"),
    "vulnerability_id": "data.vulnerability.cve",
    "vulnerability_score": ("data.vulnerability.cvss.cvss3.base_score", "data.vulnerability.score.base"),
}


_HEAD = 1 << 16
_KIND = ("class_uid", "event_category", "event_action")
_OF_ARCHIVES = {"agent", "decoder", "location", "timestamp"}  # of Wazuh, which keep events without a rule as well
_OF_WINDOWS = ("user_name", "acting_user_name", "target_user_name", "event_outcome", "source_port", "destination_ip", "destination_port",
               "network_transport", "process_name", "process_pid", "process_parent_name", "process_command_line", "file_path", "file_hash",
               "dns_question_name")  # fmt: skip


class OssecJson:
    """Alerts of OSSEC and Wazuh as JSON lines."""

    name = "ossec-json"
    about = "OSSEC and Wazuh alerts.json, in both spellings, and Wazuh's archives.json"
    specification = "https://documentation.wazuh.com/current/user-manual/manager/alert-management.html"
    examples = (
        '{"rule":{"level":5,"comment":"SSHD authentication failed.","sidid":5716,"groups":["syslog","sshd",'
        '"authentication_failed"]},"id":"1700000000.1","TimeStamp":1700000000000,"srcip":"192.0.2.9",'
        '"location":"/var/log/auth.log","full_log":"Nov 14 22:13:20 h sshd[1]: Failed password"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of objects with a rule that has a level, and what only these two name."""
        if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"["):
            start = head[:65536]
            return 0.95 if b'"rule"' in start and b'"level"' in start and b'"full_log"' in start else 0.0
        lines = head_lines(head, 10)
        return 0.97 * sum(_is_alert(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return clocked(json_records(source), _event, source, options)


def _is_alert(line: bytes) -> bool:
    found = as_object(line)
    rule = found.get("rule")
    if found.keys() >= _OF_ARCHIVES:
        return True
    if not isinstance(rule, dict) or "level" not in rule:
        return False
    return "sidid" in rule or bool({"agent", "manager", "decoder", "full_log"} & set(found))


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    fields = Fields(flatten(loads_exactly(record)))
    when = _time(fields, clock)
    level, rule = whole(fields.take("rule.level") or 0, "rule.level"), fields.text("rule.sidid", "rule.id")
    groups = fields.peek("rule.groups", "rule.group")
    is_alert = level or rule
    told = groups if isinstance(groups, list) else str(groups or "").split(",")
    row = alert_columns(level, rule, told) if is_alert else {"event_category": "host"}
    place, more = location_columns(fields.text("location"))
    row |= place
    for name in ("srcport", "data.srcport", "dstport", "data.dstport", "data.src_port", "data.dest_port"):
        if fields.peek(name) in ("0", 0, "-"):
            fields.take(name)  # what Wazuh writes for none
    row |= fields.columns(_COLUMNS)
    row["time"] = when
    if "file_path" in row:
        row["file_change"] = file_change(fields.text("syscheck.event"), rule)
        row["file_hash"] = _hash(fields)
    row["extra"] = {**({"level": str(level)} if is_alert else {}), **more, **fields.rest()}
    row = row if is_alert else filled_from_inner(row, row.get("message"), clock)
    windows = _of_windows(record) if '"win"' in str(record[:_HEAD]) else {}
    if not is_alert and windows:  # what kind of event it is, no rule says
        row = {name: value for name, value in row.items() if name != "event_category"}
        return {**windows, **row}
    windows = {name: value for name, value in windows.items() if name not in _KIND}
    return {**windows, **{name: value for name, value in row.items() if value is not None or name not in windows}}


def _of_windows(record: bytes) -> dict[str, object]:
    """Return what a Windows event tells that Wazuh's agent sent, whose names begin with a small letter."""
    data = loads_exactly(record).get("data")
    win = data.get("win") if isinstance(data, dict) else None
    parts = [win.get(part) for part in ("system", "eventdata")] if isinstance(win, dict) else []
    found = {name[:1].upper() + name[1:]: v for part in parts if isinstance(part, dict) for name, v in part.items()}
    if "EventID" not in found:
        return {}
    row = windows_event({**found, "TimeCreated": found.get("SystemTime")}, Clock(None, None, None))
    return {name: row[name] for name in (*_OF_WINDOWS, *_KIND) if row.get(name) is not None}


def _time(fields: Fields, clock: Clock) -> datetime | None:
    since = fields.take("TimeStamp")
    written = fields.text("timestamp", "@timestamp")
    if since is not None:
        return epoch(since)
    parts = (written or "").split()
    if len(parts) == 4 and parts[1] in MONTHS:
        return iso(f"{parts[0]}-{MONTHS[parts[1]]:02}-{parts[2]:0>2}T{parts[3]}", clock)
    return iso(written, clock) if written else None


def _hash(fields: Fields) -> str | None:
    for name in HASHES:
        value = fields.text(f"syscheck.{name}", f"file.{name}")
        if value:
            return f"{name.removesuffix('_after')}:{value}"
    return None
