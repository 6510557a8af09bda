"""A model version and a feature table → the score table: anomaly score, percentile, rank, lineage.

This is the only place where the sign changes: a detector says how normal a row is, everything after this
module reads `anomaly_score`, higher is more anomalous.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from socml.evaluate import ranking_metrics, truth_of_rows
from socml.features import plain_table
from socml.models.spark_scoring import spark_scores
from socml.models.version import ModelVersion
from socml.project import (
    SCORE,
    ModelError,
    Project,
    Run,
    TableMetadata,
    audit,
    find_project,
    leaves_file,
    metadata_of,
    open_table,
    parquet_writer,
    private_folder,
    read_metadata,
    read_run,
    read_table,
    replacing,
    row_encoding,
    run_folder,
    run_is_intact,
    save_leaves,
    schema,
    write_run,
)

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")

BLOCK = 65_536  # rows that are scored at a time
REVIEWED_BYTES = 250  # that a row under review takes, besides its leaves


@dataclass(frozen=True)
class Scored:
    """What a detector said of a block of rows: how normal each is, and its leaf in each tree."""

    normality: np.ndarray
    leaves: np.ndarray


def as_anomaly(normality: np.ndarray) -> np.ndarray:
    """Return anomaly scores, higher is more anomalous, of what a detector's `score_samples` says."""
    return -normality


def anomaly_scores(version: ModelVersion, features: pd.DataFrame) -> pd.DataFrame:
    """Return the score table of features in memory, in their order, index `row_id`.

    Raises
    ------
    ModelError
        If the table is of another feature set, or lacks a column that the model reads.
    """
    import pandas as pd

    features = plain_table(features)
    metadata = metadata_of(features)
    version.check_table(metadata)
    by_row = features.set_index("row_id") if "row_id" in features.columns else features
    blocks = (features.iloc[at : at + BLOCK] for at in range(0, len(features), BLOCK))
    normality = np.concatenate([np.empty(0), *(_score(version, block).normality for block in blocks)])
    hashed = pd.util.hash_pandas_object(by_row[version.metadata["features"]], index=True).to_numpy().tobytes()
    run_id = _run_id(version, hashlib.blake2b(hashed, digest_size=16).hexdigest())
    keys = {name: by_row[name] if name in by_row.columns else None for name in ("time", "entity")}
    columns = _score_columns(version, normality, ranks(normality).astype(np.int64), metadata, run_id)
    return pd.DataFrame({**keys, **columns}, index=pd.Index(by_row.index.astype(str), name="row_id"))


def score_run(
    version: ModelVersion,
    features_path: Path,
    *,
    project: Project | None = None,
    experiment: str = "",
    truth: pd.DataFrame | pd.Series | None = None,
    finished: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Score a feature file in bounded memory and return what `run.json` says of the run.

    Writes `workspace/scores/<run_id>/`: scores.parquet and the packed leaves in the rows' order, then run.json. Leaves
    are of all rows, or of as many of the most anomalous ones as `[engine] memory_limit` has room for under review. The
    id is a hash of the model version and the file, so a run that was finished before is returned as it is, unless
    `memory_limit` has room for another number of rows by now.

    Parameters
    ----------
    experiment : name of the experiment it belongs to
    truth : `malicious` by `row_id`, for the metrics
    finished : when it was finished, ISO 8601; the time the score file was written if empty
    progress : called with the rows scored so far and all rows

    Raises
    ------
    ModelError, DataError
    """
    project = project or find_project()
    metadata = read_metadata(features_path)
    version.check_table(metadata)
    run_id = _run_id(version, _file_hash(features_path))
    folder = run_folder(project, run_id)
    rows = open_table(features_path).metadata.num_rows
    reviewed = min(rows, project.rows_in_memory(REVIEWED_BYTES + _leaves_of_one(version).nbytes))
    run = read_run(project, run_id) if leaves_file(folder) and run_is_intact(project, run_id) else None
    if run is None or run.get("reviewed", rows) != reviewed:
        about: Run = {"run_id": run_id, "experiment": experiment, "finished": finished}
        if reviewed < rows:
            about["reviewed"] = reviewed
        normality = _score_file(version, features_path, folder, project, reviewed, progress)
        return save_run(version, features_path, normality, about, project=project, truth=truth)
    if truth is not None and len(truth) and not run.get("metrics"):
        run["metrics"] = _metrics(folder / "scores.parquet", truth)
    return write_run(project, run)


def save_run(
    version: ModelVersion,
    features_path: Path,
    normality: np.ndarray,
    run: Run,
    *,
    project: Project,
    truth: pd.DataFrame | pd.Series | None = None,
) -> Run:
    """Write the score table of rows that a model has said something of, then run.json; return what that says.

    `normality` is in the rows' order, higher is more NORMAL; `run` has a `run_id` and what else is to stand there.
    """
    folder, metadata = run_folder(project, run["run_id"]), read_metadata(features_path)
    path = folder / "scores.parquet"
    _write_scores(path, version, features_path, normality, metadata, run["run_id"])
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    run = {**_run(version, metadata, rows=len(normality)), **run, "finished": run.get("finished") or written}
    run["features_path"] = os.path.relpath(features_path, project.workspace)
    if truth is not None and len(truth):
        run["metrics"] = _metrics(path, truth)
    about = {"run": run["run_id"], "dataset": run["dataset"], "model": run["model_version"], "rows": run["rows"]}
    audit(project, "scored", **about)
    return write_run(project, run)


def load_scores(run_id: str = "", *, project: Project | None = None) -> pd.DataFrame:
    """Return the score table of a run (the newest if no id is given), index `row_id`.

    Raises
    ------
    UnknownName, DataError
    """
    project = project or find_project()
    run = read_run(project, run_id)
    stored: pd.DataFrame = read_table(run_folder(project, run["run_id"]) / "scores.parquet").to_pandas()
    scores = stored.set_index("row_id")
    scores.attrs["socml"] = run
    return scores


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


def _score(version: ModelVersion, block: pd.DataFrame, *, leaves: bool = False) -> Scored:
    matrix = version.preparation.transform(block)
    normality = np.asarray(version.detector.score_samples(matrix), dtype=np.float64)
    if not np.isfinite(normality).all():
        raise ModelError(
            f"Model {version.label} gave {int((~np.isfinite(normality)).sum())} scores that are no numbers."
        )
    return Scored(normality, version.forest.leaves(matrix) if leaves else np.empty((0, len(block)), np.uint8))


def _score_columns(
    version: ModelVersion, normality: np.ndarray, rank: np.ndarray, metadata: TableMetadata, run_id: str
) -> dict[str, object]:
    """Return the columns of a score table that follow from what the detector said, and the lineage."""
    return {
        "anomaly_score": as_anomaly(normality),
        "percentile": version.reference.percentile(normality),
        "rank": rank,
        "model_version": version.label,
        "feature_hash": metadata.get("recipe_hash") or version.metadata["feature_hash"],
        "events_snapshot": metadata.get("events_snapshot", ""),
        "run_id": run_id,
    }


def ranks(normality: np.ndarray) -> np.ndarray:
    """Return the rank of each row, 1 the most anomalous; ties in the order of the rows.

    Of many rows it takes memory for three columns; four bytes a rank are as many as it needs.
    """
    place = np.min_scalar_type(len(normality))
    rank: np.ndarray = np.empty(len(normality), dtype=place)
    rank[np.argsort(normality, kind="stable")] = np.arange(1, len(normality) + 1, dtype=place)
    return rank


def _score_file(
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
            reads = version.metadata["features"]
            blocks = spark_scores(version, features_path, reads, _score_on_cluster, project=project)
            scored_blocks: Iterator[Scored] = (Scored(*block) for block in blocks)
        else:
            batches = _feature_blocks(version, features_path)
            scored_blocks = _in_order(lambda b: _score(version, b.to_pandas(), leaves=of_all), batches, project)
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


def _score_on_cluster(version: ModelVersion, block: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    scored = _score(version, block, leaves=True)
    return scored.normality, scored.leaves


def _leaves_of_one(version: ModelVersion) -> np.ndarray:
    return np.asarray(version.forest.leaves(version.preparation.blank()))


def _open_leaves(scratch: IO[bytes], version: ModelVersion, rows: int) -> np.ndarray:
    one = _leaves_of_one(version)
    shape = (one.shape[0], rows)
    return (
        np.memmap(scratch, mode="w+", dtype=one.dtype, shape=shape) if rows and len(one) else np.empty(shape, one.dtype)
    )


def _write_scores(
    path: Path,
    version: ModelVersion,
    features_path: Path,
    normality: np.ndarray,
    metadata: TableMetadata,
    run_id: str,
) -> None:
    rank = ranks(normality)
    keys = open_table(features_path).iter_batches(BLOCK, columns=["row_id", "time", "entity"])
    contract = schema(SCORE)
    at = 0
    with replacing(path) as temporary, parquet_writer(temporary, contract, **row_encoding(contract)) as writer:
        for batch in keys:
            end = at + len(batch)
            columns = _score_columns(version, normality[at:end], rank[at:end], metadata, run_id)
            arrays = []
            for field in contract:
                if field.name in batch.schema.names:
                    arrays.append(batch.column(field.name).cast(field.type))
                    continue
                values = columns[field.name]
                if isinstance(values, np.ndarray):
                    arrays.append(pa.array(values).cast(field.type))
                else:
                    arrays.append(pa.repeat(pa.scalar(values, field.type), end - at))
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=contract))
            at = end


def _run(version: ModelVersion, metadata: TableMetadata, *, rows: int) -> Run:
    return {
        "run_id": "",
        "dataset": metadata.get("dataset", ""),
        "feature_set": metadata.get("feature_set", version.metadata["feature_set"]),
        "model": version.name,
        "model_version": version.label,
        "feature_hash": metadata.get("recipe_hash") or version.metadata["feature_hash"],
        "sql_hash": metadata.get("sql_hash", ""),
        "events_snapshot": metadata.get("events_snapshot", ""),
        "rows": rows,
        "experiment": "",
        "finished": "",
        "metrics": {},
    }


def _metrics(path: Path, truth: pd.DataFrame | pd.Series) -> Mapping[str, object]:
    scores = read_table(path, columns=["row_id", "anomaly_score"]).to_pandas().set_index("row_id")["anomaly_score"]
    return ranking_metrics(scores.rank(method="min", ascending=False).to_numpy(), truth_of_rows(truth, scores.index))


def _run_id(version: ModelVersion, table_hash: str) -> str:
    parts = (version.label, version.metadata.get("mlflow_run_id", ""), version.metadata["recipe_hash"], table_hash)
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


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
