"""A feature table, in memory or on disk → single columns and single rows of it, without the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow.parquet as pq

from socml.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


class FeatureColumns(Protocol):
    """What explanations read of a feature table."""

    def column(self, name: str) -> pd.Series | None:
        """Return one column of all rows; None if there is none of that name."""

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand, from 0; raises DataError for a row that is not there."""

    def take(self, positions: np.ndarray) -> pd.DataFrame:
        """Return these rows, all columns, in this order."""


class InMemory:
    """The columns of a feature table that is a DataFrame."""

    def __init__(self, features: pd.DataFrame) -> None:
        self._features = features.set_index("row_id") if "row_id" in features.columns else features

    def column(self, name: str) -> pd.Series | None:
        """Return one column; None if there is none."""
        return self._features[name] if name in self._features.columns else None

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        import pandas as pd

        return _found(self._features.index.get_indexer(pd.Index(row_ids)), row_ids)

    def take(self, positions: np.ndarray) -> pd.DataFrame:
        """Return these rows."""
        return self._features.iloc[positions]


class OnDisk:
    """The columns of a feature table that is a Parquet file; a column or a row group is read at a time."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"The feature table {path} is not there any more. Build it again: socml features")
        self._file = pq.ParquetFile(path)

    def column(self, name: str) -> pd.Series | None:
        """Return one column; None if there is none."""
        if name not in self._file.schema_arrow.names:
            return None
        return self._file.read(columns=[name]).column(0).to_pandas()

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        import pyarrow as pa
        import pyarrow.compute as pc

        at = pc.index_in(pa.array(list(row_ids), pa.string()), value_set=self._file.read(columns=["row_id"]).column(0))
        return _found(at.fill_null(-1).to_numpy(zero_copy_only=False), row_ids)

    def take(self, positions: np.ndarray) -> pd.DataFrame:
        """Return these rows, index `row_id`."""
        import pandas as pd

        sizes = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        groups = np.searchsorted(starts, positions, side="right") - 1
        parts = [
            self._file.read_row_group(int(group)).take(positions[groups == group] - starts[group]).to_pandas()
            for group in np.unique(groups)
        ]
        order = np.argsort(np.concatenate([np.flatnonzero(groups == group) for group in np.unique(groups)]))
        return pd.concat(parts, ignore_index=True).iloc[order].set_index("row_id")


def feature_columns(features: pd.DataFrame | Path) -> FeatureColumns:
    """Return the reader that fits: of a DataFrame, or of a Parquet file."""
    return OnDisk(features) if isinstance(features, Path) else InMemory(features)


def _found(positions: np.ndarray, row_ids: Sequence[str]) -> np.ndarray:
    absent = [row_id for row_id, at in zip(row_ids, positions, strict=True) if at < 0]
    if absent:
        raise DataError(
            f"The feature table has no row {absent[0]!r} ({len(absent):,} of {len(row_ids):,} are not in it)."
        )
    return np.asarray(positions, dtype=np.int64)
