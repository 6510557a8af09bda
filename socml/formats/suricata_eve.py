"""Suricata's EVE log → events: JSON lines, an array of the same objects, or lines behind a syslog header.

`time` of a flow is its start, as in Zeek; EVE's own `timestamp`, when the flow was logged, is then in `extra`.
`stats` records describe the sensor and are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from socml.formats._columns import text_array
from socml.formats._eve import eve_event
from socml.formats._json import flatten, loads_exactly
from socml.formats._json_array import array_members
from socml.formats._reader import Parsed, ReadOptions, Reject, Source, head_lines, no_events
from socml.tables import EVENT, TIME

__all__ = ["SuricataEve"]

_BATCH = 20_000
_HEADER = re.compile(rb"^[^{]{1,250}?: ?(?=\{)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
            return 0.95 if b'"event_type"' in start[:65536] and b'"timestamp"' in start[:65536] else 0.0
        lines = head_lines(head, 10)
        found = sum(_is_eve(line) for line in lines)
        return 0.98 * found / len(lines) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        start = next(iter(source.chunks()), b"").removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith(b"[") and not start[1:].lstrip().startswith((b'"', b"-", *(b"%d" % n for n in range(10)))):
            yield from _in_batches(array_members(source))
            return
        for block in source.blocks():
            yield from _in_batches(enumerate(block.lines(), block.first_line))


def _is_eve(line: bytes) -> bool:
    try:
        found = orjson.loads(_HEADER.sub(b"", line) if not line.startswith(b"{") else line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and "event_type" in found and "timestamp" in found


def _in_batches(numbered: Iterable[tuple[int, bytes]]) -> Iterator[Parsed]:
    batch = _Batch()
    for number, line in numbered:
        batch.add(number, line)
        if len(batch.records) >= _BATCH:
            yield batch.parsed()
            batch = _Batch()
    yield batch.parsed()


class _Batch:
    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.numbers: list[int] = []
        self.rows: list[dict[str, Any]] = []
        self.rejects: list[Reject] = []
        self.skips: dict[str, int] = {}

    def add(self, number: int, line: bytes) -> None:
        """Take one record, as an event, a reject or a skip."""
        if not line.strip():
            self._skip("blank line")
            return
        try:
            found = loads_exactly(line if line.startswith(b"{") else _HEADER.sub(b"", line))
            if found.get("event_type") == "stats":
                self._skip("stats record")
                return
            row = eve_event(flatten(found))
        except ValueError as error:
            self.rejects.append(Reject(number, str(error), line))
            return
        self.rows.append(row)
        self.records.append(line)
        self.numbers.append(number)

    def parsed(self) -> Parsed:
        """Return what the batch holds."""
        if not self.rows:
            return Parsed(no_events(), [], rejects=self.rejects, skips=self.skips)
        columns = {"raw": text_array(self.records), "source_line": pa.array(self.numbers, pa.int64())}
        for name in dict.fromkeys(name for row in self.rows for name in row):
            values = [row.get(name) for row in self.rows]
            if name == "time":
                columns[name] = pa.array([_micros(v) for v in values], pa.int64()).view(TIME)
            else:
                columns[name] = pa.array(values, EVENT[name].type)
        return Parsed(pa.table(columns), self.records, rejects=self.rejects, skips=self.skips)

    def _skip(self, reason: str) -> None:
        self.skips[reason] = self.skips.get(reason, 0) + 1


def _micros(when: datetime | None) -> int | None:
    if when is None:
        return None
    passed = when - _EPOCH
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds
