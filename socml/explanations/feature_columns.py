"""A feature table, in memory or on disk → single columns and single rows of it, without the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.explanations.usual import Entities, Spread, category_shares, group_entities, spread_of
from socml.features import plain_table
from socml.project import DataError, open_table

if TYPE_CHECKING:
    import pandas as pd

REMEMBERED = 16  # columns of a table on disk whose spread is kept: 8 bytes a row each


class FeatureColumns(Protocol):
    """What explanations read of a feature table."""

    @property
    def entities(self) -> Entities:
        """Who each row is about."""

    def column(self, name: str) -> pd.Series:
        """Return one column of all rows."""

    def spread(self, name: str) -> Spread:
        """Return how the numbers of a column lie."""

    def shares(self, name: str) -> Mapping[object, float]:
        """Return, of each category of a column, the share of entities that have it."""

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand, from 0; raises DataError for a row that is not there."""

    def take(self, positions: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return these rows, in this order: all columns, or those of `columns` that are there."""


class InMemory:
    """The columns of a feature table that is a DataFrame."""

    def __init__(self, features: pd.DataFrame) -> None:
        table = plain_table(features)
        self._features = table.set_index("row_id") if "row_id" in table.columns else table

    @cached_property
    def entities(self) -> Entities:
        """Who each row is about."""
        known = "entity" in self._features.columns
        return group_entities(self._features["entity"] if known else None, len(self._features))

    def column(self, name: str) -> pd.Series:
        """Return one column."""
        return self._features[name]

    def spread(self, name: str) -> Spread:
        """Return how the numbers of a column lie."""
        return spread_of(numbers_of(self.column(name)), self.entities)

    def shares(self, name: str) -> Mapping[object, float]:
        """Return, of each category of a column, the share of entities that have it."""
        return category_shares(self.column(name), self.entities)

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        import pandas as pd

        return _found(self._features.index.get_indexer(pd.Index(row_ids)), row_ids)

    def take(self, positions: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return these rows."""
        rows = self._features.iloc[positions]
        return rows if columns is None else rows[[name for name in columns if name in rows]]


class OnDisk:
    """The columns of a feature table that is a Parquet file; a column or a row group is read at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spreads: dict[str, Spread] = {}
        self._shares: dict[str, Mapping[object, float]] = {}
        self._taken: tuple[bytes, pd.DataFrame] | None = None  # an explanation asks for the same rows four times

    @cached_property
    def entities(self) -> Entities:
        """Who each row is about."""
        file = open_table(self._path)
        known = "entity" in file.schema_arrow.names
        return group_entities(self.column("entity") if known else None, file.metadata.num_rows)

    def column(self, name: str) -> pd.Series:
        """Return one column."""
        column: pd.Series = open_table(self._path).read(columns=[name]).column(0).to_pandas()
        return column

    def spread(self, name: str) -> Spread:
        """Return how the numbers of a column lie, as long as it is remembered without reading it."""
        if name not in self._spreads:
            self._spreads[name] = spread_of(numbers_of(self.column(name)), self.entities)
            while len(self._spreads) > REMEMBERED:
                self._spreads.pop(next(iter(self._spreads)))
        return self._spreads[name]

    def shares(self, name: str) -> Mapping[object, float]:
        """Return, of each category of a column, the share of entities that have it, remembered as `spread` is."""
        if name not in self._shares:
            self._shares[name] = category_shares(self.column(name), self.entities)
            while len(self._shares) > REMEMBERED:
                self._shares.pop(next(iter(self._shares)))
        return self._shares[name]

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        at = pc.indices_nonzero(pc.is_in(self._row_ids, value_set=pa.array(list(row_ids), pa.string())))
        place = dict(zip(self._row_ids.take(at).to_pylist(), at.to_pylist(), strict=True))
        return _found(np.array([place.get(row_id, -1) for row_id in row_ids]), row_ids)

    def take(self, positions: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return these rows, index `row_id`."""
        if columns is not None:
            known = open_table(self._path).schema_arrow.names
            return self._read(positions, ["row_id", *(name for name in columns if name in known and name != "row_id")])
        key = positions.tobytes()
        if self._taken is None or self._taken[0] != key:
            self._taken = (key, self._read(positions))
        return self._taken[1]

    @cached_property
    def _row_ids(self) -> pa.ChunkedArray:
        return open_table(self._path).read(columns=["row_id"]).column(0)

    def _read(self, positions: np.ndarray, columns: list[str] | None = None) -> pd.DataFrame:
        import pandas as pd

        file = open_table(self._path)
        starts = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
        groups = np.searchsorted(starts, positions, side="right") - 1
        of = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        parts: list[pd.DataFrame] = [
            file.read_row_group(int(group), columns=columns).take(positions[rows] - starts[group]).to_pandas()
            for group, rows in zip(np.unique(groups), of, strict=True)
        ]
        return pd.concat(parts, ignore_index=True).iloc[np.argsort(np.concatenate(of))].set_index("row_id")


def feature_columns(features: pd.DataFrame | Path) -> FeatureColumns:
    """Return the reader that fits: of a DataFrame, or of a Parquet file.

    Raises
    ------
    DataError
        If the file is gone.
    """
    if not isinstance(features, Path):
        return InMemory(features)
    if not features.is_file():
        raise DataError(f"The feature table {features} is not there any more. Build it again: socml features")
    return _on_disk(features, features.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _on_disk(path: Path, written_ns: int) -> OnDisk:
    """Return one reader as long as the file stays as it is: it remembers the entities."""
    return OnDisk(path)


def numbers_of(column: pd.Series) -> np.ndarray:
    """Return a column's numbers; NaN where it has none."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _found(positions: np.ndarray, row_ids: Sequence[str]) -> np.ndarray:
    absent = [row_id for row_id, at in zip(row_ids, positions, strict=True) if at < 0]
    if absent:
        raise DataError(
            f"The feature table has no row {absent[0]!r} ({len(absent):,} of {len(row_ids):,} are not in it)."
        )
    return np.asarray(positions, dtype=np.int64)
