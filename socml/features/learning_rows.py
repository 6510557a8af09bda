"""A feature file → some of its rows: those that a model learns from, as many as `memory_limit` has room for, those of a period, or those asked for."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.features.build import frame_of
from socml.project import (
    DataError,
    Notice,
    Period,
    Project,
    open_table,
    parquet_writer,
    read_metadata,
    read_table,
    replacing,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def rows_of_period(features: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the rows of a feature table whose time lies in a period; all of them if it is open on both sides.

    Raises
    ------
    DataError
        If there are none; says from when to when the table's rows are.
    """
    import pandas as pd

    if period.is_open:
        return features
    time = pd.to_datetime(features["time"], utc=True)
    chosen = time.notna()
    if period.begin is not None:
        chosen &= time >= period.begin
    if period.end is not None:
        chosen &= time < period.end
    if not chosen.any():
        raise DataError(f"No row lies {period}.{_span(time)}")
    kept = features[chosen]
    kept.attrs = features.attrs
    return kept


def features_of_period(path: Path, period: Period) -> Path:
    """Return a feature file with the rows of a period only, written beside the whole one; that itself if it is open.

    Raises
    ------
    DataError
        As `rows_of_period` does.
    """
    import pyarrow as pa

    if period.is_open:
        return path
    with open_table(path) as file:
        schema = file.schema_arrow
        name = hashlib.blake2b(str(period).encode(), digest_size=6).hexdigest()
        target = path.parent / "periods" / f"{path.stem}.{name}.parquet"
        found, times = 0, []
        with replacing(target) as temporary, parquet_writer(temporary, schema) as writer:
            for batch in file.iter_batches():
                table = pa.Table.from_batches([batch])
                chosen = period.chosen(table["time"])
                times.append(table["time"])
                kept = table.filter(chosen)
                found += len(kept)
                if len(kept):
                    writer.write_table(kept)
            if not found:
                raise DataError(f"No row lies {period}.{_span(pa.chunked_array(times).to_pandas())}")
    return target


def _span(time: pd.Series) -> str:
    known = time.dropna()
    return f" The rows are from {known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M} UTC." if len(known) else ""


CELL_BYTES = 24  # of a table while a model is fitted on it: as it was read, as numbers, and in the matrix
BLOCK = 65_536  # rows that are read at a time


def load_learning_rows(
    path: Path, *, project: Project, seed: int = 0, period: Period | None = None, keep: Collection[str] = ()
) -> pd.DataFrame:
    """Return the rows of a feature file that a model is fitted on, as `load_features` returns them.

    Where `[engine] memory_limit` has no room for all, each is drawn with the same probability, so that about as many as
    there is room for are returned, in their order; a `Notice` says so, and the metadata how many there are.

    Parameters
    ----------
    period : drawn from its rows only; without drawing, rows of other times are among those returned
    keep : names of rows that are returned in any case, because they have a label

    Raises
    ------
    DataError
        If there is not enough room and no row lies in the period.
    """
    metadata = read_metadata(path)
    room = room_for(path, project)
    if open_table(path).metadata.num_rows <= room:
        return frame_of(read_table(path), metadata)
    path = features_of_period(path, period or Period())
    rows = open_table(path).metadata.num_rows
    share = room / rows
    if share >= 1.0:
        return frame_of(read_table(path), metadata)
    warnings.warn(
        f"The model learns from a sample of about {room:,} of {rows:,} rows: [engine] memory_limit has room for no more.",
        Notice,
        stacklevel=2,
    )
    return frame_of(_drawn(path, share, seed, keep), {**metadata, "sampled_from": rows})


def room_for(path: Path, project: Project) -> int:
    """Return how many rows of a feature file `[engine] memory_limit` has room for while a model is fitted on them."""
    return project.rows_in_memory(CELL_BYTES * len(open_table(path).schema_arrow.names))


def rows_at(path: Path, rows: NDArray[np.integer]) -> pd.DataFrame:
    """Return some rows of a feature file by their numbers, from 0 and ascending, as `load_features` returns them.

    The file is read in blocks; of a block are kept the rows asked for.
    """
    parts = [pa.Table.from_batches([batch]) for batch in _blocks_at(path, rows)]
    schema = open_table(path).schema_arrow
    return frame_of(pa.concat_tables([schema.empty_table(), *parts]), read_metadata(path))


def blocks_at(path: Path, rows: NDArray[np.integer]) -> Iterator[pd.DataFrame]:
    """Yield what `rows_at` returns in blocks, in order."""
    metadata = read_metadata(path)
    for batch in _blocks_at(path, rows):
        yield frame_of(pa.Table.from_batches([batch]), metadata)


def keys_of(path: Path) -> pd.DataFrame:
    """Return a feature file without its features, index `row_id`: whom each row is about and when."""
    metadata = read_metadata(path)
    names = [name for name in open_table(path).schema_arrow.names if name not in metadata["features"]]
    return frame_of(read_table(path, columns=names), metadata)


def _blocks_at(path: Path, rows: NDArray[np.integer]) -> Iterator[pa.RecordBatch]:
    file, begin = open_table(path), 0
    for group in range(file.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        batches = file.iter_batches(BLOCK, row_groups=[group]) if len(_between(rows, begin, end)) else ()
        for batch in batches:
            wanted = _between(rows, begin, begin + len(batch))
            if len(wanted):
                yield batch.take(pa.array(wanted - begin))
            begin += len(batch)
        begin = end


def _between(rows: NDArray[np.integer], begin: int, end: int) -> NDArray[np.integer]:
    return rows[slice(*np.searchsorted(rows, [begin, end]))]


def _drawn(path: Path, share: float, seed: int, keep: Collection[str]) -> pa.Table:
    """Return a seeded sample of a file, which is the same whatever the size of a block."""
    rng, kept = np.random.default_rng(seed), pa.array(sorted(keep), pa.string())
    file = open_table(path)
    parts = []
    for batch in file.iter_batches(BLOCK):
        drawn = pa.array(rng.random(len(batch)) < share)
        parts.append(batch.filter(pc.or_(drawn, pc.is_in(batch["row_id"], kept))))
    return pa.Table.from_batches(parts, file.schema_arrow)
