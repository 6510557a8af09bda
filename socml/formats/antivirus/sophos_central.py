"""Events and alerts of Sophos Central, by its SIEM interface → events, one an object.

Events have `type` (as Event::Endpoint::Threat::Detected), `name`, `severity` (none, low, medium, high, very_high or
critical), `when` (it happened) and `created_at` (Sophos learned of it), `location` (the computer), `source` (the user),
`source_info.ip` and `endpoint_id`; alerts have `description` and `data` besides. The same reader serves MTR and MDR.
Traps: the malware and its path stand in `name` only, as `'EICAR' at 'C:\\x'`, and are cut out of it; the user comes as
`DOMAIN\\name`, or as a person's name; a list may be an array or lines; the same event is delivered again when a pull
overlaps the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._cef import hash_of
from socml.formats._fields import Fields
from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._times import Clock, iso

__all__ = ["SophosCentral"]

_SEVERITY = {"none": 0, "low": 30, "medium": 50, "high": 80, "very_high": 100, "critical": 100}
_THREAT = re.compile(r"[:'\"] ?'?(?P<threat>[A-Za-z][\w./:-]{2,80})'? (?:at|in) '(?P<path>[^']{1,1000})'")
_NAMED = re.compile(r"'(?P<threat>[^']{1,100})'(?: .{0,40})? at '(?P<path>[^']{1,1000})'")
_KINDS = (
    (
        ("Threat", "Malware", "CoreDetection", "CorePuaDetection", "HmpaExploit", "CorePua", "Ransomware"),
        2004,
        "malware",
    ),
    (("IPS", "Ips", "DataLossPrevention", "AMSI"), 2004, "intrusion_detection"),
    (("WebControl", "WebFiltering"), 4002, "web"),
    (("UserAuto", "UserAdded", "Registered", "Admin"), 3001, "iam"),
    (("Application", "Device"), 1007, "process"),
)
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "rule_id": "type",
    "host_name": ("location", "endpoint_name"),
    "user_name": "source",
    "message": ("name", "description"),
    "event_action": ("action", "core_remedy_items.result"),
    "url_original": ("url", "data.url"),
    "process_name": "ips_threat_data.executableName",
    "file_path": ("path", "data.file_path", "ips_threat_data.executablePath"),
}


class SophosCentral:
    """Events and alerts of Sophos Central."""

    name = "sophos-central"
    about = "Sophos Central events and alerts as JSON lines; Sophos MTR and MDR send the same"
    specification = "https://developer.sophos.com/docs/siem-v1/1/overview"
    examples = (
        '{"id":"555a7296","type":"Event::Endpoint::Threat::Detected","severity":"high","when":"2022-11-24T07:06:40.883Z",'
        '"location":"PC7","source":"PC7\\\\ann","source_info":{"ip":"192.0.2.7"},"customer_id":"d1","endpoint_id":"e1",'
        "\"name\":\"Malware detected: 'EICAR-AV-Test' at 'C:\\\\x.exe'\"}",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of objects with a type of Sophos's and a customer or an endpoint."""
        if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"["):
            return 0.9 if b'"Event::' in head[:65536] and b'"customer_id"' in head[:65536] else 0.0
        lines = head_lines(head, 10)
        return 0.97 * sum(_is_event(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(json_records(source), _event, source, options)


def _is_event(line: bytes) -> bool:
    found = as_object(line)
    return str(found.get("type", "")).startswith(("Event::", "Alert::")) and bool(
        {"customer_id", "endpoint_id", "when", "created_at"} & set(found)
    )


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    fields = Fields(flatten(loads_exactly(record)))
    when = fields.take("when", "raisedAt", "rt") or fields.take("created_at", "end")
    kind, threat = str(fields.peek("type") or ""), fields.text("threat", "data.threat", "threat_name")
    text = str(fields.peek("name", "description") or "")
    row = fields.columns(_COLUMNS)
    row["time"] = None if when is None else iso(when, clock)
    row["rule_name"] = kind.removeprefix("Event::") or None
    row["event_severity"] = _SEVERITY.get(str(fields.take("severity")).lower())
    found = _NAMED.search(text) or _THREAT.search(text)
    if found:
        threat = found["threat"]
        row.setdefault("file_path", found["path"])
    row |= next(
        (
            {"class_uid": uid, "event_category": category}
            for words, uid, category in _KINDS
            if any(w in kind for w in words)
        ),
        {"event_category": "host"},
    )
    row["threat_name"] = threat
    row["file_hash"] = hash_of(fields.peek("appSha256", "sha256", "data.sha256"))
    row |= _ends(fields)
    row["extra"] = fields.rest()
    return row


def _ends(fields: Fields) -> dict[str, object]:
    """Return the addresses: of the computer, and of the other end where an attack over the network is told of."""
    row: dict[str, object] = {}
    name = next((n for n in ("source_info.ip", "ip", "data.ip") if address(str(fields.peek(n) or ""))), None)
    if name:
        row["source_ip"] = address(fields.text(name))
    if address(str(fields.peek("ips_threat_data.remoteIp") or "")):
        row["destination_ip"] = address(fields.text("ips_threat_data.remoteIp"))
    for column, port in (("source_port", "localPort"), ("destination_port", "remotePort")):
        if str(fields.peek(f"ips_threat_data.{port}")).isdecimal():
            row |= fields.columns({column: f"ips_threat_data.{port}"})
    return row
