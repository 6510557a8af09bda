"""A model version and a feature file → how normal each row is, and the leaves of the rows to review, and likeliest families, block by block.

By Spark the model is broadcast, and rows come as Arrow batches. The machines of the cluster need the same socml installed.
Scores are those of this machine, bit for bit.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, cast

import numpy as np
import pyarrow as pa

from socml.models.version import ModelVersion
from socml.project import (
    DataError,
    ModelError,
    Project,
    find_project,
    open_table,
    private_folder,
    quoted,
    read_run,
    read_table,
    run_folder,
    save_leaves,
    spark_connection,
    write_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from pyspark import Broadcast

    from socml.detectors import Classifier

Result = TypeVar("Result")

BLOCK = 65_536  # rows that are scored at a time
RANKED_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Scored:
    """What a detector said of a block of rows: how normal each is, and its leaf in each tree."""

    normality: np.ndarray
    leaves: np.ndarray


def score_file(
    version: ModelVersion,
    features_path: Path,
    folder: Path,
    project: Project,
    reviewed: int,
    progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    """Score a feature file block by block, write the leaves of the rows to review, and return how normal each row is."""
    rows = open_table(features_path).metadata.num_rows
    of_all = reviewed == rows
    normality = np.empty(rows)
    with tempfile.TemporaryFile(dir=private_folder(folder)) as scratch:
        leaves = _open_leaves(scratch, version, reviewed)
        if project.engine == "spark":
            scored_blocks = spark_scores(version, features_path, project=project)
        else:
            batches = _feature_blocks(version, features_path)
            scored_blocks = _in_order(lambda b: score_block(version, b.to_pandas(), leaves=of_all), batches, project)
        at = 0
        for scored in scored_blocks:
            end = at + len(scored.normality)
            normality[at:end] = scored.normality
            if of_all:
                leaves[:, at:end] = scored.leaves
            at = end
            if progress:
                progress(at, rows)
        if not of_all:
            _write_leaves_of(version, features_path, most_anomalous(normality, reviewed), leaves, project)
        save_leaves(folder, leaves)
    return normality


def _feature_blocks(version: ModelVersion, features_path: Path) -> Iterator[pa.RecordBatch]:
    file, reads = open_table(features_path), version.metadata["features"]
    # With a column lacking, all are read: the preparation then says which it is, and what is near.
    columns = reads if set(reads) <= set(file.schema_arrow.names) else None
    return iter(file.iter_batches(BLOCK, columns=columns))


def _write_leaves_of(
    version: ModelVersion, features_path: Path, chosen: np.ndarray, leaves: np.ndarray, project: Project
) -> None:
    """Fill in the leaves of some rows of a feature file, whose places are ascending."""

    def of_chosen() -> Iterator[pa.RecordBatch]:
        start = 0
        for block in _feature_blocks(version, features_path):
            first, last = np.searchsorted(chosen, [start, start + len(block)])
            yield block.take(pa.array(chosen[first:last] - start))
            start += len(block)

    at = 0
    forest, prepared = version.forest, version.preparation.transform
    for found in _in_order(lambda block: forest.leaves(prepared(block.to_pandas())), of_chosen(), project):
        leaves[:, at : at + found.shape[1]] = found
        at += found.shape[1]


def leaves_of_one(version: ModelVersion) -> np.ndarray:
    """Return the leaves (n_trees, 1) of some row, which say how much memory those of a row take."""
    return np.asarray(version.forest.leaves(version.preparation.blank()))


def _open_leaves(scratch: IO[bytes], version: ModelVersion, rows: int) -> np.ndarray:
    one = leaves_of_one(version)
    shape = (one.shape[0], rows)
    return (
        np.memmap(scratch, mode="w+", dtype=one.dtype, shape=shape) if rows and len(one) else np.empty(shape, one.dtype)
    )


def score_block(version: ModelVersion, block: pd.DataFrame, *, leaves: bool = False) -> Scored:
    """Return what a version says of some rows, without their leaves unless they are asked for.

    Raises
    ------
    ModelError
        If a score is no number.
    """
    matrix = version.preparation.transform(block)
    normality = np.asarray(version.detector.score_samples(matrix), dtype=np.float64)
    if not np.isfinite(normality).all():
        raise ModelError(
            f"Model {version.label} gave {int((~np.isfinite(normality)).sum())} scores that are no numbers."
        )
    return Scored(normality, version.forest.leaves(matrix) if leaves else np.empty((0, len(block)), np.uint8))


def most_anomalous(normality: np.ndarray, count: int) -> np.ndarray:
    """Return the places, ascending, of the rows of rank 1 to `count`.

    Examples
    --------
    >>> most_anomalous(np.array([-0.4, -0.6, -0.5, -0.4, -0.4]), 3).tolist()  # of equals the first
    [0, 1, 2]
    """
    if count >= len(normality):
        return np.arange(len(normality))
    last = np.partition(normality, count - 1)[count - 1]
    chosen = normality < last
    chosen[np.flatnonzero(normality == last)[: count - np.count_nonzero(chosen)]] = True
    return np.flatnonzero(chosen)


def ranks(normality: np.ndarray) -> np.ndarray:
    """Return the rank of each row, 1 the most anomalous; ties in the order of the rows.

    Many rows are sorted part by part, so that it takes memory for a part besides the result, of four bytes a rank.

    Examples
    --------
    >>> ranks(np.array([-0.4, -0.6, -0.5, -0.4])).tolist()
    [3, 1, 2, 4]
    """
    place = np.min_scalar_type(len(normality))
    rank: np.ndarray = np.empty(len(normality), dtype=place)
    done = 0
    for part in _parts(normality):
        values = normality[part]
        rank_in_part: np.ndarray = np.empty(len(values), dtype=place)
        rank_in_part[np.argsort(values, kind="stable")] = np.arange(done + 1, done + len(values) + 1, dtype=place)
        rank[part] = rank_in_part
        done += len(values)
    return rank


def _parts(normality: np.ndarray) -> Iterator[np.ndarray | slice]:
    """Yield which rows are in each part, the least normal first; rows of equal normality are in one part."""
    count = len(normality) // RANKED_AT_ONCE + 1
    some = np.sort(normality[:: max(1, RANKED_AT_ONCE // 1_000)])
    bounds = np.unique(some[np.linspace(0, len(some) - 1, count + 1, dtype=np.intp)[1:-1]]) if count > 1 else some[:0]
    below = None
    for bound in bounds[~np.isnan(bounds)]:
        yield normality < bound if below is None else (normality > below) & (normality < bound)
        yield normality == bound
        below = bound
    yield slice(None) if below is None else ~(normality <= below)


def _in_order(
    function: Callable[[pa.RecordBatch], Result], blocks: Iterable[pa.RecordBatch], project: Project
) -> Iterator[Result]:
    """Apply `function` to blocks in threads; yield the results in order, with few blocks in memory at a time."""
    threads = project.threads or os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(function, block))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_SCHEMA = "row_id string, time timestamp, normality double, leaves binary"


def spark_scores(version: ModelVersion, features_path: Path, *, project: Project) -> Iterator[Scored]:
    """Yield what the cluster says of blocks of a feature file's rows, in the file's order.

    Raises
    ------
    DataError
        If Spark does not give the rows of the file: another one lies there on the cluster.
    """
    import pyarrow.parquet as pq

    where, reads = str(features_path), version.metadata["features"]
    expected = pq.read_table(features_path, columns=["row_id"])["row_id"]
    kind = version.forest.leaves(version.preparation.blank()).dtype
    with spark_connection(project.master, memory_limit=project.memory_limit) as connection:
        connection.read_parquet("features", [features_path])
        named = ", ".join(map(quoted, dict.fromkeys(["row_id", "time", *reads])))
        rows = connection.select(f"select {named} from features", where=where)  # noqa: S608
        shared = connection.broadcast(version)
        scored = rows.mapInArrow(partial(_scored_batches, shared), _SCHEMA)
        in_order = scored.orderBy(scored["time"].asc_nulls_last(), "row_id")
        at = 0
        for batch in connection.batches(in_order, where=where):
            if batch.column("row_id").to_pylist() != expected.slice(at, len(batch)).to_pylist():
                raise DataError(f"{where}: Spark gives other rows than this file has. Build it again: socml features")
            at += len(batch)
            leaves = np.frombuffer(b"".join(batch.column("leaves").to_pylist()), dtype=kind)
            yield Scored(batch.column("normality").to_numpy(), leaves.reshape(len(batch), -1).T)
        if at != len(expected):
            raise DataError(f"{where}: Spark gives {at:,} rows of {len(expected):,}. Build it again: socml features")


def _scored_batches(shared: Broadcast[ModelVersion], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    version = shared.value
    for batch in batches:
        if not len(batch):
            continue
        scored = score_block(version, batch.select(version.metadata["features"]).to_pandas(), leaves=True)
        by_row = np.ascontiguousarray(scored.leaves.T)
        yield pa.RecordBatch.from_arrays(
            [
                batch.column("row_id"),
                batch.column("time"),
                pa.array(scored.normality),
                pa.array([row.tobytes() for row in by_row], pa.binary()),
            ],
            names=["row_id", "time", "normality", "leaves"],
        )


FAMILIES = "families.parquet"


def predict_families(version: ModelVersion, features: pd.DataFrame) -> pd.DataFrame:
    """Return the likeliest family of each row *if* it is malicious: family, probability (0 to 1); index as features.

    Empty of columns' values (null, NaN) where the model was taught no family.
    """
    import pandas as pd

    names = list(version.metadata.get("families") or [])
    by_row = features.set_index("row_id") if "row_id" in features.columns else features
    if not names:
        return pd.DataFrame({"family": None, "probability": np.nan}, index=by_row.index)
    shares = cast("Classifier", version.detector).family_proba(version.preparation.transform(features))
    best = shares.argmax(axis=1)
    family = np.array(names, dtype=object)[best]
    return pd.DataFrame({"family": family, "probability": shares[np.arange(len(best)), best]}, index=by_row.index)


def write_families(version: ModelVersion, features_path: Path, run_id: str, *, project: Project) -> Path | None:
    """Write the families of a run's rows beside its scores; None where the model was taught none."""
    if not version.metadata.get("families"):
        return None
    reads = ["row_id", *version.metadata["features"]]
    blocks = open_table(features_path).iter_batches(BLOCK, columns=reads)
    predictions = [predict_families(version, batch.to_pandas()).reset_index() for batch in blocks]
    tables = [pa.Table.from_pandas(table, preserve_index=False) for table in predictions]
    return write_table(run_folder(project, run_id) / FAMILIES, pa.concat_tables(tables))


def load_families(run_id: str = "", *, project: Project | None = None) -> pd.DataFrame:
    """Return the families of a run's rows: index row_id; family, probability. Empty where the model knows none."""
    import pandas as pd

    project = project or find_project()
    path = run_folder(project, read_run(project, run_id)["run_id"]) / FAMILIES
    if not path.is_file():
        return pd.DataFrame({"family": [], "probability": []}, index=pd.Index([], name="row_id"))
    stored: pd.DataFrame = read_table(path).to_pandas()
    return stored.set_index("row_id")
