"""Rows of a run and their features → an error, unless the features are those that were scored."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from socml.explanations.feature_columns import OnDisk, feature_table
from socml.project import DataError, Project, Run, read_table, run_folder

if TYPE_CHECKING:
    from socml.models import ModelVersion

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
    return stored["anomaly_score"].to_numpy() if stored["row_id"].equals(columns.row_ids) else None
