"""Access logs of Apache and nginx → events: common, combined and vhost_combined layout.

What is taken as it comes: `%b` writes `-` for no bytes, which is null; a request that is no request (TLS sent to a
plain port, `-` after a time-out) is in `message`; escapes (`\\"`, `\\x16`) are undone in the columns, and stand in
`raw`. A virtual host before the address is `host_name`. Fields after the user agent are in `extra`, as `rest`: what
they mean is said only in the server's configuration. Error logs are another format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._access_lines import access_event
from socml.formats._addresses import address
from socml.formats._columns import constant
from socml.formats._reader import Block, Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches
from socml.formats._span_records import SpanRecords
from socml.formats._times import Clock, clock_of
from socml.tables import EVENT, TIME

if TYPE_CHECKING:
    from socml.kernels.access_lines import Scanned

__all__ = ["AccessLog"]

_OUTCOMES = np.frombuffer(b"failuresuccess" + bytes(8), np.uint8)  # eight more: bytes are copied eight at once
_EXTRA = {"source_name": "name", "ident": "ident", "referer": "referer", "rest": "rest", "http_version": "version"}


class AccessLog:
    """Access logs in the layouts that Apache calls common, combined and vhost_combined, and nginx combined."""

    name = "access-log"
    about = "Apache and nginx access logs: common, combined and vhost_combined layout"
    specification = "https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats"
    examples = (
        '192.0.2.7 - ann [29/Feb/2024:13:06:56 +0100] "GET /index.html HTTP/1.1" 200 2326 "-" "Mozilla/5.0"',
        '192.0.2.7 - - [29/Feb/2024:13:06:57 +0100] "POST /login HTTP/1.1" 401 12',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that have the layout; comments do not count."""
        lines = [line for line in head_lines(head, 40) if not line.startswith(b"#")][:20]
        fit = sum(_fits(line) for line in lines)
        return 0.97 * fit / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, whole blocks at a time. Lines that start with # are comments."""
        clock, is_large = clock_of(source, options), False
        for block in source.blocks():
            is_large = is_large or len(block.data) >= options.select_from
            if is_large:
                yield from parse_block(block, clock)
            else:
                yield from _parse_lines(enumerate(block.lines(), block.first_line), clock)


def parse_block(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold: the plain lines column by column, then the others, one by one."""
    from socml.kernels.access_lines import FIELDS, scan

    found = scan(block.data)
    if found.starts.shape[1]:
        spans = (edges[FIELDS.index("line")].copy() for edges in (found.starts, found.ends))
        yield Parsed(_plain_events(block, found), SpanRecords(block.data, *spans))
    if found.odd.shape[1]:
        odd = ((block.first_line + i, block.data[at:end].strip(b"\r\0")) for i, at, end in found.odd.T.tolist())
        yield from _parse_lines(odd, clock)


def _parse_lines(numbered: Iterable[tuple[int, bytes]], clock: Clock) -> Iterator[Parsed]:
    return batches(
        numbered, lambda line: access_event(line, clock), warnings=clock.warnings, is_certain=lambda: clock.is_certain
    )


def _plain_events(block: Block, found: Scanned) -> pa.Table:
    from socml.kernels.access_lines import FIELDS

    data, rows = np.frombuffer(block.data, np.uint8), found.starts.shape[1]
    line, time, status, size, port, maybe = found.numbers

    def text(field: str) -> pa.Array:
        at = FIELDS.index(field)
        return _text(data, found.starts[at], found.ends[at])

    source = text("address")
    if maybe.any():
        source = _addresses(source, maybe > 0, found)
    many = {
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "network_transport": "tcp",
        "network_protocol": "http",
    }
    columns = {name: constant(value, rows, EVENT[name].type) for name, value in many.items()}
    columns |= {
        "raw": text("line"),
        "source_line": pa.array(line + block.first_line),
        "time": pa.array(time.copy()).view(TIME),
        "event_outcome": _outcome(status),
        "host_name": text("vhost"),
        "user_name": text("user"),
        "source_ip": source,
        "destination_port": _number(port.astype(np.int32)),
        "destination_bytes": _number(size),
        "http_request_method": text("method"),
        "url_original": text("url"),
        "http_response_status_code": _number(status.astype(np.int32)),
        "user_agent_original": text("agent"),
        "extra": _extra(data, found),
    }
    return pa.table(columns)


def _text(data: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32]) -> pa.Array:
    """Return texts that are ASCII; null where the start is -1."""
    from socml.kernels.json_texts import copies

    present = starts >= 0
    if not present.any():
        return pa.nulls(len(starts), pa.string())
    bits = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return _strings(*copies(data, starts, ends), bits)


def _strings(
    offsets: NDArray[np.integer[Any]], values: NDArray[np.uint8], present: pa.Buffer | None = None
) -> pa.Array:
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(values), present)


def _number(values: NDArray[np.integer[Any]]) -> pa.Array:
    return pa.array(values, mask=values < 0)


def _outcome(status: NDArray[np.int64]) -> pa.Array:
    starts = np.where(status < 0, -1, np.where(status < 400, 7, 0)).astype(np.int32)
    return _text(_OUTCOMES, starts, np.where(starts < 0, -1, starts + 7).astype(np.int32))


def _addresses(host: pa.Array, maybe: NDArray[np.bool_], found: Scanned) -> pa.Array:
    """Return the addresses; those that may be IPv6 are looked at, and if they are not become names in `found`."""
    from socml.kernels.access_lines import FIELDS

    sure = [address(text) for text in host.filter(pa.array(maybe)).to_pylist()]
    names = np.flatnonzero(maybe)[[text is None for text in sure]]
    for spans in (found.starts, found.ends):
        spans[FIELDS.index("name"), names] = spans[FIELDS.index("address"), names]
    return pc.replace_with_mask(host, pa.array(maybe), pa.array(sure, pa.string()))


def _extra(data: NDArray[np.uint8], found: Scanned) -> pa.Array:
    """Return what has no column."""
    from socml.kernels.access_lines import FIELDS
    from socml.kernels.named_spans import named_copies

    names = {name: FIELDS.index(field) for name, field in _EXTRA.items()}
    offsets, keys, texts = named_copies(data, found.starts, found.ends, names)
    return pa.MapArray.from_arrays(pa.array(offsets), _strings(*keys), _strings(*texts))


def _fits(line: bytes) -> bool:
    try:
        access_event(line, Clock(None, None, None))
    except ValueError:
        return False
    return True
