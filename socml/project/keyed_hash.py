"""Words of input and a secret → a number that nobody can foretell who does not know the secret: SipHash-1-3.

A hash table over input finds its places by this, so that no input can be made whose keys all want the same place.
What a table gives back must not depend on the secret.

References
----------
J.-P. Aumasson, D. J. Bernstein (2012), «SipHash: a fast short-input PRF», https://www.aumasson.jp/siphash/siphash.pdf
"""

from __future__ import annotations

import os
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from socml.project.compiled import njit

SipState: TypeAlias = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
_FINAL_ROUNDS = 3


def new_secret() -> NDArray[np.uint64]:
    """Return a key, uint64 (2,), from the system's source of randomness.

    It is handed to a kernel as an argument: a global would be compiled in, and kept on disk.
    """
    return np.frombuffer(os.urandom(16), np.uint64).copy()


@njit(cache=True, nogil=True)
def sip_start(secret: NDArray[np.uint64]) -> SipState:
    """Return the state before the first word."""
    first, second = secret[0], secret[1]
    return (
        first ^ np.uint64(0x736F6D6570736575),
        second ^ np.uint64(0x646F72616E646F6D),
        first ^ np.uint64(0x6C7967656E657261),
        second ^ np.uint64(0x7465646279746573),
    )


@njit(cache=True, nogil=True)
def sip_word(state: SipState, word: np.uint64) -> SipState:
    """Return the state after one more word."""
    a, b, c, d = _round(state[0], state[1], state[2], state[3] ^ word)
    return a ^ word, b, c, d


@njit(cache=True, nogil=True)
def sip_end(state: SipState, words: int) -> np.uint64:
    """Return the hash; `words` is how many came."""
    a, b, c, d = sip_word(state, np.uint64(8 * words) << np.uint64(56))
    c ^= np.uint64(0xFF)
    for _ in range(_FINAL_ROUNDS):
        a, b, c, d = _round(a, b, c, d)
    return a ^ b ^ c ^ d


@njit(cache=True, nogil=True)
def _round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> SipState:
    a += b
    c += d
    b, d = _rotated(b, 13) ^ a, _rotated(d, 16) ^ c
    a = _rotated(a, 32) + d
    c += b
    d, b = _rotated(d, 21) ^ a, _rotated(b, 17) ^ c
    return a, b, _rotated(c, 32), d


@njit(cache=True, nogil=True)
def _rotated(word: np.uint64, bits: int) -> np.uint64:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))
