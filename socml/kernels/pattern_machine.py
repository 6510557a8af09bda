"""A program of `pattern_programs` and a stretch of bytes → whether it matches there, and where its groups lie.

The backtracking of `re`, choice by choice, with one short cut: a repeated byte stops only where what follows may
begin. For bytes of printable ASCII.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes
from socml.kernels.pattern_programs import (
    AT_END,
    END,
    GREEDY,
    JUMP,
    LAZY,
    MATCH,
    SAVE,
    SET,
    SPLIT,
    TEXT,
    UNLESS,
    Programs,
)
from socml.kernels.pattern_programs import compiled as _compiled
from socml.kernels.pointers import pointer_to

__all__ = ["GAVE_UP", "NO_MATCH", "Room", "groups_of", "match", "room", "warm"]

Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]
NO_MATCH, GAVE_UP = -1, -2
_SLOTS = 32  # two a group, and two that are not used
_OPEN = 4096  # choices at the same time; a text that needs more is given up
_BYTES = 257  # of a set: 256, and AT_END
_STEPS = 20_000  # of one match; a text that needs more is given up
_BRANCH, _RESTORE, _SHORTER, _LONGER = range(4)  # what to do on the way back


class Room(NamedTuple):
    """Where the machine works: group g lies from `saves[2 * g]` to `saves[2 * g + 1]`, or is -1."""

    saves: NDArray[np.int32]
    stack: NDArray[np.int32]


def room() -> Room:
    """Return room for one thread."""
    return Room(np.full(_SLOTS, -1, np.int32), np.zeros((_OPEN, 4), np.int32))


def groups_of(programs: Programs, number: int, text: bytes) -> dict[str, bytes | None] | None:
    """Return the groups of pattern `number` at the begin of `text`; None if it does not match.

    Raises
    ------
    RecursionError
        If that would take too long.

    Examples
    --------
    >>> import re
    >>> groups_of(_compiled([re.compile("user (?P<name>.*) from (?P<ip>.+)")]), 0, b"user a from b from ::1")
    {'name': b'a from b', 'ip': b'::1'}
    """
    steps, work, data = programs.steps, room(), np.frombuffer(text or b"\0", np.uint8)
    start = int(steps.starts[number])
    end = match(steps.code, steps.sets, steps.texts, start, data, 0, len(text), work.saves, work.stack)
    if end == GAVE_UP:
        raise RecursionError("too many choices")
    if end == NO_MATCH:
        return None
    spans = {name: work.saves[2 * group : 2 * group + 2].tolist() for name, group in programs.groups[number].items()}
    return {name: text[begin:stop] if begin >= 0 else None for name, (begin, stop) in spans.items()}


def warm() -> None:
    """Compile."""
    import re

    groups_of(_compiled([re.compile("a")]), 0, b"a")


@njit(cache=True, nogil=True, forceinline=True)
def match(  # noqa: C901, PLR0912, PLR0915  one loop: with a function a step it takes three times as long
    code: Ints, sets: Flags, texts: Bytes, step: int, data: Bytes, at: int, end: int, saves: Ints, stack: Ints
) -> int:
    """Return where the match ends of a pattern, whose begin is `step`, at `at`; NO_MATCH, or GAVE_UP after too long.

    Where group g lies is then in `saves`, at 2g and 2g + 1. `stack` is what to work in.
    """
    saves[:] = -1
    program, width, members, letters = (
        pointer_to(code),
        code.shape[1],
        pointer_to(sets.view(np.uint8)),
        pointer_to(texts),
    )
    source, kept, held, top = pointer_to(data), pointer_to(saves), pointer_to(stack), 0
    for _ in range(_STEPS):
        kind = program[step * width + 0]
        first = program[step * width + 1]
        fits = True
        if kind == TEXT:
            length = program[step * width + 2]
            fits = at + length <= end and _is_text(source, at, letters, first, length)
            at += length
            step += 1
        elif GREEDY <= kind <= LAZY:
            follows = program[step * width + 4]
            low = at + program[step * width + 2]
            high = min(end, at + program[step * width + 3])
            fits = low <= high
            reach = high
            if fits and (first != 0 or kind == LAZY):
                reach = _reach(members, first, source, at, low if kind == LAZY else high)
                fits = reach >= low
            if fits and top + 1 >= len(stack):
                return GAVE_UP
            if fits and kind == GREEDY:
                at = _back(members, follows, source, low, reach, end)
                fits = at >= 0
                if fits and at > low:
                    held[4 * top + 0], held[4 * top + 1], held[4 * top + 2], held[4 * top + 3] = (
                        _SHORTER,
                        step,
                        low,
                        at - 1,
                    )
                    top += 1
            elif fits:
                at = _on(members, first, follows, source, low, high, end)
                fits = at >= 0
                if fits and at < high:
                    held[4 * top + 0], held[4 * top + 1], held[4 * top + 2], held[4 * top + 3] = _LONGER, step, at, high
                    top += 1
            step += 1
        elif kind == SAVE:
            if top > 0:
                if top + 1 >= len(stack):
                    return GAVE_UP
                held[4 * top + 0], held[4 * top + 1], held[4 * top + 2] = _RESTORE, first, kept[first]
                top += 1
            kept[first] = at
            step += 1
        elif kind == SPLIT:
            if top + 1 >= len(stack):
                return GAVE_UP
            held[4 * top + 0], held[4 * top + 1], held[4 * top + 2] = _BRANCH, program[step * width + 2], at
            top += 1
            step = first
        elif kind == SET:
            fits = at < end and members[first * _BYTES + source[at]] != 0
            at += 1
            step += 1
        elif kind == JUMP:
            step = first
        elif kind == END:
            fits = at == end
            step += 1
        elif kind == UNLESS:
            length = program[step * width + 2]
            fits = not (at + length <= end and _is_text(source, at, letters, first, length))
            step += 1
        elif kind == MATCH:
            return at
        while not fits:
            if top == 0:
                return NO_MATCH
            top -= 1
            way, step, at = held[4 * top + 0], held[4 * top + 1], held[4 * top + 2]
            if way == _BRANCH:
                fits = True
            elif way == _RESTORE:
                kept[step] = at
            elif way == _SHORTER:
                low = at
                at = _back(members, program[step * width + 4], source, low, held[4 * top + 3], end)
                fits = at >= 0
                if fits and at > low:
                    held[4 * top + 3] = at - 1
                    top += 1
                step += 1
            else:
                high = held[4 * top + 3]
                if members[program[step * width + 1] * _BYTES + source[at]] != 0:
                    at = _on(members, program[step * width + 1], program[step * width + 4], source, at + 1, high, end)
                    fits = at >= 0
                    if fits and at < high:
                        held[4 * top + 2] = at
                        top += 1
                step += 1
    return GAVE_UP


@njit(cache=True, nogil=True, inline="always")
def _is_text(data: Any, at: int, texts: Any, first: int, length: int) -> bool:
    i = 0
    while i < length and data[at + i] == texts[first + i]:
        i += 1
    return i == length


@njit(cache=True, nogil=True, inline="always")
def _reach(sets: Any, which: int, data: Any, at: int, high: int) -> int:
    """Return how far the bytes from `at` are of the set, `high` at most."""
    while at < high and sets[which * _BYTES + data[at]] != 0:
        at += 1
    return at


@njit(cache=True, nogil=True, inline="always")
def _back(sets: Any, follows: int, data: Any, low: int, at: int, end: int) -> int:
    """Return the last place from `low` to `at` where what follows may begin; -1 if there is none."""
    while at >= low:
        if sets[follows * _BYTES + data[at]] != 0 if at < end else sets[follows * _BYTES + AT_END] != 0:
            return at
        at -= 1
    return -1


@njit(cache=True, nogil=True, inline="always")
def _on(sets: Any, which: int, follows: int, data: Any, at: int, high: int, end: int) -> int:
    """Return the first place from `at` to `high` where what follows may begin, over bytes of the set; -1 if none."""
    while True:
        if sets[follows * _BYTES + data[at]] != 0 if at < end else sets[follows * _BYTES + AT_END] != 0:
            return at
        if at >= high or sets[which * _BYTES + data[at]] == 0:
            return -1
        at += 1
