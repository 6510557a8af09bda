"""What `nfdump -o json` prints → flows: an array of objects, or (1.7.3 and later) one a line.

`first` and `last` have milliseconds but no zone: they are UTC in 1.7, whatever the machine's zone. Objects that are no
flow (`type` EVENT, STAT) are kept, with their fields in `extra`. `label` "<none>" is none. IPv6 is in `src6_addr`.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._envelope import first_objects, members
from socml.formats._fields import Fields, whole
from socml.formats._json import flatten, loads_exactly
from socml.formats._protocols import transport
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import iso
from socml.formats.network._flow_rows import flow_row

__all__ = ["NfdumpJson"]

_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_ip": ("src4_addr", "src6_addr"),
    "destination_ip": ("dst4_addr", "dst6_addr"),
    "source_packets": "in_packets",
    "source_bytes": "in_bytes",
    "destination_packets": "out_packets",
    "destination_bytes": "out_bytes",
}


class NfdumpJson:
    """JSON of nfdump 1.6.18 and later."""

    name = "nfdump-json"
    about = "nfdump -o json: flows as an array or one a line"
    specification = "https://github.com/phaag/nfdump/blob/master/README.md"
    examples = (
        '{"type":"FLOW","sampled":0,"first":"2024-02-29T13:06:56.271","last":"2024-02-29T13:06:56.645","in_packets":8,'
        '"in_bytes":2211,"proto":6,"tcp_flags":"...AP.SF","src_port":902,"dst_port":38404,"src4_addr":"192.0.2.7",'
        '"dst4_addr":"198.51.100.1"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with nfdump's names for addresses."""
        found = first_objects(head)
        fit = sum("first" in one and bool({"src4_addr", "src6_addr", "in_packets"} & one.keys()) for one in found)
        return 0.97 * fit / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows."""
        return batches(members(source), _event)


def _event(record: bytes) -> dict[str, object]:
    found = flatten(loads_exactly(record))
    fields = Fields({name: value for name, value in found.items() if value != "<none>"})
    row = flow_row()
    first, last = fields.take("first", "t_first"), fields.take("last", "t_last")
    if first is not None:
        begun = row["time"] = iso(first)
        row["duration_s"] = (iso(last) - begun).total_seconds() if last is not None else None
    row |= fields.columns(_COLUMNS)
    number = fields.take("proto")
    row["network_transport"] = transport(None if number is None else whole(number, "proto", 255))
    if row["network_transport"] in ("tcp", "udp", "sctp", "dccp"):
        row |= fields.columns({"source_port": "src_port", "destination_port": "dst_port"})
    row["extra"] = fields.rest()
    return row
