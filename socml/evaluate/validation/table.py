"""A dataset and a feature set → the feature table with all that is known of its rows, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from socml.evaluate.metrics.daily import microseconds
from socml.evaluate.validation.splits import Rows
from socml.project import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from socml.project import ModelRecipe, Project


@dataclass(frozen=True)
class KnownTable:
    """A feature table and what is known of its rows.

    Attributes
    ----------
    dataset : its name
    features : the table, index row_id
    truth : ground truth by row_id, perhaps empty
    labels : current labels by row_id, where the model learns from them, else None
    malicious : what rows are judged by: the truth, or the labels where there is none; 1.0, 0.0, NaN
    family : text, "" where unknown
    by_labels : whether `malicious` is what analysts said, and not ground truth
    """

    dataset: str
    features: pd.DataFrame
    truth: pd.DataFrame
    labels: pd.DataFrame | None
    malicious: np.ndarray
    family: np.ndarray
    by_labels: bool = False

    def rows(self, entity: str = "entity") -> Rows:
        """Return what folds are made from; `entity` is the column that says whom a row is about."""
        if entity not in self.features.columns:
            near = did_you_mean(entity, map(str, self.features.columns))
            raise DataError(f"The feature table of {self.dataset} has no column {entity!r} to group by.{near}")
        return Rows(
            self.time_us, self.features[entity].astype(object).fillna("").to_numpy(dtype=object), self.malicious
        )

    @property
    def time_us(self) -> np.ndarray:
        """Time of each row, microseconds since 1970, UTC; NaN where unknown."""
        return microseconds(self.features["time"])


def known_table(
    recipe: ModelRecipe, dataset: str, *, project: Project, judged_by: Literal["truth", "analysts"] = "truth"
) -> KnownTable:
    """Return the table a recipe's model reads of a dataset, built if it is not there.

    Rows are judged by ground truth, and where there is none by the labels of analysts, whatever the model; by labels
    alone where `judged_by` says so.

    Raises
    ------
    DataError
        If the table is empty, or nothing is known of its rows: there is nothing to judge by.
    """
    from socml.features import build_features, load_row_truth
    from socml.labels import read_labels
    from socml.models import teaching_labels, training_labels_from_labels, training_labels_from_truth

    features = build_features(recipe.features, dataset, project=project)
    if features.empty:
        raise DataError(f"{recipe.features} has no rows for {dataset}: its events are of other kinds.")
    truth = load_row_truth(dataset, recipe.features, project=project)
    labels = teaching_labels(recipe, dataset, project=project)
    by_labels = judged_by == "analysts" or not len(truth)
    if by_labels:
        judging = read_labels(dataset=dataset, project=project) if labels is None else labels
        known = training_labels_from_labels(judging, features.index)
    else:
        known = training_labels_from_truth(truth, features.index)
    if by_labels and not known.known.any():
        lacks = "it has no ground truth, and they have no labels" if not len(truth) else "they have no labels"
        raise DataError(f"Nothing is known of the rows of {dataset}: {lacks}.")
    family = np.array([f or "" for f in known.families], dtype=object)
    return KnownTable(dataset, features, truth, labels, known.malicious, family, by_labels)
