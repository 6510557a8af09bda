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

__all__ = ["GAVE_UP", "NO_MATCH", "Room", "groups_of", "match", "room", "warm"]

Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]
NO_MATCH, GAVE_UP = -1, -2
_SLOTS = 32  # two a group, and two that are not used
_OPEN = 4096  # choices at the same time; a text that needs more is given up
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


@njit(cache=True, nogil=True)
def match(  # noqa: C901, PLR0912, PLR0915  one loop: with a function a step it takes three times as long
    code: Ints, sets: Flags, texts: Bytes, step: int, data: Bytes, at: int, end: int, saves: Ints, stack: Ints
) -> int:
    """Return where the match ends of a pattern, whose begin is `step`, at `at`; NO_MATCH, or GAVE_UP after too long.

    Where group g lies is then in `saves`, at 2g and 2g + 1. `stack` is what to work in.
    """
    saves[:] = -1
    top = 0
    for _ in range(_STEPS):
        kind = code[step, 0]
        first = code[step, 1]
        fits = True
        if kind == TEXT:
            length = code[step, 2]
            fits = at + length <= end and _is_text(data, at, texts, first, length)
            at += length
            step += 1
        elif GREEDY <= kind <= LAZY:
            follows = code[step, 4]
            low = at + code[step, 2]
            high = min(end, at + code[step, 3])
            fits = low <= high
            reach = high
            if fits and (first != 0 or kind == LAZY):
                reach = _reach(sets, first, data, at, low if kind == LAZY else high)
                fits = reach >= low
            if fits and top + 1 >= len(stack):
                return GAVE_UP
            if fits and kind == GREEDY:
                at = _back(sets, follows, data, low, reach, end)
                fits = at >= 0
                if fits and at > low:
                    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = _SHORTER, step, low, at - 1
                    top += 1
            elif fits:
                at = _on(sets, first, follows, data, low, high, end)
                fits = at >= 0
                if fits and at < high:
                    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = _LONGER, step, at, high
                    top += 1
            step += 1
        elif kind == SAVE:
            if top > 0:
                if top + 1 >= len(stack):
                    return GAVE_UP
                stack[top, 0], stack[top, 1], stack[top, 2] = _RESTORE, first, saves[first]
                top += 1
            saves[first] = at
            step += 1
        elif kind == SPLIT:
            if top + 1 >= len(stack):
                return GAVE_UP
            stack[top, 0], stack[top, 1], stack[top, 2] = _BRANCH, code[step, 2], at
            top += 1
            step = first
        elif kind == SET:
            fits = at < end and sets[first, data[at]]
            at += 1
            step += 1
        elif kind == JUMP:
            step = first
        elif kind == END:
            fits = at == end
            step += 1
        elif kind == UNLESS:
            length = code[step, 2]
            fits = not (at + length <= end and _is_text(data, at, texts, first, length))
            step += 1
        elif kind == MATCH:
            return at
        while not fits:
            if top == 0:
                return NO_MATCH
            top -= 1
            way, step, at = stack[top, 0], stack[top, 1], stack[top, 2]
            if way == _BRANCH:
                fits = True
            elif way == _RESTORE:
                saves[step] = at
            elif way == _SHORTER:
                low = at
                at = _back(sets, code[step, 4], data, low, stack[top, 3], end)
                fits = at >= 0
                if fits and at > low:
                    stack[top, 3] = at - 1
                    top += 1
                step += 1
            else:
                high = stack[top, 3]
                if sets[code[step, 1], data[at]]:
                    at = _on(sets, code[step, 1], code[step, 4], data, at + 1, high, end)
                    fits = at >= 0
                    if fits and at < high:
                        stack[top, 2] = at
                        top += 1
                step += 1
    return GAVE_UP


@njit(cache=True, nogil=True, inline="always")
def _is_text(data: Bytes, at: int, texts: Bytes, first: int, length: int) -> bool:
    i = 0
    while i < length and data[at + i] == texts[first + i]:
        i += 1
    return i == length


@njit(cache=True, nogil=True, inline="always")
def _reach(sets: Flags, which: int, data: Bytes, at: int, high: int) -> int:
    """Return how far the bytes from `at` are of the set, `high` at most."""
    while at < high and sets[which, data[at]]:
        at += 1
    return at


@njit(cache=True, nogil=True, inline="always")
def _back(sets: Flags, follows: int, data: Bytes, low: int, at: int, end: int) -> int:
    """Return the last place from `low` to `at` where what follows may begin; -1 if there is none."""
    while at >= low:
        if sets[follows, data[at]] if at < end else sets[follows, AT_END]:
            return at
        at -= 1
    return -1


@njit(cache=True, nogil=True, inline="always")
def _on(sets: Flags, which: int, follows: int, data: Bytes, at: int, high: int, end: int) -> int:
    """Return the first place from `at` to `high` where what follows may begin, over bytes of the set; -1 if none."""
    while True:
        if sets[follows, data[at]] if at < end else sets[follows, AT_END]:
            return at
        if at >= high or not sets[which, data[at]]:
            return -1
        at += 1
