"""A shape → an array in Arrow's memory pool, not cleared.

The pool keeps what is given back to it. Memory that is fresh from the system costs microseconds a page, and a reader
of blocks asks for the same few megabytes again and again.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

__all__ = ["pooled"]


def pooled(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array whose values are whatever the memory held.

    Examples
    --------
    >>> found = pooled((2, 3), np.int32)
    >>> found.shape, found.dtype.name, found.flags.c_contiguous
    ((2, 3), 'int32', True)
    """
    size = shape if isinstance(shape, int) else prod(shape)
    buffer = pa.allocate_buffer(size * np.dtype(dtype).itemsize)
    return np.frombuffer(buffer, dtype, size).reshape(shape)
