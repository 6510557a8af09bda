"""Snort 3's alert_json → alerts, one JSON object a line.

Traps: the fields are a configured selection, in any order; by default there is neither a message (only `rule`, as
gid:sid:rev) nor a year nor a zone, and the addresses are one text with the port (`src_ap`). With the field `seconds`
the time is certain. A value Snort has no text for is left out, so every field may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._times import Clock
from socml.formats.alert._snort_fields import snort_event

__all__ = ["SnortJson"]

_MARKS = {"rule", "pkt_num", "pkt_gen", "src_ap", "dst_ap", "gid", "sid", "b64_data", "src_addr", "dst_addr", "pkt_len"}


class SnortJson:
    """Snort 3's alerts as JSON lines."""

    name = "snort-json"
    about = "Snort 3 alert_json: any selection of fields"
    specification = "https://docs.snort.org/start/alert_logging"
    examples = (
        '{ "timestamp" : "12/16-20:33:33.603502", "pkt_num" : 8, "proto" : "ICMP", "pkt_gen" : "raw", "pkt_len" : 84, '
        '"dir" : "S2C", "src_ap" : "10.10.10.88:0", "dst_ap" : "10.10.10.1:0", "rule" : "1:10000001:0", '
        '"action" : "allow" }',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with three of Snort's own fields, and a time or a rule."""
        lines = head_lines(head, 10)
        return 0.97 * sum(_is_alert(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's alerts."""
        return clocked(json_records(source), _event, source, options)


def _is_alert(line: bytes) -> bool:
    found = as_object(line)
    return len(_MARKS & set(found)) >= 3 and bool({"seconds", "timestamp"} & set(found))


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    return snort_event(flatten(loads_exactly(line)), clock)
