"""A feature table, in memory or on disk → single columns and single rows of it, without the rest; and whether they are those of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.explanations.usual import Entities, Spread, category_shares, group_entities, spread_of
from socml.features import of_rows, plain_table
from socml.project import DataError, Project, Run, Sentence, held_once, open_table, read_table, run_folder

if TYPE_CHECKING:
    import pandas as pd

    from socml.models import ModelVersion

REMEMBERED = 16  # columns of a table on disk whose spread is kept: up to 12 bytes a distinct value each …
REMEMBERED_BYTES = 200 << 20  # … and in all up to this many
BLOCK = 65_536  # rows of a column that are read at a time
PLACES = 10_000  # rows of which it is remembered where they stand
KEPT_CELLS = 50_000_000  # of a table that is kept in memory, texts as numbers: at most 8 bytes each


class FeatureColumns(Protocol):
    """What explanations read of a feature table."""

    @property
    def entities(self) -> Entities:
        """Who each row is about."""

    def numbers(self, name: str) -> np.ndarray:
        """Return the numbers of one column of all rows, float64; NaN where it has none."""

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

    def numbers(self, name: str) -> np.ndarray:
        """Return the numbers of one column."""
        return numbers_of(self._features[name])

    def spread(self, name: str) -> Spread:
        """Return how the numbers of a column lie."""
        return spread_of(self.numbers(name).copy(), self.entities)

    def shares(self, name: str) -> Mapping[object, float]:
        """Return, of each category of a column, the share of entities that have it."""
        return category_shares(self._features[name], self.entities)

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        import pandas as pd

        index = self._features.index
        if index.has_duplicates:
            raise DataError("The table's index names a row twice: reset_index(drop=True) numbers the rows.")
        places = pd.Series(np.arange(len(index)), index=index)
        return _found(of_rows(places, pd.Index(row_ids)).fillna(-1).to_numpy(dtype=np.int64), row_ids)

    def take(self, positions: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return these rows."""
        rows = self._features.iloc[positions]
        return rows if columns is None else rows[[name for name in columns if name in rows]]


class OnDisk:
    """The columns of a feature table that is a Parquet file: read once and kept, each text once, or as they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema: pa.Schema = open_table(path).schema_arrow
        self._rows: int = open_table(path).metadata.num_rows
        self._columns: dict[str, pa.Array] = {}
        self._place: dict[str, int] = {}
        self._spreads: dict[str, Spread] = {}
        self._shares: dict[str, Mapping[object, float]] = {}
        self._taken: tuple[object, pd.DataFrame] | None = None  # an explanation asks for the same rows four times

    @cached_property
    def entities(self) -> Entities:
        """Who each row is about."""
        known = "entity" in self._schema.names
        return group_entities(self._column("entity").to_pandas() if known else None, self._rows)

    def numbers(self, name: str) -> np.ndarray:
        """Return the numbers of one column: an array of its own, read a part at a time."""
        numbers, at = np.empty(self._rows), 0
        for part in [self._column(name)] if self.is_kept else self._parts(name):
            numbers[at : at + len(part)] = numbers_of(part.to_pandas())
            at += len(part)
        return numbers

    def spread(self, name: str) -> Spread:
        """Return how the numbers of a column lie, as long as it is remembered without reading it."""
        if name not in self._spreads:
            self._spreads[name] = spread_of(self.numbers(name), self.entities)
            while len(self._spreads) > REMEMBERED or (
                len(self._spreads) > 1 and sum(spread.nbytes for spread in self._spreads.values()) > REMEMBERED_BYTES
            ):
                self._spreads.pop(next(iter(self._spreads)))
        return self._spreads[name]

    def shares(self, name: str) -> Mapping[object, float]:
        """Return, of each category of a column, the share of entities that have it, remembered as `spread` is."""
        if name not in self._shares:
            self._shares[name] = category_shares(self._column(name).to_pandas(), self.entities)
            while len(self._shares) > REMEMBERED:
                self._shares.pop(next(iter(self._shares)))
        return self._shares[name]

    def positions(self, row_ids: Sequence[str]) -> np.ndarray:
        """Return where these rows stand."""
        if len(self._place) > PLACES:
            self._place.clear()
        absent = [row_id for row_id in row_ids if row_id not in self._place]
        if absent:
            wanted, start = pa.array(absent, pa.string()), 0
            for names in [self.row_ids] if self.is_kept else self._parts("row_id"):
                at = pc.indices_nonzero(pc.is_in(names, value_set=wanted))
                self._place.update(zip(names.take(at).to_pylist(), pc.add(at, start).to_pylist(), strict=True))
                start += len(names)
        return _found(np.array([self._place.get(row_id, -1) for row_id in row_ids]), row_ids)

    def take(self, positions: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return these rows, index `row_id`."""
        key = (positions.tobytes(), columns and tuple(columns))
        if self._taken is None or self._taken[0] != key:
            self._taken = (key, self._rows_at(np.asarray(positions, dtype=np.int64), columns))
        return self._taken[1]

    def _rows_at(self, positions: np.ndarray, columns: Sequence[str] | None) -> pd.DataFrame:
        others = [name for name in self._schema.names if name != "row_id" and (columns is None or name in columns)]
        names = ["row_id", *others]
        at = pa.array(positions)
        taken = (
            {"row_id": self.row_ids.take(at)} | {name: self._column(name).take(at) for name in others}
            if self.is_kept
            else self._from_disk(positions, names)
        )
        fields = [self._schema.field(name) for name in names]
        cells = [pc.cast(taken[field.name], field.type) for field in fields]
        frame: pd.DataFrame = pa.table(cells, pa.schema(fields, metadata=self._schema.metadata)).to_pandas()
        return frame.set_index("row_id")

    @cached_property
    def row_ids(self) -> pa.Array | pa.ChunkedArray:
        """The names of all rows."""
        return held_once(open_table(self._path).read(columns=["row_id"]).column(0))

    def _parts(self, name: str) -> Iterator[pa.Array]:
        return (batch.column(0) for batch in open_table(self._path).iter_batches(BLOCK, columns=[name]))

    @property
    def is_kept(self) -> bool:
        """Whether it is small enough to be kept in memory once it was read."""
        return self._rows * len(self._schema.names) <= KEPT_CELLS

    def _column(self, name: str) -> pa.Array:
        """Return a column as it is kept: of texts, which of them stands in each row."""
        if name in self._columns:
            return self._columns[name]
        kind = self._schema.field(name).type
        texts = {"read_dictionary": [name]} if pa.types.is_string(kind) or pa.types.is_large_string(kind) else {}
        column = read_table(self._path, columns=[name], **texts).column(0).combine_chunks()
        if self.is_kept:
            self._columns[name] = column
        pa.default_memory_pool().release_unused()
        return column

    def _from_disk(self, positions: np.ndarray, names: list[str]) -> dict[str, pa.ChunkedArray]:
        """Return columns of a few rows of a table that is too large to keep; a row group is read at a time."""
        if not len(positions):
            return {name: pa.chunked_array([], self._schema.field(name).type) for name in names}
        file = open_table(self._path)
        starts = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
        groups = np.searchsorted(starts, positions, side="right") - 1
        of = {int(group): np.flatnonzero(groups == group) for group in np.unique(groups)}
        parts = [
            file.read_row_group(group, columns=names).take(positions[rows] - starts[group])
            for group, rows in of.items()
        ]
        as_asked = np.argsort(np.concatenate(list(of.values())))
        table = pa.concat_tables(parts).take(as_asked)
        return dict(zip(names, table.columns, strict=True))


def feature_columns(features: pd.DataFrame | Path) -> FeatureColumns:
    """Return the reader that fits: of a DataFrame, or of a Parquet file.

    Raises
    ------
    DataError
        If the file is gone.
    """
    return feature_table(features) if isinstance(features, Path) else InMemory(features)


def feature_table(path: Path) -> OnDisk:
    """Return the reader of a Parquet file: the same as long as the file stays as it is.

    Raises
    ------
    DataError
        If the file is gone.
    """
    if not path.is_file():
        raise DataError(Sentence("error.run.table_gone", path=path))
    return _on_disk(path, path.stat().st_mtime_ns)


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


SAME_SCORE = 1e-6  # relative; a feature row that scores differently by more is not the row that was scored


def check_same_rows(run: Run, version: ModelVersion, path: Path, row_ids: list[str], project: Project) -> None:
    """Raise if a row is not in the run, or its features were built anew since and differ."""
    columns = feature_table(path)
    known = _scores_of(run, columns, row_ids, project)
    rows = columns.take(columns.positions(row_ids))
    again = np.abs(version.pipeline.score_samples(rows))  # sizes, so that the sign stays the business of the scores
    if not np.allclose(again, np.abs(known), rtol=SAME_SCORE):
        raise DataError(
            f"{path.name} was built again since run {run['run_id']}, and rows differ. Score again: socml score"
        )


def _scores_of(run: Run, columns: OnDisk, row_ids: list[str], project: Project) -> np.ndarray:
    """Return what a run scored rows; raise DataError for a row that is not in it."""
    path = run_folder(project, run["run_id"]) / "scores.parquet"
    with suppress(DataError):  # a row that is not there is named below
        at = columns.positions(row_ids)
        if not columns.is_kept:  # nor are its scores: what stands at these places is read
            stored = feature_table(path).take(at, ["anomaly_score"])
            if stored.index.to_list() == row_ids:
                return stored["anomaly_score"].to_numpy()
        elif path.is_file():
            in_order = _scores_in_order(path, path.stat().st_mtime_ns, columns)
            if in_order is not None:
                return np.asarray(in_order[at])
    scored = read_table(path, columns=["row_id", "anomaly_score"], filters=pc.field("row_id").isin(row_ids))
    known = dict(zip(scored["row_id"].to_pylist(), scored["anomaly_score"].to_pylist(), strict=True))
    strange = [row_id for row_id in row_ids if row_id not in known]
    if strange:
        raise DataError(f"Run {run['run_id']} has no row {strange[0]!r}.")
    return np.array([known[row_id] for row_id in row_ids])


@lru_cache(maxsize=2)
def _scores_in_order(path: Path, written_ns: int, columns: OnDisk) -> np.ndarray | None:
    """Return the score of each row of a feature table; None if a run's rows are not these, in this order."""
    stored = read_table(path, columns=["row_id", "anomaly_score"])
    return stored["anomaly_score"].to_numpy() if held_once(stored["row_id"]) is columns.row_ids else None
