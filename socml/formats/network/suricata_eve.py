"""Suricata's EVE log → events: JSON lines, an array of the same objects, or lines behind a syslog header.

`time` of a flow is its start, as in Zeek; EVE's own `timestamp`, when the flow was logged, is then in `extra`.
`stats` records describe the sensor and are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import orjson

from socml.formats._envelope import first_objects
from socml.formats._json import flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, sized_blocks
from socml.formats._records import Skip, batches, is_array, json_records
from socml.formats._syslog_header import split_header
from socml.formats.network._eve import eve_event, is_eve
from socml.formats.network._eve_blocks import parse_block

__all__ = ["SuricataEve"]

_HEADER = re.compile(rb"^[^{]{1,400}?(?:[:\]-] ?|@cee: ?)(?=\{)")


class SuricataEve:
    """EVE JSON of Suricata 4 and later, every event type."""

    name = "suricata-eve"
    about = "Suricata EVE JSON: alert, flow, dns, http, tls, ssh, fileinfo, anomaly and all other types"
    specification = "https://docs.suricata.io/en/latest/output/eve/eve-json-format.html"
    examples = (
        '{"timestamp":"2014-02-26T09:19:59.239753+0000","flow_id":2155631949712908,"event_type":"dns",'
        '"src_ip":"10.30.28.90","src_port":43246,"dest_ip":"10.30.28.94","dest_port":53,"proto":"UDP",'
        '"dns":{"type":"query","rrname":"a.example","rrtype":"TXT"}}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with `event_type` and `timestamp`, in lines, in an array or behind a header."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith(b"["):
            objects = first_objects(head)
            return 0.95 * sum(map(is_eve, objects)) / len(objects) if objects else 0.0
        lines = head_lines(head, 10)
        found = sum(_is_eve(line) for line in lines)
        return 0.98 * found / len(lines) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, whole blocks of lines at a time."""
        if is_array(source):
            yield from batches(json_records(source), _event)
            return
        for block, is_large in sized_blocks(source, options):
            if is_large:
                yield from parse_block(block, _event)
            else:
                yield from batches(enumerate(block.lines(), block.first_line), _event)


def _is_eve(line: bytes) -> bool:
    try:
        found = orjson.loads(_HEADER.sub(b"", line) if not line.startswith(b"{") else line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and is_eve(found)


def _event(line: bytes) -> dict[str, object]:
    bare = line if line.startswith(b"{") else _HEADER.sub(b"", line)
    found = loads_exactly(bare)
    if found.get("event_type") == "stats":
        raise Skip("stats record")
    row = eve_event(flatten(found))
    if len(bare) < len(line):
        front = line[: len(line) - len(bare)].decode("utf-8", "backslashreplace")
        header = split_header(front, len(front))
        row["observer_name"] = row.get("observer_name") or header.host
        cast("list[tuple[str, str | None]]", row["extra"]).append(("syslog", header.rest or None))
    return row
