"""Where the values of a column lie in a block of bytes → an Arrow text column, without a Python object a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["text_at", "text_of_spans"]


def text_of_spans(block: bytes, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> pa.Array:
    """Return the text of each span, one a row and in the order of the block; null where the start is -1.

    The spans must be whole UTF-8 characters: nothing checks that here.

    Examples
    --------
    >>> text_of_spans(b"one two", np.array([0, -1, 4], np.int32), np.array([3, -1, 7], np.int32)).to_pylist()
    ['one', None, 'two']
    """
    rows = len(starts)
    if not rows:
        return pa.array([], pa.string())
    absent = starts < 0
    if absent.any():
        ends = np.maximum.accumulate(np.where(absent, 0, ends))
        starts = np.where(absent, ends, starts)
    offsets = np.empty(2 * rows + 1, np.int32)  # of the spans, and of what lies between them
    offsets[0:-1:2], offsets[1::2], offsets[-1] = starts, ends, ends[-1]
    both = pa.StringArray.from_buffers(2 * rows, pa.py_buffer(offsets), pa.py_buffer(block))
    return both.take(pa.array(np.arange(0, 2 * rows, 2, dtype=np.int32), mask=absent))


def text_at(data: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32]) -> pa.Array:
    """Like `text_of_spans`, for spans in any order.

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> text_at(data, np.array([4, -1, 0], np.int32), np.array([7, -1, 3], np.int32)).to_pylist()
    ['two', None, 'one']
    """
    from socml.kernels.span_text import gathered

    offsets, values = gathered(data, starts, ends)
    absent = starts < 0
    missing = int(absent.sum())
    bits = pa.py_buffer(np.packbits(~absent, bitorder="little")) if missing else None
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(values), bits, missing)
