"""alerts.log of OSSEC and Wazuh → events, one a block of lines.

    ** Alert 1795575751.6: mail  - syslog,sshd,authentication_failed,
    2026 Nov 25 03:02:31 web1->/var/log/auth.log
    Rule: 5758 (level 8) -> 'Maximum authentication attempts exceeded.'
    Src IP: 192.0.2.21
    User: root
    the line that raised it, or several

The time is the alert's number, in seconds since 1970; the second line repeats it in local time. A rule that counts
puts the earlier lines below the last one, and syscheck writes its own report, of many lines: all of them are the
event's message. Traps: the place may be `(agent) address->log`; blocks have no end mark but the next `** Alert`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._fields import Fields
from socml.formats._multiline import grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches
from socml.formats._times import epoch
from socml.formats.alert._ossec import alert_columns, file_change, location_columns

__all__ = ["OssecAlertsLog"]

_ALERT = re.compile(r"\*\* Alert (?P<seconds>\d+)\.(?P<number>\d+):(?P<mail> mail )? *-? ?(?P<groups>.*)$")
_PLACE = re.compile(r"\d{4} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?P<location>.*)$")
_RULE = re.compile(r"Rule: (?P<rule>\d+) \(level (?P<level>\d+)\) -> '(?P<name>.*)'$")
_FIELD = re.compile(r"(?P<name>Src IP|Src Port|Dst IP|Dst Port|User|Src Location): ?(?P<value>.*)$")
_CHANGED = re.compile(
    r"(?:Integrity checksum changed for:|New file|File|Deleted file) '(?P<path>[^\n]{1,1000}?)'(?= |$)", re.MULTILINE
)
_NEW_HASH = re.compile(r"(?:New (?P<name>md5sum|sha1sum|sha256sum) is ?: ?'?)(?P<value>[0-9a-f]{32,64})'?")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_ip": "Src IP",
    "source_port": "Src Port",
    "destination_ip": "Dst IP",
    "destination_port": "Dst Port",
    "user_name": "User",
}


class OssecAlertsLog:
    """Alerts of OSSEC and Wazuh as blocks of text."""

    name = "ossec-alerts-log"
    about = "OSSEC and Wazuh alerts.log: blocks that begin with ** Alert"
    specification = "https://www.ossec.net/docs/docs/formats/alerts.html"
    one_a_line = False
    examples = (
        "** Alert 1700000000.1: mail  - syslog,sshd,authentication_failed,",
        "2023 Nov 14 22:13:20 web1->/var/log/auth.log",
        "Rule: 5716 (level 5) -> 'SSHD authentication failed.'",
        "Src IP: 192.0.2.9",
        "Nov 14 22:13:20 web1 sshd[1]: Failed password for root from 192.0.2.9 port 4242 ssh2",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a block's first line, among the first lines."""
        return 0.97 if any(line.startswith(b"** Alert ") for line in head_lines(head, 5)) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return batches(grouped_records(source, lambda line: line.startswith(b"** Alert ")), _event)


def _event(record: bytes) -> dict[str, object]:
    lines = record.decode("utf-8", "backslashreplace").split("\n")
    alert = _ALERT.match(lines[0])
    place = _PLACE.match(lines[1]) if len(lines) > 1 else None
    rule = _RULE.match(lines[2]) if len(lines) > 2 else None
    if alert is None or place is None or rule is None:
        raise ValueError("not an alert: lines with `** Alert`, time and place, and `Rule:` were expected")
    row = alert_columns(int(rule["level"]), rule["rule"], alert["groups"].split(","))
    row["time"], row["rule_name"] = epoch(alert["seconds"]), rule["name"] or None
    where, more = location_columns(place["location"])
    row |= where
    given: dict[str, object] = {}
    at = 3
    while at < len(lines) and (found := _FIELD.match(lines[at])):
        given[found["name"]] = None if found["value"] in ("(none)", "") else found["value"]
        at += 1
    fields = Fields(given)
    row |= fields.columns(_COLUMNS)
    row["message"] = "\n".join(lines[at:]) or None
    if row["event_category"] == "file":
        row |= _file(str(row["message"] or ""), rule["rule"])
    row["extra"] = {
        "level": rule["level"],
        "id": f"{alert['seconds']}.{alert['number']}",
        "groups": alert["groups"].strip(", ") or None,
        "mail": "true" if alert["mail"] else None,
        **more,
        **fields.rest(),
    }
    return row


def _file(message: str, rule: str) -> dict[str, object]:
    path = _CHANGED.search(message)
    row: dict[str, object] = {"file_change": file_change(None, rule)}
    hashes = {m["name"]: m["value"] for m in _NEW_HASH.finditer(message)}
    name = next((n for n in ("sha256sum", "sha1sum", "md5sum") if n in hashes), None)
    row["file_path"] = path["path"] if path else None
    row["file_hash"] = f"{name.removesuffix('sum')}:{hashes[name]}" if name else None
    return row
