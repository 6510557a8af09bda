"""Kaspersky Security Center's events as RFC 5424 syslog → events; CEF lines among them are read as well.

    <29>1 2022-04-25T15:27:08.000Z host01 KES|11.0.0.0 - GNRL_EV_… [event@23668 p1="…" et="GNRL_EV_…" hdn="PC"] Event type: …

What happened is in the structured data: `et` and `etdn` (event type, and its name), `hdn` and `hip` (host and address),
`tdn` (task), `gn` (group), and parameters `p1` to `p9`, whose meaning depends on the event type: of detections, p2 is
the object, p5 the threat and p7 the user. The message repeats much of it as `Name: value` between `\\r\\n`, which may be
written out in letters. Traps: the message id is cut to 32 characters, `et` is not; values escape `"`, `\\` and `]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._cef import MARK, hash_of
from socml.formats._cef_event import cef_event
from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats._vendors import kind_of

__all__ = ["KasperskySyslog"]

_DATA = re.compile(
    r'\[event@23668(?P<data>(?: [^=\s\]"]{1,32}="(?:[^"\\\]]|\\.)*+")*+)\](?: (?P<message>.*))?$', re.DOTALL
)
_PARAMETER = re.compile(r' ([^=\s\]"]{1,32})="((?:[^"\\\]]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_LINE_END = re.compile(r"\\r\\n|\r?\n|\\n")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "rule_id": "et",
    "rule_name": "etdn",
    "host_name": "hdn",
    "file_path": ("Path to object", "Object path", "Object"),
    "event_action": "Result",
}
_OF_DETECTIONS = {"file_path": "p2", "threat_name": "p5", "user_name": "p7"}


class KasperskySyslog:
    """Events of Kaspersky Security Center, with RFC 5424's structured data."""

    name = "kaspersky-syslog"
    about = "Kaspersky Security Center syslog: structured data event@23668"
    specification = "https://support.kaspersky.com/ksc/14/en-US/151330.htm and https://www.rfc-editor.org/rfc/rfc5424"
    examples = (
        '<29>1 2022-04-25T15:27:08.000Z srv KES|11.0.0.0 - GNRL_EV_VIRUS_FOUND [event@23668 p2="C:\\\\x.exe" '
        'p5="EICAR-Test-File" p7="PC\\\\ann" et="GNRL_EV_VIRUS_FOUND" etdn="Malicious object detected" hdn="PC7" '
        'hip="192.0.2.17"] Event type: Malicious object detected',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with Kaspersky's structured data, or CEF beside such lines."""
        lines = [line[:4000] for line in head_lines(head, 20)]
        own = sum(b"[event@23668 " in line for line in lines)
        beside = sum(MARK.search(line.decode("utf-8", "replace")) is not None for line in lines) if own else 0
        return 0.98 * (own + beside) / len(lines) if own else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), _event, source, options)


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace")
    found = _DATA.search(text)
    if found is None:
        if MARK.search(text):
            return cef_event(text, clock)
        raise ValueError("not an event of Kaspersky: no structured data `[event@23668 …]`")
    header = split_header(text, found.start())
    given = {name: _ESCAPED.sub(r"\1", value) for name, value in _PARAMETER.findall(found["data"])}
    message = found["message"] or ""
    pairs = (part.partition(": ") for part in _LINE_END.split(message))
    given |= {name.strip(): value.strip() for name, colon, value in pairs if colon and name.strip() not in given}
    fields = Fields(given)
    row: dict[str, object] = {
        "time": header.time(clock),
        "event_severity": header.severity,
        "observer_name": header.host,
    }
    row["message"] = message.strip() or None
    rule = str(fields.peek("et") or "")
    kind = kind_of("Kaspersky", "", rule, str(fields.peek("etdn") or ""), {"file_path": fields.peek("Path to object")})
    if kind["event_category"] == "malware":
        row |= fields.columns({column: name for column, name in _OF_DETECTIONS.items() if fields.peek(name)})
    row |= {column: value for column, value in fields.columns(_COLUMNS).items() if not row.get(column)}
    row["user_name"] = row.get("user_name") or (fields.text("User") or "").removesuffix(" (Initiator)") or None
    row["destination_ip"] = address(fields.text("hip"))
    row["file_hash"] = hash_of(fields.peek("SHA256")) or hash_of(fields.peek("MD5"))
    row |= kind
    row["extra"] = {**fields.rest(), "syslog": header.rest or None}
    return row
