"""Access logs of Apache and nginx → events: common, combined and vhost_combined layout.

What is taken as it comes: `%b` writes `-` for no bytes, which is null; a request that is no request (TLS sent to a
plain port, `-` after a time-out) is in `message`; escapes (`\\"`, `\\x16`) are undone in the columns, and stand in
`raw`. A virtual host before the address is `host_name`. Fields after the user agent are in `extra`, as `rest`: what
they mean is said only in the server's configuration. Error logs are another format.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa

from socml.formats._access_lines import access_event
from socml.formats._addresses import address
from socml.formats._columns import constant, extra_map
from socml.formats._reader import Block, Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches
from socml.formats._spans import text_of_spans
from socml.formats._times import Clock, clock_of
from socml.tables import EVENT, TIME

__all__ = ["AccessLog"]


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
        """As sure as the share of lines that have the layout."""
        lines = head_lines(head, 20)
        fit = sum(_fits(line) for line in lines)
        return 0.97 * fit / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, whole blocks at a time."""
        clock = clock_of(source, options)
        for block in source.blocks():
            yield from parse_block(block, clock)


def parse_block(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold: the plain lines column by column, then the others, one by one."""
    from socml.kernels.access_lines import scan

    lines = block.lines()
    found = scan(block.data)
    rows = np.flatnonzero(found.plain)
    if len(rows):
        yield Parsed(
            _plain_events(block, found, rows),
            lines if len(rows) == len(lines) else list(compress(lines, found.plain.tolist())),
        )
    if len(rows) < len(lines):
        odd = [(block.first_line + int(i), lines[i]) for i in np.flatnonzero(~found.plain)]
        yield from batches(
            odd, lambda line: access_event(line, clock), warnings=clock.warnings, is_certain=lambda: clock.is_certain
        )


def _plain_events(block: Block, found: Any, rows: np.ndarray) -> pa.Table:
    from socml.kernels.access_lines import FIELDS, MAYBE_IPV6, NAME

    everything = len(rows) == len(found.plain)

    def of(values: np.ndarray) -> np.ndarray:
        return values if everything else values[rows]

    def text(field: str) -> pa.Array:
        at = FIELDS.index(field)
        return text_of_spans(block.data, of(found.starts[:, at]), of(found.ends[:, at]))

    kind, host, status = of(found.host_kind), text("host"), of(found.status)
    source, names = host, pa.nulls(len(rows), pa.string())
    if (kind != 1).any():
        source, names = _addresses(host, kind == MAYBE_IPV6, kind == NAME)
    outcomes = pa.array(["failure", "success"]).take(pa.array((status < 400).astype(np.int8), mask=status < 0))
    many = {
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "network_transport": "tcp",
        "network_protocol": "http",
    }
    columns = {name: constant(value, len(rows), EVENT[name].type) for name, value in many.items()}
    columns |= {
        "raw": text("line"),
        "source_line": pa.array(rows + block.first_line),
        "time": pa.array(of(found.micros)).view(TIME),
        "event_outcome": outcomes,
        "host_name": text("vhost"),
        "user_name": text("user"),
        "source_ip": source,
        "destination_port": _number(of(found.port)),
        "destination_bytes": _number(of(found.size)),
        "http_request_method": text("method"),
        "url_original": text("url"),
        "http_response_status_code": _number(status),
        "user_agent_original": text("agent"),
    }
    more = {"source_name": names, "ident": text("ident"), "referer": text("referer")}
    more |= {"rest": text("rest"), "http_version": text("version")}
    present = {name: column for name, column in more.items() if column.null_count < len(column)}
    columns["extra"] = extra_map(present, len(rows))
    return pa.table(columns)


def _number(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=values < 0)


def _addresses(host: pa.Array, maybe: np.ndarray, names: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Return the addresses and the names among hosts; those that may be IPv6 are looked at."""
    texts = host.to_pylist()
    sure = [
        address(text) if look else None if name else text for text, look, name in zip(texts, maybe, names, strict=True)
    ]
    rest = [text if found is None else None for text, found in zip(texts, sure, strict=True)]
    return pa.array(sure, pa.string()), pa.array(rest, pa.string())


def _fits(line: bytes) -> bool:
    try:
        access_event(line, Clock(None, None, None))
    except ValueError:
        return False
    return True
