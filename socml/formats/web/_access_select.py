"""Blocks of an access log → events: one SELECT that splits a line at its quotes and blanks; odd lines one by one.

A line that the SELECT takes is printable ASCII in the common, combined or vhost_combined layout, without escapes, with a
request as HTTP/1 writes it and a time with a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._addresses import address
from socml.formats._columns import constant
from socml.formats._reader import Block, Parsed
from socml.formats._select_lines import Cells, Records, lines_of, selected
from socml.formats._times import MONTHS, Clock
from socml.formats.web._access_lines import parse_lines
from socml.project import EVENT, TIME

if TYPE_CHECKING:
    import duckdb

__all__ = ["parse_block"]

# What stands between quotes: [1] host - user [29/Feb/2024:13:06:56 +0100] [2] GET /a HTTP/1.1 [3] 200 2326
# [4] referer [5] a blank [6] agent [7] nothing. No pattern has more than four groups, or a choice where one ends: so RE2
# finds them in one pass. What does not match is "".
_SELECT = r"""
with quoted as materialized ( -- else a line is split anew for each of its parts
    select row, string_split(line, '"') as q
    from lines
    where not contains(line, '\') and not starts_with(line, '#')
)
select
    row, q[4] as referer, q[6] as agent,
    regexp_extract(q[1], '^(\S+) (\S+) (\S*) (\[.{26}\]) $', ['host', 'ident', 'user', 'stamp']) as head,
    regexp_extract(q[2], '^([A-Za-z_-]+) (\S+) HTTP/([\d.]+)$', ['method', 'url', 'version']) as request,
    regexp_extract(q[3], '^ (\d{3}|-) (\d{1,18}|-)( ?)$', ['status', 'size', 'more']) as said
from quoted
where len(q) = 3 or (len(q) = 7 and q[5] = ' ' and q[7] = '')
"""
_FIXED = {
    "class_uid": 4002,
    "event_category": "web",
    "event_action": "http_request",
    "network_transport": "tcp",
    "network_protocol": "http",
}
_TEXTS = {
    "user_name": "user",
    "http_request_method": "method",
    "url_original": "url",
    "user_agent_original": "agent",
}
_EXTRA = ("source_name", "ident", "referer", "http_version")
_PARTS = ("head", "request", "said")
_STAMP = len("[29/Feb/2024:13:06:56 +0100]")
_MARKS = {0: "[", 3: "/", 7: "/", 12: ":", 15: ":", 18: ":", 21: " ", 27: "]"}
_DIGITS = (1, 2, 8, 9, 10, 11, 13, 14, 16, 17, 19, 20, 23, 24, 25, 26)


def parse_block(block: Block, clock: Clock, connection: duckdb.DuckDBPyConnection) -> Iterator[Parsed]:
    """Yield what the lines of a block hold: the plain lines column by column, then the others, one by one."""
    lines = lines_of(block, ascii_only=True)
    found = selected(connection, _SELECT, lines.table())
    found = pa.table(
        {
            **{name: found[name] for name in ("row", "referer", "agent")},
            **{field.name: part for name in _PARTS for field, part in _fields(found[name].combine_chunks())},
        }
    )
    found = found.filter(_is_whole(found)).combine_chunks()
    micros, good = _times(found["stamp"].combine_chunks())
    found = found.filter(pa.array(good)).combine_chunks()
    rows = np.asarray(found["row"])
    if len(rows):
        texts = lines.texts(rows)
        columns = {
            "raw": texts,
            "source_line": pa.array(rows + lines.first_line),
            "time": pa.array(micros[good]).view(TIME),
        }
        yield Parsed(pa.table({**columns, **_columns(found)}), Records(texts))
    odd = np.ones(len(lines.text), bool)
    odd[rows] = False
    if odd.any():
        yield from parse_lines(lines.numbered(np.flatnonzero(odd).tolist()), clock)


def _fields(part: pa.StructArray) -> Iterator[tuple[pa.Field, pa.Array]]:
    return zip(part.type, part.flatten(), strict=True)


def _is_whole(found: pa.Table) -> pa.ChunkedArray:
    """Return which lines have all their parts: a blank ends the numbers where referer and agent follow, and only there."""
    is_long = found["agent"].is_valid()
    whole = pc.equal(pc.equal(found["more"], " "), is_long)
    for name in ("host", "method", "status"):
        whole = pc.and_(whole, pc.not_equal(found[name], ""))
    return whole


def _times(stamps: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the times of stamps such as [29/Feb/2024:13:06:56 +0100], in microseconds, and which of them are good."""
    codes = np.frombuffer(b"".join(stamps.view(pa.binary()).to_pylist()), np.uint8).reshape(len(stamps), _STAMP)
    good = np.ones(len(stamps), bool)
    for at, mark in _MARKS.items():
        good &= codes[:, at] == ord(mark)
    digits = codes.astype(np.int64) - ord("0")
    for at in _DIGITS:
        good &= (digits[:, at] >= 0) & (digits[:, at] <= 9)

    def number(at: int) -> NDArray[np.int64]:
        return digits[:, at] * 10 + digits[:, at + 1]

    coded = pc.utf8_slice_codeunits(stamps, 4, 7).dictionary_encode()
    months = np.array([MONTHS.get(name, 0) for name in coded.dictionary.to_pylist()] + [0])[np.asarray(coded.indices)]
    year, day, hour, minute, second = number(8) * 100 + number(10), number(1), number(13), number(16), number(19)
    behind = np.where(codes[:, 22] == ord("-"), -1, 1) * (number(23) * 60 + number(25))
    good &= (months > 0) & (year >= 1970) & (year < 2100) & (day > 0) & (hour < 24) & (minute < 60) & (second < 60)
    good &= ((codes[:, 22] == ord("-")) | (codes[:, 22] == ord("+"))) & (number(23) < 24) & (number(25) < 60)
    month = ((year - 1970) * 12 + months - 1).astype("datetime64[M]")
    date = month.astype("datetime64[D]") + (day - 1)
    good &= date.astype("datetime64[M]") == month  # no 30 February
    minutes = date.astype(np.int64) * 1440 + hour * 60 + minute - behind
    return (minutes * 60 + second) * 1_000_000, good


def _columns(found: pa.Table) -> dict[str, pa.Array]:
    rows, texts = len(found), {name: _text(found[name].combine_chunks()) for name in found.column_names[1:]}
    columns = {name: constant(value, rows, EVENT[name].type) for name, value in _FIXED.items()}
    columns |= {column: texts[name] for column, name in _TEXTS.items()}
    columns["http_response_status_code"] = texts["status"].cast(pa.int32())
    columns["destination_bytes"] = texts["size"].cast(pa.int64())
    is_good = pc.less(columns["http_response_status_code"], 400)
    columns["event_outcome"] = pc.if_else(is_good, "success", "failure")
    hosts = texts["host"].dictionary_encode()
    known = pa.array([address(host) for host in hosts.dictionary.to_pylist()], pa.string())
    columns["source_ip"] = known.take(hosts.indices)
    names = pc.if_else(columns["source_ip"].is_null(), texts["host"], None)
    extra = pa.concat_arrays([names, texts["ident"], texts["referer"], texts["version"]])
    in_turn = np.arange(len(extra)).reshape(len(_EXTRA), rows).T.ravel()
    columns["extra"] = Cells(extra.take(pa.array(in_turn)), len(_EXTRA)).as_map(_EXTRA)
    return columns


def _text(texts: pa.Array) -> pa.Array:
    absent = pc.or_(pc.equal(texts, "-"), pc.equal(texts, ""))
    return pc.if_else(absent, None, texts) if pc.any(absent).as_py() else texts
