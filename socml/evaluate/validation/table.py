"""A dataset and a feature set → the feature table with all that is known of its rows, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    """

    dataset: str
    features: pd.DataFrame
    truth: pd.DataFrame
    labels: pd.DataFrame | None
    malicious: np.ndarray
    family: np.ndarray

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
        import pandas as pd

        moments = pd.to_datetime(self.features["time"], utc=True)
        micros = moments.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64).astype(np.float64)
        return np.where(moments.isna().to_numpy(), np.nan, micros)


def known_table(recipe: ModelRecipe, dataset: str, *, project: Project) -> KnownTable:
    """Return the table a recipe's model reads of a dataset, built if it is not there.

    Raises
    ------
    DataError
        If the table is empty, or nothing is known of its rows: there is nothing to judge by.
    """
    from socml.features import build_features, load_row_truth
    from socml.models import teaching_labels, training_labels_from_labels, training_labels_from_truth

    features = build_features(recipe.features, dataset, project=project)
    if features.empty:
        raise DataError(f"{recipe.features} has no rows for {dataset}: its events are of other kinds.")
    truth = load_row_truth(dataset, recipe.features, project=project)
    labels = teaching_labels(recipe, dataset, project=project)
    if len(truth):
        known = training_labels_from_truth(truth, features.index)
    elif labels is not None and len(labels):
        known = training_labels_from_labels(labels, features.index)
    else:
        raise DataError(f"Nothing is known of the rows of {dataset}: it has no ground truth, and they have no labels.")
    family = np.array([f or "" for f in known.families], dtype=object)
    return KnownTable(dataset, features, truth, labels, known.malicious, family)
