"""Snort's unified2 → alerts; one record is an event with the packets and extra data that follow it.

An event holds numbers only: the rule's message comes from `sid-msg.map` and `gen-msg.map`, its class from
`classification.config`, where they lie beside the file. Traps: a rule that is in no map has no name; a file is cut
where Snort was stopped, and the packets of its last event may be in the next file; an ICMP event has its type and code
in place of ports; `blocked` is 1 for a packet that was dropped. `raw` holds the bytes as hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._multiline import Broken
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches
from socml.formats._snort import alert_columns
from socml.formats.alert._unified2 import EVENT_TYPES, Maps, event_groups, event_values, read_maps

__all__ = ["Unified2"]

_COLUMNS = ("url_original", "file_path")
_WITH_PORTS = ("tcp", "udp", "sctp")


class Unified2:
    """Snort's binary alert files."""

    name = "unified2"
    about = "Snort unified2: events with packets and extra data, named by the maps beside the file"
    specification = "https://www.snort.org/faq/readme-unified2"
    one_a_line = False
    examples = (
        bytes.fromhex("000000680000003c0000000000000001")
        + bytes.fromhex("51e46e5e0004b11d000001f2000000010000000a0000000300000002ac10010aac10010b005099d006000000")
        + bytes.fromhex("0000000000000000"),
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a first record, and a second if there is one, of types and lengths of unified2."""
        at = seen = 0
        while seen < 3 and len(head) - at >= 8:
            kind, length = int.from_bytes(head[at : at + 4], "big"), int.from_bytes(head[at + 4 : at + 8], "big")
            if kind not in (*EVENT_TYPES, 2, 110) or not 28 <= length <= 1 << 20:
                return 0.0
            at, seen = at + 8 + length, seen + 1
        return 0.97 if seen else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        maps = read_maps(source.path.parent)
        warnings = [] if maps.messages else ["There is no sid-msg.map beside the file: the alerts have no names."]
        return batches(event_groups(source), lambda record: _event(record, maps), warnings=warnings, is_text=False)


def _event(record: bytes, maps: Maps) -> dict[str, object]:
    if isinstance(record, Broken):
        raise ValueError(record.reason)
    if int.from_bytes(record[:4], "big") not in EVENT_TYPES:
        raise Skip("packets or extra data whose event is in an earlier file")
    found = event_values(record)
    action = "drop" if found.blocked == 1 else None
    row = alert_columns(str(found.gid), str(found.sid), found.priority, found.protocol, action)
    row["time"], row["source_ip"], row["destination_ip"] = found.time, found.source_ip, found.destination_ip
    more = {"gid": found.gid, **found.more, "blocked": found.blocked or None}
    if found.protocol in _WITH_PORTS:
        row["source_port"], row["destination_port"] = found.ports
    else:
        more["icmp"] = "{}/{}".format(*found.ports)
    for name in _COLUMNS:
        row[name] = more.pop(name, None)
    row["rule_name"] = row["message"] = maps.messages.get((found.gid, found.sid))
    if 0 < found.class_id <= len(maps.classes):
        more["classification"] = maps.classes[found.class_id - 1]
    row["raw"] = record.hex()
    row["extra"] = {name: None if value is None else str(value) for name, value in more.items()}
    return row
