"""A shape → an array that is not cleared, in memory that was used before.

Memory that is fresh from the system costs microseconds a page, and a reader of blocks asks for the same few megabytes
again and again.
"""

from __future__ import annotations

import ctypes
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

__all__ = ["keep_what_is_freed", "pooled"]

_KEPT = 32 << 20  # bytes; as much as the C library would come to keep by itself, were its blocks freed in another order
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of mallopt


@cache
def keep_what_is_freed() -> None:
    """Have the C library keep some megabytes that were given back, for what asks next. Elsewhere than in glibc: nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2 * _KEPT)
        mallopt(_MMAP_THRESHOLD, _KEPT)


def pooled(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array whose values are whatever the memory held.

    Examples
    --------
    >>> found = pooled((2, 3), np.int32)
    >>> found.shape, found.dtype.name, found.flags.c_contiguous
    ((2, 3), 'int32', True)
    """
    size = shape if isinstance(shape, int) else prod(shape)
    keep_what_is_freed()
    buffer = pa.allocate_buffer(size * np.dtype(dtype).itemsize, memory_pool=pa.system_memory_pool())
    return np.frombuffer(buffer, dtype, size).reshape(shape)
