"""OSSEC's alerts as it sends them by syslog → events, one a line.

    <132>Jul  8 10:58:09 srv ossec: Alert Level: 3; Rule: 5501 - Login session opened.; Location: web1->/var/log/secure;
    classification:  pam,syslog,; srcip: 192.0.2.190; user: root; the line that raised it

Traps: no year, no zone; `classification` is there in newer versions only; the last part is the raising line, which may
hold semicolons of its own, or syscheck's report. OSSEC also sends JSON, Splunk and CEF forms: the first is `ossec-json`
behind a header, which is not read; the last is `cef`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats.alert._ossec import alert_columns, file_change, location_columns

__all__ = ["OssecSyslog"]

_ALERT = re.compile(
    r"Alert Level: (?P<level>\d+); Rule: (?P<rule>\d+) - (?P<name>.{0,500}?); Location: (?P<location>[^;]*);(?P<rest>.*)$",
    re.DOTALL,
)
_FIELD = re.compile(r" ?(?P<name>classification|srcip|srcport|dstip|dstport|user|Previous MD5|Current MD5"
                    r"|Previous SHA1|Current SHA1|Size changed|Integrity checksum changed for): (?P<value>[^;]*)(?:;|$)")  # fmt: skip
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_ip": "srcip",
    "source_port": "srcport",
    "destination_ip": "dstip",
    "destination_port": "dstport",
    "user_name": "user",
    "file_path": "Integrity checksum changed for",
}


class OssecSyslog:
    """OSSEC's alerts, sent by syslog."""

    name = "ossec-syslog"
    about = "OSSEC alerts behind a syslog header: Alert Level, Rule, Location"
    specification = "https://www.ossec.net/docs/docs/manual/output/syslog-output.html"
    examples = (
        "<132>Jul  8 10:58:09 srv ossec: Alert Level: 3; Rule: 5501 - Login session opened.; Location: "
        "web1->/var/log/secure; classification:  pam,syslog,; user: root; Jul  8 10:58:08 web1 su: session opened",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with an alert."""
        lines = head_lines(head, 20)
        found = sum(b"Alert Level: " in line and b"; Rule: " in line and b"; Location: " in line for line in lines)
        return 0.97 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return clocked(line_records(source), _event, source, options)


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace")
    found = _ALERT.search(text)
    if found is None:
        raise ValueError("not an alert: `Alert Level: …; Rule: …; Location: …;` was expected")
    header = split_header(text, found.start())
    given, rest = _fields(found["rest"])
    groups = str(given.pop("classification", "") or "")
    row = alert_columns(int(found["level"]), found["rule"], groups.split(","))
    row["time"], row["observer_name"], row["rule_name"] = header.time(clock), header.host, found["name"]
    where, more = location_columns(found["location"])
    fields = Fields(given)
    row |= where | fields.columns(_COLUMNS)
    row["message"] = rest.strip() or None
    if "file_path" in row:
        row["file_change"] = file_change(None, found["rule"]) or "changed"
        row["file_hash"] = _hash(fields)
    row["extra"] = {"level": found["level"], "groups": groups.strip(", ") or None, **more, **fields.rest()}
    return row


def _fields(text: str) -> tuple[dict[str, object], str]:
    """Return the named parts at the start of `text`, and what follows them."""
    given: dict[str, object] = {}
    at = 0
    while found := _FIELD.match(text, at):
        if found["name"] in given:
            break  # the raising line begins like one of ours
        value = found["value"].strip()
        given[found["name"]] = (value[1:-1] if value[:1] == value[-1:] == "'" else value) or None
        at = found.end()
    return given, text[at:]


def _hash(fields: Fields) -> str | None:
    sha1, md5 = fields.peek("Current SHA1"), fields.peek("Current MD5")
    return f"sha1:{sha1}" if sha1 else (f"md5:{md5}" if md5 else None)
