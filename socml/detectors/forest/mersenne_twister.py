"""A seed → the whole numbers that numpy's RandomState draws from it, in compiled code.

Only what scikit-learn's forests draw: `randint(n)`, `permutation(n)`.

References
----------
M. Matsumoto, T. Nishimura (1998), «Mersenne Twister», ACM TOMACS 8, doi:10.1145/272991.272995
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["draw_below", "draw_sample", "new_state", "seed_state"]

SIZE, MIDDLE = 624, 397
MASK = 0xFFFFFFFF


@njit(cache=True, nogil=True)
def new_state() -> NDArray[np.integer]:
    """Return room for a generator: its words, and the number of words already used."""
    return np.zeros(SIZE + 1, dtype=np.uint32)


@njit(cache=True, nogil=True)
def seed_state(state: NDArray[np.integer], seed: int | np.int64) -> None:
    """Begin as RandomState(seed) does, 0 ≤ seed < 2³²."""
    word = np.uint64(seed)
    for i in range(SIZE):
        state[i] = word
        word = (np.uint64(1812433253) * (word ^ (word >> np.uint64(30))) + np.uint64(i + 1)) & np.uint64(MASK)
    state[SIZE] = SIZE


@njit(cache=True, nogil=True)
def _next_word(state: NDArray[np.integer]) -> np.int64:
    if state[SIZE] == SIZE:
        for i in range(SIZE):
            y = (state[i] & np.uint32(0x80000000)) | (state[(i + 1) % SIZE] & np.uint32(0x7FFFFFFF))
            turned = state[(i + MIDDLE) % SIZE] ^ (y >> np.uint32(1))
            state[i] = turned ^ np.uint32(0x9908B0DF) if y & np.uint32(1) else turned
        state[SIZE] = 0
    y = np.uint32(state[state[SIZE]])
    state[SIZE] += np.uint32(1)
    y ^= y >> np.uint32(11)
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    y ^= y >> np.uint32(18)
    return np.int64(np.uint32(y))


@njit(cache=True, nogil=True)
def draw_below(state: NDArray[np.integer], n: int) -> int | np.int64:
    """Return what `randint(n)` does, 0 ≤ n ≤ 2³²: words cut to the bits of n - 1 until one is small enough."""
    if n <= 1:
        return 0
    mask = n - 1
    for shift in (1, 2, 4, 8, 16):
        mask |= mask >> shift
    while True:
        value = _next_word(state) & mask
        if value < n:
            return value


@njit(cache=True, nogil=True)
def draw_sample(state: NDArray[np.integer], n: int, k: int, seen: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return k different numbers below n, as scikit-learn's `sample_without_replacement` draws them.

    `seen` is n zeros, and is left so.
    """
    share = k / n
    if 0.01 < share < 0.99:
        pool = np.arange(n)
        for i in range(n - 1, 0, -1):
            j = draw_below(state, i + 1)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:k].copy()
    sample = np.arange(k)
    if share >= 0.2:
        for i in range(k, n):
            j = draw_below(state, i + 1)
            if j < k:
                sample[j] = i
        return sample
    for i in range(k):
        j = draw_below(state, n)
        while seen[j]:
            j = draw_below(state, n)
        seen[j] = 1
        sample[i] = j
    for i in range(k):
        seen[sample[i]] = 0
    return sample
