"""The bytes of a web server's access log → where each field of each plain line lies, its time and its numbers.

A line is plain if it is printable ASCII without a backslash and has the common or combined layout, with or without
a virtual host in front. All others are left to the caller. Blind to nothing else: what it says of a plain line is
what a regular expression would say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import NO_TIME, Bytes, Whole, access_time, minute_and_second, whole_number
from socml.kernels.byte_masks import AT_ONCE, find_byte, find_odd
from socml.kernels.pointers import pointer_to, word_at
from socml.kernels.pooled_memory import pooled

__all__ = ["FIELDS", "NUMBERS", "Scanned", "scan", "warm"]

Ints = NDArray[np.integer[Any]]
FIELDS = ("vhost", "address", "name", "ident", "user", "method", "url", "version", "referer", "agent", "rest", "line")
_VHOST, _ADDRESS, _NAME, _IDENT, _USER, _METHOD, _URL, _VERSION, _REFERER, _AGENT, _REST, _LINE = range(len(FIELDS))
NUMBERS = ("source_line", "time", "status", "size", "port", "maybe")
_ROW, _TIME, _STATUS, _SIZE, _PORT, _MAYBE = range(len(NUMBERS))
_NONE = -1
_SHORTEST = len(b'h - - [29/Feb/2024:13:06:56 +0100] "G / HTTP/1" - -\n')


@dataclass(frozen=True)
class Scanned:
    """The plain lines of a block, and where the others are.

    Attributes
    ----------
    starts, ends : shape (len(FIELDS), n_plain); where a field lies in the block; -1 where the line has none
    numbers : shape (len(NUMBERS), n_plain); -1 where the line has none. `source_line` counts from 0, `time` is in
        microseconds since 1970, `port` is the virtual host's, `maybe` says that the address may be one of IPv6, or none
    odd : shape (3, n_odd); line, begin and end
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    numbers: NDArray[np.int64]
    odd: NDArray[np.int64]


class _Place(NamedTuple):
    """Where the fields of a line are written: pointers, how many rows a column has, and which row it is."""

    starts: Any
    ends: Any
    numbers: Any
    rows: int
    row: int


def scan(block: bytes) -> Scanned:
    """Return where the fields of the lines of `block` lie.

    Examples
    --------
    >>> line = b'::1 - ann [29/Feb/2024:13:06:56 +0100] "GET /a HTTP/1.1" 200 12'
    >>> found = scan(line + b"\\nx")
    >>> dict(zip(NUMBERS, found.numbers[:, 0].tolist()))
    {'source_line': 0, 'time': 1709208416000000, 'status': 200, 'size': 12, 'port': -1, 'maybe': 1}
    >>> url = FIELDS.index("url")
    >>> line[found.starts[url, 0]:found.ends[url, 0]], found.odd.T.tolist()
    (b'/a', [[1, 64, 65]])
    """
    data = np.frombuffer(block, np.uint8)
    count = _count(data)
    rows = min(count, len(data) // _SHORTEST) + 1  # one more, for a line that turns out not to be plain
    starts, ends = pooled((len(FIELDS), rows), np.int32), pooled((len(FIELDS), rows), np.int32)
    numbers, odd, counts = pooled((len(NUMBERS), rows), np.int64), pooled((3, count), np.int64), np.zeros(2, np.int64)
    _scan(data, starts, ends, numbers, odd, counts)
    plain, others = counts.tolist()
    return Scanned(starts[:, :plain], ends[:, :plain], numbers[:, :plain], odd[:, :others])


def warm() -> None:
    """Compile."""
    scan(b"")


@njit(cache=True, nogil=True)
def _count(data: Bytes) -> int:
    """Return the number of lines."""
    source, size = pointer_to(data), len(data)
    at = count = 0
    while at < size:
        at = find_byte(source, at, size, size - AT_ONCE, 10) + 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def _scan(data: Bytes, starts: Ints, ends: Ints, numbers: Ints, odd: Ints, counts: Ints) -> None:
    source, size, last = pointer_to(data), len(data), len(data) - AT_ONCE
    start, stop, number, rows = pointer_to(starts), pointer_to(ends), pointer_to(numbers), starts.shape[1]
    memo = np.zeros(4, np.int64)
    at = line = row = others = 0
    while at < size:
        end = find_odd(source, at, size, last)
        after = end + (end < size and source[end] == 13)
        is_text = end > at and (after == size or source[after] == 10)
        if not is_text:
            after = find_byte(source, end, size, last, 10)
        if is_text and _line(source, at, end, last, _Place(start, stop, number, rows, row), memo):
            number[_ROW * rows + row] = line
            row += 1
        else:
            odd[0, others], odd[1, others], odd[2, others] = line, at, after
            others += 1
        at = after + 1
        line += 1
    counts[0], counts[1] = row, others


# Each of these is called from one place or two: all in one piece they take a quarter less time.
@njit(cache=True, nogil=True, forceinline=True)
def _line(source: Any, at: int, end: int, last: int, to: _Place, memo: Ints) -> bool:
    """Read a line of printable text; return whether it is plain."""
    for field in range(_LINE):
        to.starts[field * to.rows + to.row] = to.ends[field * to.rows + to.row] = _NONE
    to.numbers[_PORT * to.rows + to.row] = _NONE
    _put(to, _LINE, at, end)
    after = _who(source, at, end, last, to)
    when = _time(source, after, end, memo) if after > 0 else NO_TIME
    to.numbers[_TIME * to.rows + to.row] = when
    return bool(when != NO_TIME and _what(source, after + 28, end, last, to))


@njit(cache=True, nogil=True, forceinline=True)
def _put(to: _Place, field: int, start: int, end: int) -> None:
    to.starts[field * to.rows + to.row] = start
    to.ends[field * to.rows + to.row] = end


@njit(cache=True, nogil=True, forceinline=True)
def _who(source: Any, at: int, end: int, last: int, to: _Place) -> int:
    """Read [vhost:port] host ident user; return where the time's bracket stands, 0 if the line is not plain."""
    count = host = ident = user = 0  # where each begins; a blank is before the next
    begin = at
    while at < end and source[at] != 91:
        if count == 4 or source[at] == 32 or source[at] == 34:
            return 0
        host, ident, user = ident, user, at
        at = find_byte(source, at, end, last, 32) + 1
        count += 1
    if count < 3 or at + 28 > end or (count == 4 and not _virtual_host(source, begin, host - 1, to)):
        return 0
    if not _host(source, host, ident - 1, last, to):
        return 0
    _put_text(source, ident, user - 1, _IDENT, to)
    _put_text(source, user, at - 1, _USER, to)
    return at


@njit(cache=True, nogil=True, forceinline=True)
def _put_text(source: Any, start: int, end: int, field: int, to: _Place) -> None:
    """Note a text, unless it is a dash or nothing."""
    if end - start > 1 or (end > start and source[start] != 45):
        _put(to, field, start, end)


@njit(cache=True, nogil=True, forceinline=True)
def _host(source: Any, at: int, end: int, last: int, to: _Place) -> bool:
    """Note a host as an address or a name; return whether there is one."""
    if end - at == 1 and source[at] == 45:
        return False
    is_address = _is_ipv4(source, at, end)
    is_maybe = not is_address and find_byte(source, at, end, last, 58) < end
    to.numbers[_MAYBE * to.rows + to.row] = is_maybe
    _put(to, _ADDRESS if is_address or is_maybe else _NAME, at, end)
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _is_ipv4(source: Any, at: int, end: int) -> bool:
    """Return whether it is four numbers up to 255, without zeros before them."""
    for octet in range(4):
        number, after = whole_number(source, at, end)
        size = after - at
        if size < 1 or size > 3 or number > 255 or (size > 1 and source[at] == 48):
            return False
        at = after + 1
        if octet < 3 and (after >= end or source[after] != 46):
            return False
    return bool(at == end + 1)


@njit(cache=True, nogil=True, forceinline=True)
def _time(source: Any, at: int, end: int, memo: Ints) -> Whole:
    """Return `access_time`; of the hour that was the last one, in `memo`, only the minute and the second are read."""
    day, hour, zone = word_at(source, at), word_at(source, at + 8), word_at(source, at + 20) >> np.uint64(8)
    passed = minute_and_second(source, at + 16)
    if passed >= 0 and memo[0] == np.int64(day) and memo[1] == np.int64(hour) and memo[2] == np.int64(zone):
        return memo[3] + passed
    when = access_time(source, at, end)
    if when != NO_TIME:
        memo[0], memo[1], memo[2], memo[3] = np.int64(day), np.int64(hour), np.int64(zone), when - passed
    return when


@njit(cache=True, nogil=True, forceinline=True)
def _virtual_host(source: Any, begin: int, end: int, to: _Place) -> bool:
    """Read 'www.example.org:443'; return whether it fits."""
    colon = begin
    while colon < end and source[colon] != 58:
        if source[colon] == 91 or source[colon] == 93:
            return False
        colon += 1
    number, after = whole_number(source, colon + 1, end)
    _put(to, _VHOST, begin, colon)
    to.numbers[_PORT * to.rows + to.row] = number
    return bool(colon > begin and after == end and 0 <= number <= 65535 and after - colon <= 6)


@njit(cache=True, nogil=True, forceinline=True)
def _what(source: Any, at: int, end: int, last: int, to: _Place) -> bool:
    """Read ' "request" status size ["referer" "agent"] [rest]'; return whether it fits."""
    close = _closing(source, at, end, last)
    if close < 0 or not _request(source, at + 2, close, to):
        return False
    at, status = _number_or_dash(source, close + 1, end)
    if at < 0 or (status >= 0 and at - close != 5):
        return False
    at, size = _number_or_dash(source, at, end)
    to.numbers[_STATUS * to.rows + to.row], to.numbers[_SIZE * to.rows + to.row] = status, size
    if at + 1 < end and at > 0 and source[at] == 32 and source[at + 1] == 34:
        at = _quoted(source, _quoted(source, at, end, last, _REFERER, to), end, last, _AGENT, to)
    if at < 0 or at == end:
        return bool(at == end)
    _put(to, _REST, at + 1, end)
    return bool(source[at] == 32 and at + 1 < end)


@njit(cache=True, nogil=True, forceinline=True)
def _number_or_dash(source: Any, at: int, end: int) -> tuple[int, Whole]:
    """Read ' 200' or ' -'; return where it ends, and the number or -1. -1 for where if it is neither."""
    if at + 1 >= end or source[at] != 32:
        return -1, np.int64(-1)
    if source[at + 1] == 45:
        return at + 2, np.int64(-1)
    number, after = whole_number(source, at + 1, end)
    return (after if number >= 0 else -1), number


@njit(cache=True, nogil=True, forceinline=True)
def _quoted(source: Any, at: int, end: int, last: int, field: int, to: _Place) -> int:
    """Read ' "text"'; return where it ends, -1 if it does not fit."""
    close = _closing(source, at, end, last) if at > 0 else -1
    if close < 0:
        return -1
    _put_text(source, at + 2, close, field, to)
    return close + 1


@njit(cache=True, nogil=True, forceinline=True)
def _request(source: Any, begin: int, end: int, to: _Place) -> bool:
    """Read 'METHOD url HTTP/1.1'; return whether it fits."""
    at = begin
    while at < end and (65 <= source[at] <= 90 or 97 <= source[at] <= 122 or source[at] == 45 or source[at] == 95):
        at += 1
    slash = end - 1
    while slash > at and (48 <= source[slash] <= 57 or source[slash] == 46):
        slash -= 1
    if at == begin or slash < at + 7 or slash == end - 1 or source[at] != 32:
        return False
    if not (source[slash] == 47 and source[slash - 1] == 80 and source[slash - 2] == 84):
        return False
    if not (source[slash - 3] == 84 and source[slash - 4] == 72 and source[slash - 5] == 32):
        return False
    _put(to, _METHOD, begin, at)
    _put(to, _URL, at + 1, slash - 5)
    _put(to, _VERSION, slash + 1, end)
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _closing(source: Any, at: int, end: int, last: int) -> int:
    """Return where the quote ends that begins after the space at `at`; -1 if it is not there."""
    if at + 2 >= end or source[at] != 32 or source[at + 1] != 34:
        return -1
    at = find_byte(source, at + 2, end, last, 34)
    return at if at < end else -1
