"""Bytes of tab-separated lines → where each cell lies, a column after the other, and the lines that do not fit."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.byte_masks import AT_ONCE, equal_at, lowest_bit
from socml.kernels.pointers import pointer_to
from socml.kernels.pooled_memory import pooled

__all__ = ["Cells", "find_cells", "warm"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
_LINE_END, _HASH = 10, 35


class Cells(NamedTuple):
    """Where the cells of some lines lie.

    Attributes
    ----------
    edges : shape (n_columns + 1, n_rows); a cell begins after the edge before it and ends at its own
    lines : the line of each row, from 0
    odd : shape (3, n_odd); line, begin and end of those with another number of cells
    blank : how many lines are empty
    total : how many lines there are
    stop : where the first line that begins with # is, or the end
    """

    edges: Ints
    lines: Ints
    odd: Ints
    blank: int
    total: int
    stop: int


def find_cells(data: Bytes, at: int, separator: int, columns: int) -> Cells:
    """Return where the cells are from `at` up to the next line that begins with #, or the last line end.

    Examples
    --------
    >>> data = np.frombuffer(b"a,b\\nc\\n\\n,d\\n#", np.uint8)
    >>> cells = find_cells(data, 0, ord(","), 2)
    >>> cells.edges.tolist(), cells.lines.tolist(), cells.odd.T.tolist()
    ([[-1, 6], [1, 7], [3, 9]], [0, 3], [[1, 4, 5]])
    >>> cells.blank, cells.total, cells.stop
    (1, 4, 10)
    """
    count, stop = _count(data, at)
    rows = min(count, (stop - at) // columns) + 1  # one more, that is begun behind the last line end
    edges = pooled((columns + 1, rows), np.int32)
    lines, odd, counts = pooled(count, np.int64), pooled((3, count), np.int32), np.zeros(3, np.int64)
    _find(data, at, stop, separator, edges, lines, odd, counts)
    found, several, blank = counts.tolist()
    return Cells(edges[:, :found], lines[:found], odd[:, :several], blank, count, stop)


def warm() -> None:
    """Compile."""
    find_cells(np.frombuffer(b"a\tb\n", np.uint8), 0, 9, 2)


@njit(cache=True, nogil=True)
def _bits(data: Bytes, source: Any, at: int, one: np.uint8) -> np.uint64:
    """Return which of the next 64 bytes are `one` or a line end, of those that are there, the first byte's bit lowest."""
    if at + AT_ONCE <= len(data):
        return equal_at(source, at, one) | equal_at(source, at, np.uint8(_LINE_END))
    bits = np.uint64(0)
    for i in range(len(data) - at):
        if source[at + i] == one or source[at + i] == _LINE_END:
            bits |= np.uint64(1) << np.uint64(i)
    return bits


@njit(cache=True, nogil=True)
def _count(data: Bytes, at: int) -> tuple[int, int]:
    """Return the number of line ends up to a line that begins with #, and where the last of them ends."""
    source, count, stop = pointer_to(data), 0, at
    while at < len(data):
        bits = _bits(data, source, at, np.uint8(_LINE_END))
        while bits != np.uint64(0):
            stop = at + lowest_bit(bits) + 1
            bits &= bits - np.uint64(1)
            count += 1
            if stop < len(data) and source[stop] == _HASH:
                return count, stop
        at += AT_ONCE
    return count, stop


@njit(cache=True, nogil=True)
def _find(data: Bytes, at: int, stop: int, separator: int, edges: Ints, lines: Ints, odd: Ints, counts: Ints) -> None:
    source, edge, stride = pointer_to(data), pointer_to(edges), edges.shape[1]
    last, one = edges.shape[0] - 2, np.uint8(separator)
    row = line = several = blank = column = cell = 0  # cell: where the last edge of this row was written
    begin = at
    edge[0] = at - 1
    while begin < stop:
        bits = _bits(data, source, at, one)
        while bits != np.uint64(0) and begin < stop:
            place = at + lowest_bit(bits)
            bits &= bits - np.uint64(1)
            if source[place] != _LINE_END:
                column += 1
                if column <= last:
                    cell += stride
                    edge[cell] = place
                continue
            if place == begin:
                blank += 1
            elif column == last:
                edge[cell + stride] = place
                lines[row] = line
                row += 1
            else:
                odd[0, several], odd[1, several], odd[2, several] = line, begin, place
                several += 1
            line += 1
            begin, column, cell = place + 1, 0, row
            edge[row] = place
        at += AT_ONCE
    counts[0], counts[1], counts[2] = row, several, blank
