"""Where JSON values lie in a block of bytes → their texts in one piece: a string as it means, all else as it stands."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.iso_times import ISO_LENGTH, write_iso
from socml.kernels.json_lines import LIST
from socml.kernels.pointers import pointer_to, put_word, word_at
from socml.kernels.pooled_memory import pooled

__all__ = ["ISO", "copies", "texts"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
ISO = 0  # a kind of value besides those of fields: a time, of the row that stands in its start
_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_BACKSLASHES = _ONES * np.uint64(92)


def texts(data: Bytes, kinds: Bytes, starts: Ints, ends: Ints, micros: Ints) -> tuple[Ints, Bytes]:
    """Return values as text, in one piece, and where each begins in it: a string as it means, the rest as it stands.

    Parameters
    ----------
    micros : the times by row, for values that are one
    """
    offsets = pooled(len(starts) + 1, np.int32)
    room = _room(kinds, starts, ends)
    out = pooled(room + 8, np.uint8)
    used = _texts(data, kinds, starts, ends, micros, offsets, out)
    return offsets, out[:used]


def copies(data: Bytes, starts: Ints, ends: Ints) -> tuple[Ints, Bytes]:
    """Return the bytes at starts:ends in one piece, as they stand, and where each begins in it.

    Examples
    --------
    >>> offsets, found = copies(np.frombuffer(b"one,two,", np.uint8), np.array([0, 4]), np.array([3, 7]))
    >>> offsets.tolist(), found.tobytes()
    ([0, 3, 6], b'onetwo')
    """
    offsets = pooled(len(starts) + 1, np.int32)
    offsets[0] = 0
    np.cumsum(ends - starts, out=offsets[1:])
    out = pooled(int(offsets[-1]) + 8, np.uint8)
    _copies(data, starts, ends, out)
    return offsets, out[: offsets[-1]]


@njit(cache=True, nogil=True)
def _copies(data: Bytes, starts: Ints, ends: Ints, out: Bytes) -> None:
    used, place, source, last = 0, pointer_to(out), pointer_to(data), len(data) - 8
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        while at <= last and at < end:  # eight bytes at a time, which may be too many: what follows overwrites them
            put_word(place, used, word_at(source, at))
            used += min(8, end - at)
            at += 8
        while at < end:
            place[used] = source[at]
            used += 1
            at += 1


@njit(cache=True, nogil=True)
def _room(kinds: Bytes, starts: Ints, ends: Ints) -> int:
    total = 0
    for i in range(len(starts)):
        total += ISO_LENGTH if kinds[i] == ISO else max(ends[i] - starts[i], 0)
    return total


@njit(cache=True, nogil=True)
def _texts(data: Bytes, kinds: Bytes, starts: Ints, ends: Ints, micros: Ints, offsets: Ints, out: Bytes) -> int:
    used, place, source, last = 0, pointer_to(out), pointer_to(data), len(data) - 8
    offsets[0] = 0
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        if kinds[i] == ISO:
            used = write_iso(micros[at], place, used)
            at = end
        while at <= last and at < end:  # eight bytes at a time, which may be too many: what follows overwrites them
            word = word_at(source, at)
            if _has_backslash(word):
                break
            put_word(place, used, word)
            step = min(8, end - at)
            used += step
            at += step
        while at < end:
            c = source[at]
            if c == 92:
                at += 1
                c = _meant(source[at])
                if kinds[i] == LIST and source[at] != 47:  # text of a list is JSON
                    place[used] = 92
                    used += 1
                    c = source[at]
            place[used] = c
            used += 1
            at += 1
        offsets[i + 1] = used
    return used


@njit(cache=True, nogil=True)
def _has_backslash(word: np.uint64) -> bool:
    other = word ^ _BACKSLASHES
    return bool((other - _ONES) & ~other & _HIGH)


@njit(cache=True, nogil=True)
def _meant(letter: int) -> int:
    """Return what a letter after a backslash stands for."""
    if letter == 110:
        return 10
    if letter == 116:
        return 9
    if letter == 114:
        return 13
    if letter == 98:
        return 8
    if letter == 102:
        return 12
    return letter
