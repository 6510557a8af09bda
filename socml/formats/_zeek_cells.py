"""A block of a Zeek log → its cells, as fields that become text, numbers or times only when they are asked for.

A column that is not plain throughout (a number or a time of any other form) is left to `socml.formats._zeek`, as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.formats._columns import LATEST_S, extra_map
from socml.formats._span_records import SpanRecords
from socml.formats._zeek import LARGEST_PORT
from socml.kernels.json_texts import copies
from socml.kernels.tab_cells import find_cells
from socml.kernels.tab_values import decimals, named_texts, texts, whole_numbers
from socml.tables import EVENT, TIME

__all__ = ["NAME_BYTES", "CellFields", "NamedFields", "plain_column", "strings"]

_NUMPY = {pa.int32(): np.int32, pa.int64(): np.int64, pa.float64(): np.float64}
NAME_BYTES = 1 << 28  # names of fields written out in `extra`, for one block


class NamedFields(Mapping[str, pa.Array]):
    """Fields by name, made into columns when they are asked for; `_at` says where each is."""

    _at: Mapping[str, int]

    def __len__(self) -> int:
        return len(self._at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __contains__(self, name: object) -> bool:
        return name in self._at


class CellFields(NamedFields):
    """The lines of a block from `at` on that have a cell for each name; up to one that begins with #, or has no end.

    Attributes
    ----------
    lines : which lines they are, counted from `at`
    odd : the others that are not blank, each with its number
    blank, total, stop : as in `Cells`

    Examples
    --------
    >>> fields = CellFields(b"1,-\\nx\\n2,(empty)\\n", 0, ["a", "b"], b",", unset="-", empty="(empty)")
    >>> fields["b"].to_pylist(), fields.text("b").to_pylist(), fields.lines.tolist(), fields.odd
    ([None, '(empty)'], [None, ''], [0, 2], [(1, b'x')])
    >>> fields.plain("a", "source_bytes").to_pylist(), fields.left_over(["b"]).to_pylist()
    ([1, 2], [[], [('b', '')]])
    """

    def __init__(
        self, block: bytes, at: int, names: Sequence[str], separator: bytes, *, unset: str, empty: str
    ) -> None:
        self._block, self._data = block, np.frombuffer(block, np.uint8)
        self._unset, self._empty = (np.frombuffer(word.encode(), np.uint8) for word in (unset, empty))
        self._at = {name: at for at, name in enumerate(names)}
        cells = find_cells(self._data, at, separator[0], len(names))
        self._edges, self.lines, self.rows = cells.edges, cells.lines, len(cells.lines)
        self.blank, self.total, self.stop = cells.blank, cells.total, cells.stop
        self.odd = [(line, block[start:end]) for line, start, end in cells.odd.T.tolist()]
        self._texts: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        return self._text(name, self._unset)

    def text(self, name: str) -> pa.Array:
        """Return a field as text, where an empty set is ""."""
        if name not in self._texts:
            self._texts[name] = self._text(name, self._empty)
        return self._texts[name]

    def plain(self, name: str, column: str) -> pa.Array | None:
        """Return a field as this column."""
        return plain_column(self._data, self._edges, self._at[name], self._unset, column)

    def left_over(self, names: Sequence[str]) -> pa.Array:
        """Return one map a row, from a field's name to its text; those that are unset are left out."""
        keys = [name.encode() for name in names]
        if not keys or not self.rows or self.rows * len(b"".join(keys)) > NAME_BYTES:
            return extra_map({name: self.text(name) for name in names}, self.rows)
        columns = np.array([self._at[name] for name in names])
        found = named_texts(self._data, self._edges, columns, keys, self._unset, self._empty)
        return pa.MapArray.from_arrays(
            pa.array(found.offsets),
            strings(found.name_offsets, found.names),
            strings(found.value_offsets, found.values),
        )

    def raw(self) -> pa.Array:
        """Return the lines."""
        return strings(*copies(self._data, self._edges[0] + 1, self._edges[-1]))

    def records(self) -> SpanRecords:
        """Return the bytes of the lines."""
        return SpanRecords(self._block, self._edges[0] + 1, self._edges[-1].copy())

    def _text(self, name: str, empty: NDArray[np.uint8]) -> pa.Array:
        found = texts(self._data, self._edges, self._at[name], self._unset, empty)
        return strings(found.offsets, found.values, found.present)


def plain_column(
    data: NDArray[np.uint8], edges: NDArray[np.integer[Any]], at: int, unset: NDArray[np.uint8], column: str
) -> pa.Array | None:
    """Return cells (see `socml.kernels.tab_cells`) as an event column; None if one is not written plainly, or of text."""
    to, cells = EVENT[column].type, (data, edges, at, unset)
    if column == "time":
        found = decimals(*cells)
        if found is None or (found[0] >= LATEST_S).any():
            return None
        return _array(np.rint(found[0] * 1e6).astype(np.int64), found[1], pa.int64()).view(TIME)
    if pa.types.is_floating(to):
        found = decimals(*cells)
    elif pa.types.is_integer(to):
        top = LARGEST_PORT if column.endswith("_port") else 2 ** (to.bit_width - 1) - 1
        found = whole_numbers(*cells, top)
    else:
        return None
    return None if found is None else _array(found[0].astype(_NUMPY[to], copy=False), found[1], to)


def strings(offsets: NDArray[Any], values: NDArray[np.uint8], present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return texts as Arrow keeps them: where each begins, their bytes, and which are there."""
    bits = None if present is None or present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(values), bits)


def _array(values: NDArray[Any], present: NDArray[np.bool_], to: pa.DataType) -> pa.Array:
    bits = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(to, len(values), [bits, pa.py_buffer(values)])
