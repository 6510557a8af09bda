"""A model version and a feature table → the score table: anomaly score, percentile, rank, lineage.

This is the only place where the sign changes: a detector says how normal a row is, everything after this
module reads `anomaly_score`, higher is more anomalous.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from socml.evaluate import ranking_metrics, truth_of_rows
from socml.features import plain_table
from socml.models.scored_blocks import BLOCK, leaves_of_one, ranks, score_block, score_file
from socml.models.version import ModelVersion, check_version
from socml.project import (
    SCORE,
    Project,
    Run,
    TableMetadata,
    as_it_is,
    audit,
    find_project,
    leaves_file,
    metadata_of,
    open_table,
    parquet_writer,
    read_metadata,
    read_run,
    read_table,
    replacing,
    row_encoding,
    run_folder,
    run_is_intact,
    schema,
    write_run,
)

if TYPE_CHECKING:
    import pandas as pd

REVIEWED_BYTES = 250  # that a row under review takes, besides its leaves


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

    check_version(version)
    features = plain_table(features)
    metadata = metadata_of(features)
    version.check_table(metadata)
    by_row = features.set_index("row_id") if "row_id" in features.columns else features
    blocks = (features.iloc[at : at + BLOCK] for at in range(0, len(features), BLOCK))
    normality = np.concatenate([np.empty(0), *(score_block(version, block).normality for block in blocks)])
    hashed = pd.util.hash_pandas_object(by_row[version.metadata["features"]], index=True).to_numpy().tobytes()
    run_id = _run_id(version, hashlib.blake2b(hashed, digest_size=16).hexdigest())
    keys = {name: by_row[name].array if name in by_row.columns else None for name in ("time", "entity")}
    percentile, rank = version.reference.percentile(normality), ranks(normality).astype(np.int64)
    columns = _score_columns(version, normality, percentile, rank, metadata, run_id)
    return pd.DataFrame(
        {**keys, **columns}, index=pd.Index([str(row) for row in by_row.index], name="row_id", dtype="str")
    )


def score_run(
    version: ModelVersion,
    features_path: Path,
    *,
    project: Project | None = None,
    experiment: str = "",
    truth: pd.DataFrame | pd.Series | None = None,
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
    progress : called with the rows scored so far and all rows

    Raises
    ------
    ModelError, DataError
    """
    project = project or find_project()
    about: Run = {"experiment": experiment}
    about["features_path"] = os.path.relpath(features_path, project.workspace)
    with as_it_is(features_path) as held:
        return _score_run(version, held, about, project=project, truth=truth, progress=progress)


def _score_run(
    version: ModelVersion,
    features_path: Path,
    about: Run,
    *,
    project: Project,
    truth: pd.DataFrame | pd.Series | None,
    progress: Callable[[int, int], None] | None,
) -> Run:
    """Score a feature file that nothing replaces; `about` is what `run.json` is to say of it besides."""
    metadata = read_metadata(features_path)
    version.check_table(metadata)
    run_id = _run_id(version, file_hash(features_path))
    folder = run_folder(project, run_id)
    rows = open_table(features_path).metadata.num_rows
    run = read_run(project, run_id) if leaves_file(folder) and run_is_intact(project, run_id) else None
    leaf_bytes = run.get("leaf_bytes") if run else None
    if leaf_bytes is None:  # what is compiled for it takes a while to load
        leaf_bytes = leaves_of_one(version).nbytes
    reviewed = min(rows, project.rows_in_memory(REVIEWED_BYTES + leaf_bytes))
    if run is None or run.get("reviewed", rows) != reviewed:
        about |= {"run_id": run_id, "leaf_bytes": leaf_bytes}
        if reviewed < rows:
            about["reviewed"] = reviewed
        normality = score_file(version, features_path, folder, project, reviewed, progress)
        return save_run(version, features_path, normality, about, project=project, truth=truth)
    if truth is not None and len(truth) and not run.get("metrics"):
        run["metrics"] = _metrics(folder / "scores.parquet", truth)
    run["leaf_bytes"] = leaf_bytes  # an earlier version did not say
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
    run.setdefault("features_path", os.path.relpath(features_path, project.workspace))
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


def _score_columns(
    version: ModelVersion,
    normality: np.ndarray,
    percentile: np.ndarray,
    rank: np.ndarray,
    metadata: TableMetadata,
    run_id: str,
) -> dict[str, object]:
    """Return the columns of a score table that follow from what the detector said, and the lineage."""
    return {
        "anomaly_score": as_anomaly(normality),
        "percentile": percentile,
        "rank": rank,
        "model_version": version.label,
        "feature_hash": metadata.get("recipe_hash") or version.metadata["feature_hash"],
        "events_snapshot": metadata.get("events_snapshot", ""),
        "run_id": run_id,
    }


def _write_scores(
    path: Path, version: ModelVersion, features_path: Path, normality: np.ndarray, metadata: TableMetadata, run_id: str
) -> None:
    rank, percentile = ranks(normality), version.reference.percentile(normality)  # of all rows: blocks have no places
    keys = open_table(features_path).iter_batches(BLOCK, columns=["row_id", "time", "entity"])
    contract = schema(SCORE)
    at = 0
    with replacing(path) as temporary, parquet_writer(temporary, contract, **row_encoding(contract)) as writer:
        for batch in keys:
            end = at + len(batch)
            columns = _score_columns(version, normality[at:end], percentile[at:end], rank[at:end], metadata, run_id)
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


def file_hash(path: Path) -> str:
    """Return the hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
