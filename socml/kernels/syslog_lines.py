"""The bytes of a block of syslog → where the fields of each plain line lie, and the time as it is written.

A line is plain if it is printable ASCII, begins with a header of RFC 3164, RFC 3339 or RFC 5424, and its time exists
in any year. All others are left to the caller. What is said of a plain line is what the patterns of the reader say.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes, Whole
from socml.kernels.byte_masks import AT_ONCE, find_byte
from socml.kernels.pattern_machine import GAVE_UP, NO_MATCH, Room, match, room
from socml.kernels.pattern_programs import Programs, Steps, compiled
from socml.kernels.pointers import pointer_to
from socml.kernels.pooled_memory import pooled
from socml.kernels.syslog_times import LOCAL, NO_TIME, UTC, YEARLESS, digits, stamp_time, written_time

__all__ = ["FIELDS", "LOCAL", "UTC", "YEARLESS", "Headers", "scan_headers", "warm"]

Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]
FIELDS = ("line", "host", "program", "message", "message_id", "data")  # the last three are handed on together
_LINE, _HOST, _PROGRAM, _MESSAGE, _MESSAGE_ID, _DATA = range(6)
_GROUPS = (
    "priority", "month", "day", "year", "clock", "fraction", "stamp", "host", "tag", "pid", "bare_tag", "message",
    "message_id", "data",
)  # fmt: skip
(_G_PRIORITY, _G_MONTH, _G_DAY, _G_YEAR, _G_CLOCK, _G_FRACTION, _G_STAMP, _G_HOST, _G_TAG, _G_PID, _G_BARE, _G_MESSAGE,
 _G_ID, _G_DATA) = range(14)  # fmt: skip
_PLACES = ((_G_HOST, _HOST), (_G_MESSAGE, _MESSAGE), (_G_ID, _MESSAGE_ID), (_G_DATA, _DATA))
_RFC3164, _RFC3339, _RFC5424 = range(3)
_IN_TURN = (_RFC5424, _RFC3164, _RFC3339)  # of a line that begins with a priority
_NONE = -1


class Headers(NamedTuple):
    """The lines of a block: all arrays have one row a line; but for the first two they mean nothing if it is not plain.

    Attributes
    ----------
    line_ends : where each line ends: at its line end
    starts, ends : shape (n_lines, len(FIELDS)); where a field lies in the block; -1 where the line has none
    kind : what `micros` counts from: YEARLESS, the day's begin; LOCAL, 1970 in the file's zone; UTC, 1970
    month, day : of a YEARLESS line; the 29th of February is taken as it is
    priority, pid : -1 where the line has none
    """

    plain: NDArray[np.bool_]
    line_ends: NDArray[np.int64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    kind: NDArray[np.uint8]
    month: NDArray[np.uint8]
    day: NDArray[np.uint8]
    micros: NDArray[np.int64]
    priority: NDArray[np.int32]
    pid: NDArray[np.int64]


def scan_headers(data: NDArray[np.uint8], programs: Programs) -> Headers:
    """Return where the fields of the lines of `data` lie.

    Parameters
    ----------
    programs : the patterns of RFC 3164, RFC 3339 and RFC 5424, in this order, with the reader's group names
    """
    lines = int(np.count_nonzero(data == 10) + (len(data) > 0 and data[-1] != 10))
    slots = np.array([[2 * groups.get(name, 0) for name in _GROUPS] for groups in programs.groups], np.int32)
    found = Headers(
        plain=pooled(lines, np.bool_),
        line_ends=pooled(lines, np.int64),
        starts=pooled((lines, len(FIELDS)), np.int32),
        ends=pooled((lines, len(FIELDS)), np.int32),
        kind=pooled(lines, np.uint8),
        month=pooled(lines, np.uint8),
        day=pooled(lines, np.uint8),
        micros=pooled(lines, np.int64),
        priority=pooled(lines, np.int32),
        pid=pooled(lines, np.int64),
    )
    _scan(data, programs.steps, slots, found, room())
    return found


def warm() -> None:
    """Compile."""
    scan_headers(np.frombuffer(b"a", np.uint8), compiled([re.compile("b")] * 3))


@njit(cache=True, nogil=True)
def _scan(data: Bytes, steps: Steps, slots: Ints, found: Headers, work: Room) -> None:
    plain, line_ends, starts, ends = found.plain, found.line_ends, found.starts, found.ends
    kind, month, day, micros = found.kind, found.month, found.day, found.micros
    priority, pid, saves = found.priority, found.pid, work.saves
    code, sets, texts, patterns, stack = steps.code, steps.sets, steps.texts, steps.starts, work.stack
    begin, source, last = 0, pointer_to(data), len(data) - AT_ONCE
    for row in range(len(plain)):
        end = line_ends[row] = find_byte(source, begin, len(data), last, 10)
        following = end + 1
        for field in range(len(FIELDS)):
            starts[row, field] = ends[row, field] = _NONE
        plain[row], kind[row], month[row], day[row], micros[row] = False, 0, 0, 0, 0
        priority[row] = pid[row] = _NONE
        if end > begin and data[end - 1] == 13:
            end -= 1
        if end > begin and _is_printable(data, begin, end):
            which = _header(data, begin, end, code, sets, texts, patterns, slots, saves, stack)
            if which >= 0:
                starts[row, _LINE], ends[row, _LINE] = begin, end
                _take_fields(data, saves, slots[which], starts[row], ends[row])
                priority[row], pid[row] = _numbers(data, saves, slots[which])
                micros[row], kind[row], month[row], day[row] = _time(data, saves, slots[which])
                plain[row] = micros[row] != NO_TIME and not _is_solaris(data, starts[row], ends[row])
        begin = following


@njit(cache=True, nogil=True, forceinline=True)
def _is_printable(data: Bytes, begin: int, end: int) -> bool:
    """Return whether all is ASCII from space to tilde."""
    odd = np.uint8(0)
    for i in range(begin, end):
        c = data[i]
        odd |= np.uint8(c < 32) | np.uint8(c > 126)  # no branch: sixteen bytes at a time
    return bool(odd == 0)


@njit(cache=True, nogil=True)
def _header(
    data: Bytes, begin: int, end: int, code: Ints, sets: Flags, texts: Bytes, patterns: Ints, slots: Ints, saves: Ints,
    stack: Ints,
) -> int:  # fmt: skip
    """Return which header a line has; -1 for none, or one that takes too long."""
    first = data[begin]
    if first != 60 and not 48 <= first <= 57 and _usual(data, begin, end, saves, slots[_RFC3164]):
        return _RFC3164
    for i in range(len(_IN_TURN)):
        which = _IN_TURN[i]
        if first != 60 and which != (_RFC3339 if 48 <= first <= 57 else _RFC3164):
            continue
        after = match(code, sets, texts, patterns[which], data, begin, end, saves, stack)
        if after != NO_MATCH:
            return _NONE if after == GAVE_UP else which
    return _NONE


@njit(cache=True, nogil=True, forceinline=True)
def _usual(data: Bytes, begin: int, end: int, saves: Ints, slots: Ints) -> bool:
    """Read 'Mar  7 13:06:56 host program[1]: message', the usual header; return whether it is one.

    A short cut: says what the pattern says, and nothing of a line that is written in any other way.
    """
    if end - begin < 20 or not _usual_time(data, begin):
        return False
    host = begin + 16
    after = _token(data, host, end, 32)
    if after == host or after >= end or data[after] != 32 or data[after - 1] == 58:
        return False
    tag = after
    while tag < end and data[tag] == 32:
        tag += 1
    stop = _token(data, tag, end, 58)
    pid_end, colon = _pid(data, stop, end)
    if stop == tag or colon < 0:
        return False
    saves[:] = _NONE
    message = colon + 1 + (colon + 1 < end and data[colon + 1] == 32)
    day = begin + 4 + (data[begin + 4] == 32)
    for group, first, last in (
        (_G_MONTH, begin, begin + 3), (_G_DAY, day, begin + 6), (_G_CLOCK, begin + 7, begin + 15),
        (_G_HOST, host, after), (_G_TAG, tag, stop), (_G_MESSAGE, message, end),
    ):  # fmt: skip
        saves[slots[group]], saves[slots[group] + 1] = first, last
    if pid_end >= 0:
        saves[slots[_G_PID]], saves[slots[_G_PID] + 1] = stop + 1, pid_end
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _usual_time(data: Bytes, at: int) -> bool:
    """Return whether 'Mar  7 13:06:56 ' may stand here, digits and letters in their places."""
    fits = (
        data[at + 3] == 32 and data[at + 6] == 32 and data[at + 9] == 58 and data[at + 12] == 58 and data[at + 15] == 32
    )
    for i in (5, 7, 8, 10, 11, 13, 14):
        fits = fits and 48 <= data[at + i] <= 57
    fits = fits and (data[at + 4] == 32 or 48 <= data[at + 4] <= 57)
    return bool(fits and 65 <= data[at] <= 90 and 97 <= data[at + 1] <= 122 and 97 <= data[at + 2] <= 122)


@njit(cache=True, nogil=True, forceinline=True)
def _token(data: Bytes, at: int, end: int, also: int) -> int:
    """Return where the first space, bracket or `also` stands."""
    while at < end and data[at] != 32 and data[at] != 91 and data[at] != 93 and data[at] != also:
        at += 1
    return at


@njit(cache=True, nogil=True, forceinline=True)
def _pid(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read '[12]:' or ':'; return where the number ends, -1 if there is none, and where the colon stands."""
    if at >= end or data[at] == 58:
        return _NONE, at if at < end else _NONE
    last = at + 1
    while last < end and 48 <= data[last] <= 57:
        last += 1
    if data[at] == 91 and last > at + 1 and last + 1 < end and data[last] == 93 and data[last + 1] == 58:
        return last, last + 1
    return _NONE, _NONE


@njit(cache=True, nogil=True, forceinline=True)
def _take_fields(data: Bytes, saves: Ints, slots: Ints, start: Ints, stop: Ints) -> None:
    """Write down host, program, message, and what RFC 5424 has besides; there a dash is nothing."""
    is_new = slots[_G_DATA] > 0
    for group, field in _PLACES:
        slot = slots[group]
        first, last = saves[slot], saves[slot + 1]
        may_be_dash = is_new and field != _MESSAGE
        if slot > 0 and last > first >= 0 and not (may_be_dash and _is_dash(data, first, last)):
            start[field], stop[field] = first, last
    while is_new and start[_MESSAGE] >= 0 and data[start[_MESSAGE]] == 32:
        start[_MESSAGE] += 1
        if start[_MESSAGE] == stop[_MESSAGE]:
            start[_MESSAGE] = stop[_MESSAGE] = _NONE
    slot = slots[_G_BARE] if saves[slots[_G_TAG]] < 0 and slots[_G_BARE] > 0 else slots[_G_TAG]
    first, last = saves[slot], saves[slot + 1]
    if first < 0 or (is_new and _is_dash(data, first, last)):
        return
    for at in range(first, last):
        if data[at] == 47:  # a folder before the program
            first = at + 1
    if first < last:
        start[_PROGRAM], stop[_PROGRAM] = first, last


@njit(cache=True, nogil=True, forceinline=True)
def _is_dash(data: Bytes, at: int, end: int) -> bool:
    return bool(end - at == 1 and data[at] == 45)


@njit(cache=True, nogil=True, forceinline=True)
def _is_solaris(data: Bytes, start: Ints, stop: Ints) -> bool:
    """Return whether the message begins with '[ID'."""
    at = start[_MESSAGE]
    return bool(stop[_MESSAGE] - at > 3 and data[at] == 91 and data[at + 1] == 73 and data[at + 2] == 68)


@njit(cache=True, nogil=True, forceinline=True)
def _numbers(data: Bytes, saves: Ints, slots: Ints) -> tuple[Whole, Whole]:
    """Return priority and process number, -1 for none."""
    priority: Whole = np.int64(-1)
    pid: Whole = np.int64(-1)
    first, last = saves[slots[_G_PID]], saves[slots[_G_PID] + 1]
    if first >= 0 and last - first < 19:
        pid = digits(data, first, last)
    slot = slots[_G_PRIORITY]
    if slot > 0 and saves[slot] >= 0:
        priority = digits(data, saves[slot], saves[slot + 1])
    return priority, pid


@njit(cache=True, nogil=True, forceinline=True)
def _time(data: Bytes, saves: Ints, slots: Ints) -> tuple[Whole, int, Whole, Whole]:
    """Return the microseconds, NO_TIME if there is no such time; what they count from; month and day, if need be."""
    slot = slots[_G_STAMP]
    if slot > 0:
        micros, kind = stamp_time(data, saves[slot], saves[slot + 1])
        return micros, kind, np.int64(0), np.int64(0)
    day = digits(data, saves[slots[_G_DAY]], saves[slots[_G_DAY] + 1])
    slot, part = slots[_G_YEAR], slots[_G_FRACTION]
    year = digits(data, saves[slot], saves[slot + 1]) if saves[slot] >= 0 else np.int64(-1)
    month, micros = written_time(
        data, saves[slots[_G_MONTH]], day, year, saves[slots[_G_CLOCK]], saves[part], saves[part + 1]
    )
    return micros, YEARLESS if year < 0 else LOCAL, month, day
