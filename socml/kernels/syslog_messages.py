"""Where the messages of a block of syslog lie, and who wrote each → the template of each, and where its fields lie.

What a template says of a message is what `re` says of it; the fields are event columns or, in order, fields of
`extra`. A message that would take too long is left to the caller.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes
from socml.kernels.message_plan import (
    ADDRESS,
    COLUMNS,
    DATA,
    EXTRA,
    FACILITY,
    FIRST_ADDRESS,
    MESSAGE_ID,
    PORT,
    PORTS,
    REPEATED,
    SOURCE_NAME,
    Layout,
    Plan,
    plan_of,
)
from socml.kernels.pattern_machine import GAVE_UP, NO_MATCH, Room, match, room
from socml.kernels.pattern_programs import Steps, compiled
from socml.kernels.written_addresses import address_at, port_at

__all__ = ["Fields", "Lines", "scan_messages", "warm"]

Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]
Extra = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]  # keys, and where their values lie
LONGEST = 4096  # bytes; a longer message is no template's
_NONE = -1


class Lines(NamedTuple):
    """The lines of a block, one row each.

    Attributes
    ----------
    plain : whether to look at the line at all
    starts, ends : shape (n_lines, 3); where the message, the message id and the structured data lie
    which : the set of templates of the program that wrote it
    facility : shape (n_lines, 2); where the text of its facility begins and ends; -1 for none
    """

    plain: NDArray[np.bool_]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    which: NDArray[np.int32]
    facility: NDArray[np.int32]


class Fields(NamedTuple):
    """What was found: one row a line, but for the fields of `extra`, which follow one another.

    Attributes
    ----------
    template : -1 for none; that of a failure, where `fails_with` says so, comes after all templates
    starts, ends : shape (n_lines, len(COLUMNS)); -1 where there is none
    ports : shape (n_lines, 2); -1 where there is none
    offsets : shape (n_lines + 1,); where the fields of a line begin in the three that follow
    key, value_starts, value_ends
    """

    template: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    ports: NDArray[np.int32]
    offsets: NDArray[np.int32]
    key: NDArray[np.int32]
    value_starts: NDArray[np.int32]
    value_ends: NDArray[np.int32]


def scan_messages(data: Bytes, plan: Plan, lines: Lines) -> Fields:
    """Return what the messages of the plain lines say; a line is plain no longer if its message takes too long."""
    rows = len(lines.plain)
    found = Fields(
        template=np.full(rows, _NONE, np.int32),
        starts=np.full((rows, len(COLUMNS)), _NONE, np.int32),
        ends=np.full((rows, len(COLUMNS)), _NONE, np.int32),
        ports=np.full((rows, len(PORTS)), _NONE, np.int32),
        offsets=np.zeros(rows + 1, np.int32),
        key=np.empty(rows * plan.width, np.int32),
        value_starts=np.empty(rows * plan.width, np.int32),
        value_ends=np.empty(rows * plan.width, np.int32),
    )
    _scan(data, plan.steps, plan.layout, lines, found, room())
    return found


def warm() -> None:
    """Compile."""
    plan = plan_of(compiled([re.compile(f"(?P<user_name>{letter})") for letter in "abc"]), [[0]], {})
    places, one = np.zeros((1, 3), np.int32), np.zeros(1, np.int32)
    lines = Lines(np.zeros(1, np.bool_), places, places, one, np.zeros((1, 2), np.int32))
    scan_messages(np.frombuffer(b"a", np.uint8), plan, lines)


@njit(cache=True, nogil=True)
def _scan(data: Bytes, steps: Steps, layout: Layout, lines: Lines, found: Fields, work: Room) -> None:
    code, sets, texts, patterns, saves, stack = (
        steps.code,
        steps.sets,
        steps.texts,
        steps.starts,
        work.saves,
        work.stack,
    )
    groups, first_group, fails_with = layout.groups, layout.first_group, layout.fails_with
    begins, stops, ports, extra = (
        found.starts,
        found.ends,
        found.ports,
        (found.key, found.value_starts, found.value_ends),
    )
    repetitions = patterns[len(fails_with) :]
    plain, starts, ends, which, facility = lines.plain, lines.starts, lines.ends, lines.which, lines.facility
    offsets, templates, all_tried, first_tried = found.offsets, found.template, layout.tried, layout.first_tried
    for row in range(len(plain)):
        count = offsets[row]
        template = GAVE_UP
        if plain[row]:
            at, end = _trimmed(data, starts[row, 0], ends[row, 0])
            repeated = _repeated(code, sets, texts, repetitions, data, at, end, saves, stack)
            if repeated > 0:
                count = _add(extra, count, REPEATED, saves[2], saves[3])
                if repeated == 2:
                    at, end = saves[4], saves[5]
            if repeated >= 0:
                first, last = _candidates(data, at, end, first_tried, which[row])
                template = _template(code, sets, texts, patterns, all_tried, first, last, data, at, end, saves, stack)
            plain[row] = template != GAVE_UP
            count = count if plain[row] else offsets[row]
        if template >= 0:
            before = count
            count = _take(
                data,
                groups,
                first_group[template],
                first_group[template + 1],
                saves,
                begins,
                stops,
                ports,
                row,
                extra,
                count,
            )
            fails = _has_key(extra[0], before, count, fails_with[template])
            templates[row] = template + (len(fails_with) if fails else 0)
        if template != GAVE_UP:
            count = _take_header(facility, starts, ends, row, extra, count)
        offsets[row + 1] = count


@njit(cache=True, nogil=True, forceinline=True)
def _add(extra: Extra, count: int, key: int, start: int, end: int) -> int:
    """Write down a field of `extra`; return how many there are now."""
    extra[0][count], extra[1][count], extra[2][count] = key, start, end
    return count + 1


@njit(cache=True, nogil=True, forceinline=True)
def _has_key(keys: Ints, at: int, end: int, key: int) -> bool:
    """Return whether one of the keys from `at` to `end` is `key`; -1 is none."""
    while at < end and (keys[at] != key or key < 0):
        at += 1
    return at < end


@njit(cache=True, nogil=True, forceinline=True)
def _trimmed(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a message lies, without the spaces at its end; what is not there is empty."""
    at, end = max(at, 0), max(end, 0)
    while end > at and data[end - 1] == 32:
        end -= 1
    return at, end


@njit(cache=True, nogil=True, forceinline=True)
def _repeated(
    code: Ints, sets: Flags, texts: Bytes, patterns: Ints, data: Bytes, at: int, end: int, saves: Ints, stack: Ints
) -> int:
    """Return 2 for 'message repeated …', 1 for 'last message repeated …', 0 for neither; GAVE_UP after too long."""
    if end - at < 22 or (data[at] != 109 and data[at] != 108):
        return 0
    is_last = data[at] == 108
    after = match(code, sets, texts, patterns[1 if is_last else 0], data, at, end, saves, stack)
    if after < 0:
        return 0 if after == NO_MATCH else GAVE_UP
    return 1 if is_last else 2


@njit(cache=True, nogil=True, forceinline=True)
def _candidates(data: Bytes, at: int, end: int, first_tried: Ints, which: int) -> tuple[int, int]:
    """Return where the templates begin and end that a message may be, by its first byte."""
    byte = np.int64(data[at]) if at < end else 256
    first, last = first_tried[which, byte], first_tried[which, byte + 1]
    return first, last if end - at <= LONGEST else first


@njit(cache=True, nogil=True, forceinline=True)
def _template(
    code: Ints, sets: Flags, texts: Bytes, patterns: Ints, tried: Ints, first: int, last: int, data: Bytes, at: int,
    end: int, saves: Ints, stack: Ints,
) -> int:  # fmt: skip
    """Return the first template that fits; NO_MATCH, or GAVE_UP after too long."""
    for i in range(first, last):
        after = match(code, sets, texts, patterns[tried[i]], data, at, end, saves, stack)
        if after != NO_MATCH:
            return tried[i] if after >= 0 else GAVE_UP
    return NO_MATCH


@njit(cache=True, nogil=True, forceinline=True)
def _take(
    data: Bytes, groups: Ints, first: int, last: int, saves: Ints, begins: Ints, stops: Ints, ports: Ints, row: int,
    extra: Extra, count: int,
) -> int:  # fmt: skip
    """Write down what a template's groups hold; return how many fields of `extra` there are now."""
    for g in range(first, last):
        kind, place = groups[g, 0], groups[g, 1]
        begin, stop = saves[2 * groups[g, 2]], saves[2 * groups[g, 2] + 1]
        if begin < 0 or stop <= begin:
            continue
        address = address_at(data, begin, stop) if kind == ADDRESS else begin
        if kind == PORT:
            ports[row, place] = port_at(data, begin, stop)
        elif kind == EXTRA:
            count = _add(extra, count, place, begin, stop)
        elif address >= 0:
            begins[row, place], stops[row, place] = address, stop
        else:  # a host's name, which is no address
            count = _add(extra, count, SOURCE_NAME + place - FIRST_ADDRESS, begin, stop)
    return count


@njit(cache=True, nogil=True, forceinline=True)
def _take_header(facility: Ints, starts: Ints, ends: Ints, row: int, extra: Extra, count: int) -> int:
    """Write down what the header says beside the columns; return how many fields of `extra` there are now."""
    if facility[row, 0] >= 0:
        count = _add(extra, count, FACILITY, facility[row, 0], facility[row, 1])
    for field, key in ((1, MESSAGE_ID), (2, DATA)):
        if starts[row, field] >= 0:
            count = _add(extra, count, key, starts[row, field], ends[row, field])
    return count
