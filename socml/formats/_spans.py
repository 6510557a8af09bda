"""Where the values of a column lie in a block of bytes → an Arrow text column, without a Python object a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["text_at"]


def text_at(data: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32]) -> pa.Array:
    """Return the text of each span, one a row, in any order; null where the start is -1.

    The spans must be whole UTF-8 characters: nothing checks that here.

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> text_at(data, np.array([4, -1, 0], np.int32), np.array([7, -1, 3], np.int32)).to_pylist()
    ['two', None, 'one']
    """
    from socml.kernels.json_texts import copies

    offsets, values = copies(data, starts, ends)
    absent = starts < 0
    missing = int(absent.sum())
    bits = pa.py_buffer(np.packbits(~absent, bitorder="little")) if missing else None
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(values), bits, missing)
