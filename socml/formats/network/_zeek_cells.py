"""A block of a Zeek log → its cells: every line split at the separator, by place, whatever the header says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._cuts import split_cells
from socml.formats._reader import Block
from socml.formats._select_lines import Cells, Records, lines_of
from socml.formats.network._zeek import emptied

__all__ = ["CellFields", "NamedFields"]


class NamedFields(Mapping[str, pa.Array]):
    """Fields by name, each a column of `Cells`; text is null where it is unset, "" where it is an empty set."""

    def __init__(self, cells: Cells, names: Sequence[str | None], empty: str) -> None:
        self.cells, self.rows, self._empty = cells, cells.rows, empty
        self._at = {name: at for at, name in enumerate(names) if name is not None}
        is_empty = np.asarray(pc.equal(cells.values, empty).fill_null(False)).reshape(self.rows, cells.width)
        self._has_empty = np.logical_or.reduce(is_empty, axis=0)  # by column: most have none
        self._texts: dict[str, pa.Array] = {}

    def __len__(self) -> int:
        return len(self._at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __contains__(self, name: object) -> bool:
        return name in self._at

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._texts:
            self._texts[name] = self.cells.column(self._at[name])
        return self._texts[name]

    def text(self, name: str) -> pa.Array:
        """Return a field as text, where an empty set is ""."""
        return emptied(self[name], self._empty) if self._has_empty[self._at[name]] else self[name]

    def left_over(self, names: Sequence[str]) -> pa.Array:
        """Return one map a row, from a field's name to its text; those that are unset are left out."""
        wanted: list[str | None] = [None] * self.cells.width
        for name in names:
            wanted[self._at[name]] = name
        has_empty = self._has_empty[[self._at[name] for name in names]].any()
        values = emptied(self.cells.values, self._empty) if has_empty else self.cells.values
        return Cells(values, self.cells.width).as_map(wanted)


class CellFields(NamedFields):
    """The lines of a block from `at` on that have a cell for each name; up to one that begins with #, or has no end.

    Attributes
    ----------
    lines : which lines they are, counted from `at`
    odd : the others that are not blank, each with its number
    blank, total : how many lines are blank, and how many there are
    stop : where in the block the next line begins
    """

    def __init__(self, block: bytes, at: int, names: Sequence[str], separator: str, *, unset: str, empty: str) -> None:
        end = block.find(b"\n#", at)
        self.stop = (block.rfind(b"\n") if end < 0 else end) + 1
        lines = lines_of(Block(0, block[at : self.stop]))
        texts = np.flatnonzero(lines.text)
        cells, fits = split_cells(lines.texts(texts), separator, len(names))
        self.lines, self.total = texts[fits], len(lines.text)
        others = np.ones(self.total, bool)
        others[self.lines] = False
        odd = list(lines.numbered(np.flatnonzero(others).tolist()))
        self.odd = [(row, line) for row, line in odd if line]
        self.blank = len(odd) - len(self.odd)
        self._raw = lines.texts(self.lines)
        super().__init__(cells.without(unset), names, empty)

    def raw(self) -> pa.Array:
        """Return the lines."""
        return self._raw

    def records(self) -> Records:
        """Return the bytes of the lines."""
        return Records(self._raw)
