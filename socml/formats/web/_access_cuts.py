"""Blocks of an access log → events: lines cut at their quotes and blanks, all at once; odd lines one by one.

A line that is cut is printable ASCII in the common, combined or vhost_combined layout, without escapes, with a
request as HTTP/1 writes it and a time with a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._addresses import address
from socml.formats._columns import constant, extra_map
from socml.formats._cuts import Cuts, each_text
from socml.formats._reader import Block, Parsed
from socml.formats._select_lines import Records, Rows, lines_of
from socml.formats._times import MONTHS, Clock
from socml.formats.web._access_lines import parse_lines
from socml.project import EVENT, TIME

__all__ = ["parse_block"]

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
_AS_WRITTEN = ("method", "url", "version")  # a URL may be a hyphen, and then is no absent one
_EXTRA = ("source_name", "ident", "referer", "http_version")
_METHOD, _VERSION = re.compile("[A-Za-z_-]+"), re.compile(r"HTTP/[0-9.]+")
_LONGEST_SIZE = 18  # digits
_STAMP = len("[29/Feb/2024:13:06:56 +0100]")
_MARKS = {0: "[", 3: "/", 7: "/", 12: ":", 15: ":", 18: ":", 21: " ", 27: "]"}
_BASE = np.array([1 << 16, 1 << 8, 1])  # of the three letters of a month as one number
_CODED = sorted((int.from_bytes(name.encode(), "big"), number) for name, number in MONTHS.items())
_NAMES, _MONTHS = np.array([code for code, _ in _CODED]), np.array([number for _, number in _CODED])
_DIGITS = (1, 2, 8, 9, 10, 11, 13, 14, 16, 17, 19, 20, 23, 24, 25, 26)


@dataclass(frozen=True)
class _Parts:
    """The parts of some lines that have the layout; `rows` are the numbers of the lines."""

    rows: Rows
    stamps: NDArray[np.uint8]
    texts: dict[str, pa.Array]

    def only(self, keep: NDArray[np.bool_]) -> _Parts:
        """Return some of the lines."""
        if keep.all():
            return self
        mask = pa.array(keep)
        texts = {name: values.filter(mask) for name, values in self.texts.items()}
        return _Parts(self.rows[keep], self.stamps[keep], texts)


def parse_block(block: Block, clock: Clock) -> Iterator[Parsed]:
    """Yield what the lines of a block hold: the plain lines column by column, then the others, one by one."""
    lines = lines_of(block, ascii_only=True)
    texts = np.flatnonzero(lines.text)
    found = _parts(lines.texts(texts), texts)
    micros, good = _times(found.stamps)
    found, micros = found.only(good), micros[good]
    if len(found.rows):
        raws = lines.texts(found.rows)
        columns = {
            "raw": raws,
            "source_line": pa.array(found.rows + lines.first_line),
            "time": pa.array(micros).view(TIME),
        }
        yield Parsed(pa.table({**columns, **_columns(found.texts)}), Records(raws))
    odd = np.ones(len(lines.text), bool)
    odd[found.rows] = False
    if odd.any():
        yield from parse_lines(lines.numbered(np.flatnonzero(odd).tolist()), clock)


def _parts(texts: pa.Array, rows: Rows) -> _Parts:
    """Return the parts of the lines `host ident user [time] "method url version" status size`, and perhaps `"referer" "agent"`."""
    cuts = Cuts(texts)
    starts, ends = cuts.starts, cuts.ends
    quotes = cuts.places('"', 7, starts)
    ended = [quotes[:, at] >= ends for at in range(7)]
    is_long = ~ended[5]
    good = ended[6] & np.where(
        is_long, (quotes[:, 4] == quotes[:, 3] + 2) & (quotes[:, 5] == ends - 1), ended[2] & ~ended[1]
    )
    good &= (cuts.first("\\", starts) >= ends) & (cuts.byte(starts) != ord("#"))
    request, said = quotes[:, 0], quotes[:, 1]  # the quotes around the request
    good &= cuts.first("\t", starts) >= said
    stamp = np.maximum(request - 1 - _STAMP, starts)
    host, ident, user = cuts.places(" ", 3, starts).T
    good &= (host > starts) & (ident > host + 1) & (user == stamp - 1) & (cuts.byte(request - 1) == ord(" "))
    method, url, more = cuts.places(" ", 3, request).T
    good &= (method > request + 1) & (url > method + 1) & (url < said) & (more > said)
    before, status, size = cuts.places(" ", 3, said).T
    good &= (before == said + 1) & (status < ends)
    after = np.where(is_long, quotes[:, 2] - 1, ends)
    good &= (size == after) & (~is_long | (cuts.byte(quotes[:, 3] + 1) == ord(" ")))
    places = {
        "host": (starts, host),
        "ident": (host + 1, ident),
        "user": (ident + 1, user),
        "method": (request + 1, method),
    }
    places |= {"url": (method + 1, url), "version": (url + 1, said), "status": (before + 1, status)}
    places |= {"size": (status + 1, size)}
    found = {name: cuts.texts(*_of(good, begin, end)) for name, (begin, end) in places.items()}
    for name, at in {"referer": 2, "agent": 4}.items():
        begin, end = _of(good, np.minimum(quotes[:, at] + 1, ends), quotes[:, at + 1])
        long = is_long[good]
        values = cuts.texts(begin, end)
        found[name] = values if long.all() else pc.if_else(pa.array(long), values, None)
    return _plausible(_Parts(rows[good], cuts.fixed(stamp[good], _STAMP), found))


def _plausible(parts: _Parts) -> _Parts:
    """Return the lines whose method, version, status and size are such."""
    found = parts.texts
    sizes, statuses = found["size"], found["status"]
    keep = each_text(found["method"], lambda text: bool(_METHOD.fullmatch(text)))
    keep &= each_text(found["version"], lambda text: bool(_VERSION.fullmatch(text)))
    keep &= each_text(statuses, lambda text: text == "-" or (len(text) == 3 and text.isdecimal()))
    is_number = pc.and_(pc.ascii_is_decimal(sizes), pc.less_equal(pc.binary_length(sizes), _LONGEST_SIZE))
    return parts.only(keep & np.asarray(pc.or_(is_number, pc.equal(sizes, "-"))))


def _of(good: NDArray[np.bool_], *places: Rows) -> tuple[Rows, ...]:
    return places if good.all() else tuple(place[good] for place in places)


def _times(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the times of stamps such as [29/Feb/2024:13:06:56 +0100], in microseconds, and which of them are good."""
    codes = np.ascontiguousarray(codes.T)  # a place of all stamps together
    good = np.ones(codes.shape[1], bool)
    for at, mark in _MARKS.items():
        good &= codes[at] == ord(mark)
    digits = codes - np.uint8(ord("0"))
    for at in _DIGITS:
        good &= digits[at] <= 9

    def number(at: int) -> NDArray[np.int64]:
        return np.asarray(digits[at].astype(np.int64) * 10 + digits[at + 1])

    names = _BASE @ codes[4:7]
    months = np.minimum(np.searchsorted(_NAMES, names), len(_NAMES) - 1)
    good &= _NAMES[months] == names
    months = _MONTHS[months]
    year, day, hour, minute, second = number(8) * 100 + number(10), number(1), number(13), number(16), number(19)
    behind = np.where(codes[22] == ord("-"), -1, 1) * (number(23) * 60 + number(25))
    good &= (year >= 1970) & (year < 2100) & (day > 0) & (hour < 24) & (minute < 60) & (second < 60)
    good &= ((codes[22] == ord("-")) | (codes[22] == ord("+"))) & (number(23) < 24) & (number(25) < 60)
    month = ((year - 1970) * 12 + months - 1).astype("datetime64[M]")
    date = month.astype("datetime64[D]") + (day - 1)
    good &= date.astype("datetime64[M]") == month  # no 30 February
    minutes = date.astype(np.int64) * 1440 + hour * 60 + minute - behind
    return (minutes * 60 + second) * 1_000_000, good


def _columns(found: dict[str, pa.Array]) -> dict[str, pa.Array]:
    rows = len(found["host"])
    texts = {name: values if name in _AS_WRITTEN else _text(values) for name, values in found.items()}
    texts["version"] = pc.utf8_slice_codeunits(texts["version"], len("HTTP/"))
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
    parts = (names, texts["ident"], texts["referer"], texts["version"])
    columns["extra"] = extra_map(dict(zip(_EXTRA, parts, strict=True)), rows)
    return columns


def _text(texts: pa.Array) -> pa.Array:
    absent = pc.or_(pc.equal(texts, "-"), pc.equal(texts, ""))
    return pc.if_else(absent, None, texts) if pc.any(absent).as_py() else texts
