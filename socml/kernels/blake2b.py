"""Where records lie in a block of bytes → the BLAKE2b hash of each, 16 bytes, as `hashlib` makes it.

A record of a log line is short, so most of the time of `hashlib` goes into the objects around the hash.
Source: RFC 7693.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes

__all__ = ["SIZE", "digests", "warm"]

Ints = NDArray[np.integer[Any]]
Words = NDArray[np.uint64]
SIZE = 16  # bytes of a hash
_BLOCK = 128
_START = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
_PARAMETERS = np.uint64(0x01010000 | SIZE)  # one tree of one leaf, no key
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,
)
_R32, _R24, _R16, _R63, _L40, _L48, _L1 = (np.uint64(n) for n in (32, 24, 16, 63, 40, 48, 1))


def digests(data: Bytes, starts: Ints, ends: Ints) -> bytes:
    """Return the hashes of the records, one after the other.

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> digests(data, np.array([4]), np.array([7])) == hashlib.blake2b(b"two", digest_size=16).digest()
    True
    """
    if sys.byteorder != "little":
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        return b"".join(hashlib.blake2b(data[a:b].tobytes(), digest_size=SIZE).digest() for a, b in spans)
    out = np.empty((len(starts), SIZE // 8), np.uint64)
    _hash_all(data, starts.astype(np.int64), ends.astype(np.int64), out)
    return out.tobytes()


def warm() -> None:
    """Compile."""
    digests(np.frombuffer(b"a", np.uint8), np.array([0]), np.array([1]))


@njit(cache=True, nogil=True)
def _hash_all(data: Bytes, starts: Ints, ends: Ints, out: Words) -> None:
    piece = np.zeros(_BLOCK, np.uint8)
    words = piece.view(np.uint64)
    state = np.zeros(8, np.uint64)
    for row in range(len(starts)):
        state[:] = _START
        state[0] ^= _PARAMETERS
        at, end = starts[row], ends[row]
        counted = 0
        while True:
            length = min(end - at, _BLOCK)
            source = data[at : at + length]
            for i in range(length):
                piece[i] = source[i]
            for i in range(length, _BLOCK):
                piece[i] = 0
            at += length
            counted += length
            _compress(state, words, np.uint64(counted), at == end)
            if at == end:
                break
        out[row, 0], out[row, 1] = state[0], state[1]


@njit(cache=True, nogil=True, inline="always")
def _mix(a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    a = a + b + x
    d = d ^ a
    d = (d >> _R32) | (d << _R32)
    c = c + d
    b = b ^ c
    b = (b >> _R24) | (b << _L40)
    a = a + b + y
    d = d ^ a
    d = (d >> _R16) | (d << _L48)
    c = c + d
    b = b ^ c
    b = (b >> _R63) | (b << _L1)
    return a, b, c, d


@njit(cache=True, nogil=True)
def _compress(h: Words, m: Words, counted: Any, is_last: bool) -> None:
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = _START[0], _START[1], _START[2], _START[3]
    v12, v13, v14, v15 = _START[4] ^ counted, _START[5], _START[6], _START[7]
    if is_last:
        v14 = ~v14
    for r in range(12):
        s = _ORDER[r]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, m[s[0]], m[s[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, m[s[2]], m[s[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, m[s[4]], m[s[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, m[s[6]], m[s[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, m[s[8]], m[s[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, m[s[10]], m[s[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, m[s[12]], m[s[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, m[s[14]], m[s[15]])
    h[0] ^= v0 ^ v8
    h[1] ^= v1 ^ v9
    h[2] ^= v2 ^ v10
    h[3] ^= v3 ^ v11
    h[4] ^= v4 ^ v12
    h[5] ^= v5 ^ v13
    h[6] ^= v6 ^ v14
    h[7] ^= v7 ^ v15
