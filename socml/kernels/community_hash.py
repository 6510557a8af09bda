"""The ends of flows, in order → their Community IDs as text: SHA-1 of one short message each, in base 64.

Source: RFC 3174 for the hash, RFC 4648 for the text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["LENGTH", "community_texts", "warm"]

Ints = NDArray[np.int64]
LENGTH = 30  # of an ID: '1:', and 20 bytes in base 64
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_FULL = 0xFFFFFFFF
_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)


def community_texts(
    ends: NDArray[np.uint64], is_v4: NDArray[np.bool_], protocol: Ints, ports: Ints, has_ports: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the IDs, shape (n, LENGTH). What counts as the first end, and as a port, is the caller's.

    Examples
    --------
    >>> ends = np.array([[0, 0x4223FACC, 0, 0x80E86E78]], np.uint64)
    >>> yes = np.array([True])
    >>> community_texts(ends, yes, np.array([6]), np.array([[80, 34855]]), yes).tobytes()
    b'1:LQU9qZlK+B5F3KDmev6m5PMibrg='
    """
    out = np.empty((len(ends), LENGTH), np.uint8)
    _texts(ends, is_v4, protocol, ports, has_ports, out)
    return out


def warm() -> None:
    """Compile."""
    no = np.zeros(1, np.bool_)
    community_texts(np.zeros((1, 4), np.uint64), no, np.zeros(1, np.int64), np.zeros((1, 2), np.int64), no)


@njit(cache=True, nogil=True)
def _texts(
    ends: NDArray[np.uint64],
    is_v4: NDArray[np.bool_],
    protocol: Ints,
    ports: Ints,
    has_ports: NDArray[np.bool_],
    out: NDArray[np.uint8],
) -> None:
    message, words, digest = np.zeros(64, np.uint8), np.empty(80, np.int64), np.zeros(21, np.uint8)
    for row in range(len(ends)):
        at = 2  # after the seed, which is 0
        for half in range(4):
            for byte in range(8):
                if not is_v4[row] or (half % 2 == 1 and byte >= 4):
                    message[at] = (ends[row, half] >> np.uint64(56 - 8 * byte)) & np.uint64(255)
                    at += 1
        message[at], message[at + 1] = protocol[row], 0
        at += 2
        if has_ports[row]:
            for side in range(2):
                message[at], message[at + 1] = ports[row, side] >> 8, ports[row, side] & 255
                at += 2
        message[at:] = 0
        message[at] = 128  # a bit that ends the message, and its length
        message[62], message[63] = (8 * at) >> 8, (8 * at) & 255
        _sha1(message, words, digest)
        out[row, 0], out[row, 1], out[row, LENGTH - 1] = 49, 58, 61
        for i in range(LENGTH - 3):
            three = (
                np.int64(digest[i // 4 * 3]) << 16
                | np.int64(digest[i // 4 * 3 + 1]) << 8
                | np.int64(digest[min(i // 4 * 3 + 2, 20)])
            )
            out[row, 2 + i] = _LETTERS[three >> (18 - 6 * (i % 4)) & 63]


@njit(cache=True, nogil=True)
def _sha1(message: NDArray[np.uint8], words: Ints, digest: NDArray[np.uint8]) -> None:
    """Hash one block; `digest` has a byte more than the hash, which stays 0."""
    for i in range(16):
        words[i] = (
            np.int64(message[4 * i]) << 24
            | np.int64(message[4 * i + 1]) << 16
            | np.int64(message[4 * i + 2]) << 8
            | np.int64(message[4 * i + 3])
        )
    for i in range(16, 80):
        words[i] = _rotated(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
    a, b, c, d, e = _START
    for i in range(80):
        if i < 20:
            mixed = (d ^ (b & (c ^ d))) + 0x5A827999
        elif i < 40:
            mixed = (b ^ c ^ d) + 0x6ED9EBA1
        elif i < 60:
            mixed = ((b & c) | (d & (b | c))) + 0x8F1BBCDC
        else:
            mixed = (b ^ c ^ d) + 0xCA62C1D6
        a, b, c, d, e = (_rotated(a, 5) + mixed + e + words[i]) & _FULL, a, _rotated(b, 30), c, d
    sums = (a + _START[0], b + _START[1], c + _START[2], d + _START[3], e + _START[4])
    for i in range(20):
        digest[i] = (sums[i // 4] >> (24 - 8 * (i % 4))) & 255


@njit(cache=True, nogil=True)
def _rotated(word: Any, bits: int) -> Any:
    return ((word << bits) | (word >> (32 - bits))) & _FULL
