"""The bytes of a web server's access log → where each field of each plain line lies, its time and its numbers.

A line is plain if it is printable ASCII without a backslash and has the common or combined layout, with or without
a virtual host in front. All others are left to the caller. Blind to nothing else: what it says of a plain line is
what a regular expression would say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import NO_TIME, Bytes, Whole, access_time, whole_number

__all__ = ["FIELDS", "Scanned", "scan", "warm"]

Ints = NDArray[np.integer[Any]]
FIELDS = ("vhost", "host", "ident", "user", "method", "url", "version", "referer", "agent", "rest", "line")
_VHOST, _HOST, _IDENT, _USER, _METHOD, _URL, _VERSION, _REFERER, _AGENT, _REST, _LINE = range(11)
NAME, IPV4, MAYBE_IPV6 = 0, 1, 2  # what a host looks like
_NONE = -1


@dataclass(frozen=True)
class Scanned:
    """The lines of a block: all arrays have one row a line, and mean nothing where `plain` is false.

    Attributes
    ----------
    starts, ends : shape (n_lines, len(FIELDS)); where a field lies in the block; -1 where the line has none
    micros : since 1970, UTC
    status, size, port : -1 where the line has none; `port` is the virtual host's
    host_kind : NAME, IPV4 or MAYBE_IPV6
    """

    plain: NDArray[np.bool_]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    micros: NDArray[np.int64]
    status: NDArray[np.int32]
    size: NDArray[np.int64]
    port: NDArray[np.int32]
    host_kind: NDArray[np.uint8]


def scan(block: bytes) -> Scanned:
    """Return where the fields of the lines of `block` lie.

    Examples
    --------
    >>> line = b'::1 - ann [29/Feb/2024:13:06:56 +0100] "GET /a HTTP/1.1" 200 12'
    >>> found = scan(line)
    >>> bool(found.plain[0]), int(found.micros[0]) // 1_000_000, int(found.status[0]), int(found.size[0])
    (True, 1709208416, 200, 12)
    >>> line[found.starts[0, 5]:found.ends[0, 5]]
    b'/a'
    """
    data = np.frombuffer(block, np.uint8)
    line_ends = np.flatnonzero(data == 10)
    if block and not block.endswith(b"\n"):
        line_ends = np.append(line_ends, len(data))
    lines = len(line_ends)
    found = Scanned(
        plain=np.zeros(lines, np.bool_),
        starts=np.full((lines, len(FIELDS)), _NONE, np.int32),
        ends=np.full((lines, len(FIELDS)), _NONE, np.int32),
        micros=np.zeros(lines, np.int64),
        status=np.full(lines, _NONE, np.int32),
        size=np.full(lines, _NONE, np.int64),
        port=np.full(lines, _NONE, np.int32),
        host_kind=np.zeros(lines, np.uint8),
    )
    _scan(
        data,
        line_ends,
        found.plain,
        found.starts,
        found.ends,
        found.micros,
        found.status,
        found.size,
        found.port,
        found.host_kind,
    )
    return found


def warm() -> None:
    """Compile."""
    scan(b"")


@njit(cache=True, nogil=True)
def _scan(
    data: Bytes,
    line_ends: Ints,
    plain: NDArray[np.bool_],
    starts: Ints,
    ends: Ints,
    micros: Ints,
    status: Ints,
    size: Ints,
    port: Ints,
    host_kind: Bytes,
) -> None:
    begin = 0
    for row in range(len(plain)):
        end = line_ends[row]
        following = end + 1
        if end > begin and data[end - 1] == 13:
            end -= 1
        if end > begin and _is_printable(data, begin, end):
            starts[row, _LINE], ends[row, _LINE] = begin, end
            after = _who(data, begin, end, starts[row], ends[row], port, row)
            when = access_time(data, after, end) if after > 0 else NO_TIME
            if when != NO_TIME:
                micros[row] = when
                plain[row] = _what(data, after + 28, end, starts[row], ends[row], status, size, row)
                host_kind[row] = _kind(data, starts[row, _HOST], ends[row, _HOST])
        begin = following


@njit(cache=True, nogil=True)
def _is_printable(data: Bytes, begin: int, end: int) -> bool:
    """Return whether all is ASCII from space to tilde, and no backslash."""
    odd = np.uint8(0)
    for i in range(begin, end):
        c = data[i]
        odd |= np.uint8(c < 32) | np.uint8(c > 126) | np.uint8(c == 92)  # no branch: sixteen bytes at a time
    return bool(odd == 0)


@njit(cache=True, nogil=True)
def _who(data: Bytes, at: int, end: int, start: Ints, stop: Ints, port: Ints, row: int) -> int:
    """Read [vhost:port] host ident user; return where the time's bracket stands, 0 if the line is not plain."""
    count = 0
    token = np.zeros(8, np.int64)  # begin and end of up to 4
    while at < end and data[at] != 91:
        if count == 4 or data[at] == 32 or data[at] == 34:
            return 0
        token[2 * count] = at
        while at < end and data[at] != 32:
            at += 1
        token[2 * count + 1] = at
        count += 1
        at += 1
    if count < 3 or at >= end or (count == 4 and not _virtual_host(data, token[0], token[1], start, stop, port, row)):
        return 0
    for i in range(3):
        first, last = token[2 * (count - 3 + i)], token[2 * (count - 3 + i) + 1]
        if last - first != 1 or data[first] != 45:
            start[_HOST + i], stop[_HOST + i] = first, last
    return at if start[_HOST] >= 0 else 0


@njit(cache=True, nogil=True)
def _virtual_host(data: Bytes, begin: int, end: int, start: Ints, stop: Ints, port: Ints, row: int) -> bool:
    """Read 'www.example.org:443'; return whether it fits."""
    colon = begin
    while colon < end and data[colon] != 58:
        if data[colon] == 91 or data[colon] == 93:
            return False
        colon += 1
    number, after = whole_number(data, colon + 1, end)
    start[_VHOST], stop[_VHOST], port[row] = begin, colon, number
    return bool(colon > begin and after == end and 0 <= number <= 65535 and after - colon <= 6)


@njit(cache=True, nogil=True)
def _what(data: Bytes, at: int, end: int, start: Ints, stop: Ints, status: Ints, size: Ints, row: int) -> bool:
    """Read ' "request" status size ["referer" "agent"] [rest]'; return whether it fits."""
    close = _closing(data, at, end)
    if close < 0 or not _request(data, at + 2, close, start, stop):
        return False
    at, status[row] = _number_or_dash(data, close + 1, end)
    if at < 0 or (status[row] >= 0 and at - close != 5):
        return False
    at, size[row] = _number_or_dash(data, at, end)
    if at + 1 < end and at > 0 and data[at] == 32 and data[at + 1] == 34:
        at = _quoted(data, _quoted(data, at, end, _REFERER, start, stop), end, _AGENT, start, stop)
    if at < 0 or at == end:
        return at == end
    start[_REST], stop[_REST] = at + 1, end
    return data[at] == 32 and at + 1 < end


@njit(cache=True, nogil=True)
def _number_or_dash(data: Bytes, at: int, end: int) -> tuple[int, Whole]:
    """Read ' 200' or ' -'; return where it ends, and the number or -1. -1 for where if it is neither."""
    if at + 1 >= end or data[at] != 32:
        return -1, np.int64(-1)
    if data[at + 1] == 45:
        return at + 2, np.int64(-1)
    number, after = whole_number(data, at + 1, end)
    return (after if number >= 0 else -1), number


@njit(cache=True, nogil=True)
def _quoted(data: Bytes, at: int, end: int, field: int, start: Ints, stop: Ints) -> int:
    """Read ' "text"'; return where it ends, -1 if it does not fit."""
    close = _closing(data, at, end) if at > 0 else -1
    if close > at + 2 and not (close == at + 3 and data[at + 2] == 45):
        start[field], stop[field] = at + 2, close
    return close + 1 if close > 0 else -1


@njit(cache=True, nogil=True)
def _request(data: Bytes, begin: int, end: int, start: Ints, stop: Ints) -> bool:
    """Read 'METHOD url HTTP/1.1'; return whether it fits."""
    at = begin
    while at < end and (65 <= data[at] <= 90 or 97 <= data[at] <= 122 or data[at] == 45 or data[at] == 95):
        at += 1
    last = end - 1
    while last > at and (48 <= data[last] <= 57 or data[last] == 46):
        last -= 1
    # last is now the slash of HTTP/
    if at == begin or last < at + 7 or last == end - 1 or data[at] != 32:
        return False
    if not (data[last] == 47 and data[last - 1] == 80 and data[last - 2] == 84):
        return False
    if not (data[last - 3] == 84 and data[last - 4] == 72 and data[last - 5] == 32):
        return False
    start[_METHOD], stop[_METHOD] = begin, at
    start[_URL], stop[_URL] = at + 1, last - 5
    start[_VERSION], stop[_VERSION] = last + 1, end
    return True


@njit(cache=True, nogil=True)
def _closing(data: Bytes, at: int, end: int) -> int:
    """Return where the quote ends that begins after the space at `at`; -1 if it is not there."""
    if at + 2 >= end or data[at] != 32 or data[at + 1] != 34:
        return -1
    at += 2
    while at < end and data[at] != 34:
        at += 1
    return at if at < end else -1


@njit(cache=True, nogil=True)
def _kind(data: Bytes, at: int, end: int) -> int:
    octets, number, digits = 0, 0, 0
    fits = True
    for i in range(at, end + 1):
        c = data[i] if i < end else 46
        if c == 58:
            return MAYBE_IPV6
        if c == 46:
            fits &= digits > 0 and number <= 255
            octets, number, digits = octets + 1, 0, 0
        else:
            fits &= 48 <= c <= 57 and digits < 3 and not (digits == 1 and number == 0)
            number, digits = number * 10 + (c - 48), digits + 1
            if digits > 3:
                number = 999
    return IPV4 if fits and octets == 4 else NAME
