"""Where texts lie in a block of bytes, by name → the names and texts that each row has, as Arrow keeps maps."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.json_texts import copies, texts
from socml.kernels.json_values import STRING
from socml.kernels.pooled_memory import pooled

__all__ = ["named_copies", "named_strings", "warm"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]


def named_copies(
    data: Bytes, starts: Ints, ends: Ints, names: dict[str, int]
) -> tuple[Ints, tuple[Ints, Bytes], tuple[Ints, Bytes]]:
    """Return which texts belong to each row, and the names and the texts: offsets and bytes, as they stand.

    Parameters
    ----------
    starts, ends : shape (n_fields, n_rows); where a text lies; -1 where there is none
    names : the row of `starts` for each name, in the order that a map has them

    Examples
    --------
    >>> data = np.frombuffer(b"one two", np.uint8)
    >>> starts, ends = np.array([[0, -1], [4, 4]], np.int32), np.array([[3, -1], [7, 7]], np.int32)
    >>> offsets, keys, texts = named_copies(data, starts, ends, {"b": 1, "a": 0})
    >>> offsets.tolist(), keys[1].tobytes(), texts[0].tolist(), texts[1].tobytes()
    ([0, 2, 3], b'bab', [0, 3, 6, 9], b'twoonetwo')
    """
    offsets, keys, found = _named(starts, ends, names)
    return offsets, keys, copies(data, found[0], found[1])


def named_strings(
    data: Bytes, starts: Ints, ends: Ints, names: dict[str, int]
) -> tuple[Ints, tuple[Ints, Bytes], tuple[Ints, Bytes]]:
    r"""Like `named_copies`, of strings of JSON as they mean.

    Examples
    --------
    >>> data = np.frombuffer(rb"one\"two", np.uint8)
    >>> starts, ends = np.array([[0, 3]], np.int32), np.array([[3, 8]], np.int32)
    >>> named_strings(data, starts, ends, {"a": 0})[2][1].tobytes()
    b'one"two'
    """
    offsets, keys, found = _named(starts, ends, names)
    kinds, no_times = np.full(found.shape[1], STRING, np.uint8), np.zeros(0, np.int64)
    return offsets, keys, texts(data, kinds, found[0], found[1], no_times)


def _named(starts: Ints, ends: Ints, names: dict[str, int]) -> tuple[Ints, tuple[Ints, Bytes], Ints]:
    """Return which texts belong to each row, the names, and where the texts begin and end."""
    encoded = [name.encode() for name in names]
    edges = np.zeros(len(names) + 1, np.int32)
    np.cumsum([len(name) for name in encoded], out=edges[1:])
    fields, rows = np.array(list(names.values()), np.int64), starts.shape[1]
    offsets, spans = pooled(rows + 1, np.int32), pooled((4, len(names) * rows), np.int32)
    _flatten(starts, ends, fields, edges, offsets, spans)
    found = spans[:, : offsets[-1]]
    text = np.frombuffer(b"".join(encoded) + bytes(8), np.uint8)  # eight more: bytes are copied eight at once
    return offsets, copies(text, found[0], found[1]), found[2:]


def warm() -> None:
    """Compile."""
    nowhere = np.full((2, 2), -1, np.int32)[:, :1]  # part of wider columns, which is another type of array
    named_copies(np.frombuffer(b"a", np.uint8), nowhere, nowhere, {"a": 0})  # named_strings: in json_tables


@njit(cache=True, nogil=True)
def _flatten(starts: Ints, ends: Ints, fields: Ints, edges: Ints, offsets: Ints, spans: Ints) -> None:
    count = 0
    offsets[0] = 0
    for row in range(starts.shape[1]):
        for i in range(len(fields)):
            if starts[fields[i], row] >= 0:
                spans[0, count], spans[1, count] = edges[i], edges[i + 1]
                spans[2, count], spans[3, count] = starts[fields[i], row], ends[fields[i], row]
                count += 1
        offsets[row + 1] = count
