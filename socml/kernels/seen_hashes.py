"""Hashes of 16 bytes, in reading order → how often each was there before, remembered in two generations.

A slot is found by a keyed hash of the hash, and the next free one after it is taken (open addressing).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.keyed_hash import new_secret, sip_end, sip_start, sip_word

__all__ = ["SeenHashes", "warm"]

Words = NDArray[np.uint64]
Counts = NDArray[np.uint32]


class _Generation(NamedTuple):
    """Hashes and how often each was counted.

    Attributes
    ----------
    keys : shape (slots, 2), the halves of each hash; `slots` is a power of two
    counts : shape (slots,); 0 is a free slot
    """

    keys: Words
    counts: Counts


class SeenHashes:
    """Counts hashes of one file. Once `room` different ones were seen they are the older generation.

    Examples
    --------
    >>> seen = SeenHashes(100, {}, {})
    >>> seen.count(np.array([[1, 2], [3, 4], [1, 2]], np.uint64)).tolist()
    [0, 0, 1]
    """

    def __init__(self, room: int, seen: Mapping[bytes, int], before: Mapping[bytes, int]) -> None:
        self._room, self._held, self._secret = room, len(seen), new_secret()
        self._before, self._seen = self._generation(before), self._generation(seen)

    def count(self, words: Words) -> NDArray[np.int64]:
        """Return how often each was counted before, in the order in which they come.

        Parameters
        ----------
        words : shape (n, 2), the halves of each hash as they lie in memory
        """
        numbers = np.empty(len(words), np.int64)
        done = 0
        while done < len(words):
            counted, fresh = _count(
                self._secret, words[done:], *self._seen, *self._before, self._room - self._held, numbers[done:]
            )
            done, self._held = done + counted, self._held + fresh
            if self._held >= self._room:
                self._seen, self._before, self._held = self._generation({}), self._seen, 0
        return numbers

    def _generation(self, counted: Mapping[bytes, int]) -> _Generation:
        slots = 1 << (2 * self._room - 1).bit_length()
        made = _Generation(np.zeros((slots, 2), np.uint64), np.zeros(slots, np.uint32))
        words = np.frombuffer(b"".join(counted), np.uint64).reshape(-1, 2)
        _put(self._secret, words, np.fromiter(counted.values(), np.int64, len(counted)), *made)
        return made


def warm() -> None:
    """Compile."""
    SeenHashes(2, {}, {}).count(np.zeros((1, 2), np.uint64))


@njit(cache=True, nogil=True)
def _slot(secret: Words, keys: Words, counts: Counts, first: Any, second: Any) -> Any:
    mask = len(counts) - 1
    at = np.int64(sip_end(sip_word(sip_word(sip_start(secret), first), second), 2) & np.uint64(mask))
    while counts[at] and (keys[at, 0] != first or keys[at, 1] != second):
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def _put(secret: Words, words: Words, numbers: NDArray[np.int64], keys: Words, counts: Counts) -> None:
    for row in range(len(words)):
        at = _slot(secret, keys, counts, words[row, 0], words[row, 1])
        keys[at, 0], keys[at, 1] = words[row, 0], words[row, 1]
        counts[at] = numbers[row] + 1


@njit(cache=True, nogil=True)
def _count(
    secret: Words, words: Words, keys: Words, counts: Counts, old_keys: Words, old_counts: Counts, room: int,
    out: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    fresh = 0
    for row in range(len(words)):
        if fresh == room:
            return row, fresh
        first, second = words[row, 0], words[row, 1]
        at = _slot(secret, keys, counts, first, second)
        if counts[at]:
            number = counts[at]
        else:
            number = old_counts[_slot(secret, old_keys, old_counts, first, second)]
            keys[at, 0], keys[at, 1] = first, second
            fresh += 1
        counts[at] = number + np.uint32(1)
        out[row] = number
    return len(words), fresh
