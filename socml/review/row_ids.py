"""The names of a run's rows → where a row stands, without a dictionary of all of them.

A dictionary of a million names costs a second and 150 MB; only the few that are asked for are remembered, and of them those
that are there or have a label: whoever asks for others, a browser for one, fills no memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_HALF = re.compile("[\ud800-\udfff]")  # half a letter, which no name holds
REMEMBERED_AT_ONCE = 1_000  # names of more rows than these are read for a file, not for the analyst


class RowIds:
    """Names in a fixed order.

    Parameters
    ----------
    names : one a row, each once
    order : where the rows stand in `names`, if not in their order: a million texts are not moved for it

    Examples
    --------
    >>> ids = RowIds(pa.array(["r9", "r2", "r5"]))
    >>> ids.rows_of(["r5", "r7"]).tolist(), ids.names([1]), "r9" in ids
    ([2, -1], ['r2'], True)
    """

    def __init__(self, names: pa.Array, order: NDArray[np.intp] | None = None) -> None:
        self._names, self._order = names, order
        self._row_at: NDArray[np.intp] | None = None  # of a place in `names`
        if order is not None:
            self._row_at = np.empty_like(order)
            self._row_at[order] = np.arange(len(order))
        self._row_of: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._names)

    def __contains__(self, row_id: object) -> bool:
        """Say whether a row has this name."""
        return isinstance(row_id, str) and int(self.rows_of([row_id])[0]) >= 0

    def rows_of(self, row_ids: Iterable[str]) -> NDArray[np.intp]:
        """Return where rows stand; −1 for a name that no row has."""
        wanted = list(row_ids)
        self._find([name for name in wanted if name not in self._row_of])
        return np.array([self._row_of.get(name, -1) for name in wanted], dtype=np.intp)

    def rows_of_labels(self, row_ids: Iterable[str]) -> NDArray[np.intp]:
        """Return the same of rows that have a label, asked for anew with each label: those of other runs are remembered too."""
        wanted = list(row_ids)
        rows = self.rows_of(wanted)
        self._row_of.update(dict.fromkeys([name for name, row in zip(wanted, rows, strict=True) if row < 0], -1))
        return rows

    def are_in(self, names: pa.Array) -> NDArray[np.bool_]:
        """Return of each row whether its name is among `names`."""
        found = pc.is_in(self._names, value_set=names.cast(self._names.type)).to_numpy(zero_copy_only=False)
        return np.asarray(found if self._order is None else found[self._order], dtype=bool)

    def starting_with(self, start: str) -> list[str]:
        """Return the names that begin with a text."""
        return [str(name) for name in self._names.filter(pc.starts_with(self._names, start)).to_pylist()]

    def names(self, rows: Collection[int] | NDArray[np.intp]) -> list[str]:
        """Return the names of some rows."""
        at = np.asarray(rows, dtype=np.int64)
        places = at if self._order is None else self._order[at]
        found = [str(name) for name in self._names.take(pa.array(places)).to_pylist()]
        if len(found) <= REMEMBERED_AT_ONCE:
            self._row_of.update(zip(found, at.tolist(), strict=True))
        return found

    def _find(self, absent: list[str]) -> None:
        texts = [name for name in absent if not _HALF.search(name)]
        if not texts:
            return
        wanted = pa.array(texts, pa.string()).cast(self._names.type)
        at = pc.indices_nonzero(pc.is_in(self._names, value_set=wanted))
        rows = at.to_numpy() if self._row_at is None else self._row_at[at.to_numpy()]
        self._row_of.update(zip(self._names.take(at).to_pylist(), rows.tolist(), strict=True))
