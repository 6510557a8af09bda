"""A table in memory, a detector and perhaps a truth column → fitted, scored, with the leaves that labels teach by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import LABELLED, Rows, Truth, feature_names, label_columns, plain_table, row_name, truth_by_name
from socml.models import ModelMetadata, ModelVersion, OutlierDetector, forest_for, make_detector, make_reference
from socml.project import DataError, did_you_mean

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from socml.project import ModelRecipe


@dataclass(frozen=True)
class FittedTable:
    """A table and what a detector, fitted on it, says of its rows.

    Attributes
    ----------
    table : the features, index row name as text
    detector : the fitted estimator
    version : the same as a model version, for explanations; it is in no registry
    matrix : shape (n_rows, n_columns), what the detector read
    anomaly_score : shape (n_rows,), higher is more anomalous
    leaves : shape (n_trees, n_rows)
    truth : index as the table; None if not known
    """

    table: pd.DataFrame = field(repr=False)
    detector: OutlierDetector
    version: ModelVersion = field(repr=False)
    matrix: NDArray[np.floating] = field(repr=False)
    anomaly_score: NDArray[np.float64] = field(repr=False)
    leaves: NDArray[np.integer] = field(repr=False)
    truth: pd.Series | None = field(repr=False)

    def read(self, table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
        """Return the anomaly scores and the leaves of other rows of the same columns."""
        matrix = self.version.preparation.transform(table)
        return -np.asarray(self.version.detector.score_samples(matrix)), self.version.forest.leaves(matrix)


def fit_table(
    data: Rows,
    detector: str | ModelRecipe | BaseEstimator,
    truth: str | Truth | None,
    *,
    seed: int,
    parameters: dict[str, Any],
) -> FittedTable:
    """Fit a detector on a table and score it.

    Raises
    ------
    DataError
        If two rows have one name, the truth names no row, or a feature says the truth.
    """
    from sklearn.pipeline import Pipeline

    table, known = _parted(plain_table(data), truth)
    made = detector if isinstance(detector, OutlierDetector) else make_detector(detector, seed=seed, **parameters)
    made.fit(table)
    pipeline = Pipeline(made.steps)
    matrix = made.preparation_.transform(table)
    normality = np.asarray(made.detector_.score_samples(matrix), dtype=np.float64)
    forest = forest_for(pipeline, matrix, seed)
    companion = None if forest is made.detector_ else forest
    names = feature_names(table)
    metadata: ModelMetadata = {"feature_set": "table", "features": names, "columns": {name: name for name in names}}
    version = ModelVersion("table", "", pipeline, make_reference(normality), companion, metadata)
    return FittedTable(table, made, version, matrix, -normality, forest.leaves(matrix), known)


def _parted(table: pd.DataFrame, truth: str | Truth | None) -> tuple[pd.DataFrame, pd.Series | None]:
    """Return the features and the truth, both by row names as texts."""
    table = table.set_index("row_id") if "row_id" in table.columns else table
    names = [row_name(row) for row in table.index]
    if len(set(names)) < len(names):
        raise DataError("The table's index names a row twice: reset_index(drop=True) numbers the rows.")
    table = table.set_axis(names, axis=0)
    if truth is None:
        return table, None
    if isinstance(truth, str):
        if truth not in table.columns:
            raise DataError(f"The table has no column {truth!r}.{did_you_mean(truth, list(table.columns))}")
        known, table = table[truth], table.drop(columns=truth)
        known = truth_by_name(known, names)
    else:
        known = truth_by_name(truth, names)
    _check_leaks(table, known)
    return table, known


def _check_leaks(table: pd.DataFrame, known: pd.Series) -> None:
    """Raise if a feature is the truth under another name; of few known rows any two values may say that."""
    if known.count() < LABELLED:
        return
    for name in label_columns(table, known.to_numpy(dtype=np.float64)):
        raise DataError(f"Column {name!r} says the truth itself: drop it, for with it nothing has to be found.")
