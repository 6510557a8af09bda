"""A dataset and a feature set → what is known of the rows of its feature table, and the rows themselves, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from socml.evaluate.metrics.daily import microseconds
from socml.evaluate.validation.splits import Rows
from socml.project import DataError, ModelRecipe, Project, as_it_is, did_you_mean, metadata_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class KnownTable:
    """A feature table and what is known of its rows.

    Attributes
    ----------
    dataset : its name
    features : whom each row is about and when, index row_id; the whole table where it has no `path`
    truth : ground truth by row_id, perhaps empty
    labels : current labels by row_id, where the model learns from them, else None
    malicious : what rows are judged by: the truth, or the labels where there is none; 1.0, 0.0, NaN
    family : text, "" where unknown
    by_labels : whether `malicious` is what analysts said, and not ground truth
    path : the feature file
    places : the row of the file that each row is, ascending; all of them if None
    """

    dataset: str
    features: pd.DataFrame
    truth: pd.DataFrame
    labels: pd.DataFrame | None
    malicious: np.ndarray
    family: np.ndarray
    by_labels: bool = False
    path: Path | None = None
    places: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> pd.DataFrame:
        """Return some rows, by position and ascending, with their features."""
        from socml.features import rows_at

        return self.features.iloc[rows] if self.path is None else rows_at(self.path, self._places(rows))

    def room(self, project: Project) -> int:
        """Return how many rows with their features `[engine] memory_limit` has room for while a model is fitted."""
        from socml.features import room_for

        return len(self.features) if self.path is None else room_for(self.path, project)

    def blocks(self, rows: np.ndarray) -> Iterator[pd.DataFrame]:
        """Yield some rows, by position and ascending, with their features, a block at a time."""
        from socml.features import blocks_at

        return iter([self.take(rows)]) if self.path is None else blocks_at(self.path, self._places(rows))

    def some(self, rows: np.ndarray) -> KnownTable:
        """Return some rows as a table of their own; truth and labels stay, being joined by row."""
        return replace(
            self,
            features=self.features.iloc[rows],
            malicious=self.malicious[rows],
            family=self.family[rows],
            places=self._places(rows),
        )

    def _places(self, rows: np.ndarray) -> np.ndarray:
        return rows if self.places is None else self.places[rows]

    def rows(self, entity: str = "entity") -> Rows:
        """Return what folds are made from; `entity` is the column that says whom a row is about."""
        known = [*self.features.columns, *metadata_of(self.features).get("features", [])]
        if entity not in known:
            near = did_you_mean(entity, map(str, known))
            raise DataError(f"The feature table of {self.dataset} has no column {entity!r} to group by.{near}")
        every = np.arange(len(self.features))
        held = self.features[entity] if entity in self.features.columns else self.take(every)[entity]
        return Rows(self.time_us, held.astype(object).fillna("").to_numpy(dtype=object), self.malicious)

    @property
    def time_us(self) -> np.ndarray:
        """Time of each row, microseconds since 1970, UTC; NaN where unknown."""
        return microseconds(self.features["time"])


@contextmanager
def known_table(
    recipe: ModelRecipe, dataset: str, *, project: Project, judged_by: Literal["truth", "analysts"] = "truth"
) -> Iterator[KnownTable]:
    """Yield the table a recipe's model reads of a dataset, built if it is not there; it stays what it is until the end.

    Rows are judged by ground truth, and where there is none by the labels of analysts, whatever the model; by labels
    alone where `judged_by` says so.

    Raises
    ------
    DataError
        If the table is empty, or nothing is known of its rows: there is nothing to judge by.
    """
    from socml.features import build_feature_file

    with as_it_is(build_feature_file(recipe.features, dataset, project=project)) as held:
        yield _known(recipe, dataset, held, judged_by, project)


def _known(
    recipe: ModelRecipe, dataset: str, path: Path, judged_by: Literal["truth", "analysts"], project: Project
) -> KnownTable:
    from socml.features import keys_of, load_row_truth
    from socml.labels import read_labels
    from socml.models import teaching_labels, training_labels_from_labels, training_labels_from_truth

    features = keys_of(path)
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
    if recipe.mode != "supervised":  # nothing learns from it
        truth = truth.iloc[:0]
    return KnownTable(dataset, features, truth, labels, known.malicious, family, by_labels, path)
