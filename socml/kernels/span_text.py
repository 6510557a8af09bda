"""Where texts lie in a block of bytes → the texts one after the other, as Arrow keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes

__all__ = ["gathered", "warm"]

Ints = NDArray[np.integer[Any]]
_PIECE = 16  # bytes that a processor copies at once


def gathered(data: Bytes, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> tuple[NDArray[np.int32], Bytes]:
    """Return the offsets of the texts, one more than there are, and their bytes. A text that starts at -1 is empty.

    Unlike Arrow's `take`, in any order.

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> offsets, text = gathered(data, np.array([4, -1, 0], np.int32), np.array([7, -1, 3], np.int32))
    >>> offsets.tolist(), text.tobytes()
    ([0, 3, 3, 6], b'twoone')
    """
    offsets = np.zeros(len(starts) + 1, np.int32)
    np.cumsum(ends - starts, out=offsets[1:])  # a text that is not there is from -1 to -1
    values = np.empty(offsets[-1] + _PIECE, np.uint8)
    _copy(data, np.ascontiguousarray(starts), offsets, values)
    return offsets, values[: offsets[-1]]


def warm() -> None:
    """Compile."""
    none = np.zeros(0, np.int32)
    gathered(np.frombuffer(b"a", np.uint8), none, none)


@njit(cache=True, nogil=True)
def _copy(data: Bytes, starts: Ints, offsets: Ints, values: Bytes) -> None:
    for row in range(len(starts)):
        begin, at = starts[row], offsets[row]
        length = offsets[row + 1] - at
        if begin + length + _PIECE > len(data):
            for i in range(length):
                values[at + i] = data[begin + i]
            continue
        for piece in range(0, length, _PIECE):  # what is copied too much, the next text overwrites
            source, target = data[begin + piece : begin + piece + _PIECE], values[at + piece : at + piece + _PIECE]
            for i in range(_PIECE):
                target[i] = source[i]
