"""Ground truth or analysts' labels, and rows → what each row teaches a supervised model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from socml.evaluate import truth_of_rows
from socml.features import of_rows
from socml.project import DataError, ModelError, ModelRecipe, Project

if TYPE_CHECKING:
    import pandas as pd

    from socml.models.version import ModelVersion


TEACHES = {"malicious": 1.0, "benign": 0.0, "false_alarm": 0.0}  # a verdict that is not here teaches nothing


@dataclass(frozen=True)
class TrainingLabels:
    """What rows teach, in their order.

    Attributes
    ----------
    malicious : float (n_rows,): 1 malicious, 0 not, NaN nothing
    weight : float (n_rows,): how much, above 0
    families : object (n_rows,): the family of a malicious row, or None
    """

    malicious: np.ndarray
    weight: np.ndarray
    families: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Return which rows teach something, bool (n_rows,)."""
        return np.asarray(~np.isnan(self.malicious))

    def at(self, rows: np.ndarray) -> TrainingLabels:
        """Return those of some rows."""
        return TrainingLabels(self.malicious[rows], self.weight[rows], self.families[rows])


def training_labels_from_truth(truth: pd.DataFrame | pd.Series, row_ids: pd.Index) -> TrainingLabels:
    """Return what ground truth teaches: `malicious` by row_id, and `family` where the table has it."""
    known = truth_of_rows(truth, row_ids)
    families = np.full(len(row_ids), None, dtype=object)
    if getattr(truth, "columns", None) is not None and "family" in truth.columns:
        by_row = truth.set_index("row_id") if "row_id" in truth.columns else truth
        families = of_rows(by_row["family"][~by_row.index.duplicated()], row_ids).to_numpy(dtype=object)
    return TrainingLabels(known, np.ones(len(row_ids)), _named(families, known))


def training_labels_from_labels(labels: pd.DataFrame, row_ids: pd.Index) -> TrainingLabels:
    """Return what current labels teach: malicious 1, benign and false_alarm 0, by their weight; others nothing.

    Parameters
    ----------
    labels : index `row_id`; verdict, weight, family: as `socml.labels.read_labels` returns it

    Examples
    --------
    >>> import pandas as pd
    >>> labels = pd.DataFrame({"verdict": ["malicious", "unsure"], "weight": [0.5, 1.0], "family": ["scan", None]},
    ...                       index=["a", "b"])
    >>> training_labels_from_labels(labels, pd.Index(["a", "b", "c"])).malicious.tolist()
    [1.0, nan, nan]
    """
    here = of_rows(labels, row_ids)
    known = here["verdict"].map(TEACHES).to_numpy(dtype=np.float64, na_value=np.nan)
    weight = here["weight"].to_numpy(dtype=np.float64, na_value=np.nan)
    families = _named(here["family"].to_numpy(dtype=object), known)
    return TrainingLabels(known, np.where(np.isnan(weight), 1.0, weight), families)


def check_training_labels(training_labels: TrainingLabels, recipe: ModelRecipe) -> None:
    """Raise ModelError if the labels are too few, or of one class only."""
    name, training = recipe.name or "unnamed", recipe.training
    source = "labels of analysts" if training.labels == "analysts" else "rows of known truth"
    known = training_labels.malicious[training_labels.known]
    malicious = int(known.sum())
    other = len(known) - malicious
    seen = f"{malicious:,} malicious and {other:,} benign or false alarms"
    if len(known) == 0:
        raise ModelError(f"Model {name!r} learns from {source}, and there are none. {_next(training.labels)}")
    if not malicious or not other:
        kind = "malicious" if malicious else "benign"
        raise ModelError(f"Model {name!r} cannot learn: all {len(known):,} {source} are {kind}. It needs both kinds.")
    if len(known) < training.min_rows or min(malicious, other) < training.min_malicious:
        raise ModelError(
            f"Model {name!r} has too few {source}: {seen}. It needs {training.min_rows}, and {training.min_malicious} of "
            "each kind; label more, or set min_rows and min_malicious in its [training]."
        )


def training_labels_for(
    recipe: ModelRecipe, row_ids: pd.Index, *, truth: pd.DataFrame | pd.Series | None, labels: pd.DataFrame | None
) -> TrainingLabels:
    """Return what a supervised recipe's own source teaches of these rows.

    Raises
    ------
    ModelError
        If the source was not given, or knows nothing of the rows.
    """
    analysts = recipe.training.labels == "analysts"
    if (labels is None or not len(labels)) if analysts else (truth is None or not len(truth)):
        nothing = np.full(len(row_ids), np.nan)
        training_labels = TrainingLabels(nothing, np.ones(len(row_ids)), np.full(len(row_ids), None, dtype=object))
    elif analysts and labels is not None:
        training_labels = training_labels_from_labels(labels, row_ids)
    else:
        assert truth is not None
        try:
            training_labels = training_labels_from_truth(truth, row_ids)
        except DataError as error:
            raise ModelError(f"Model {recipe.name!r} cannot learn: {error}") from error
    check_training_labels(training_labels, recipe)
    return training_labels


def _named(families: np.ndarray, known: np.ndarray) -> np.ndarray:
    named = [f if isinstance(f, str) and f and k == 1.0 else None for f, k in zip(families, known, strict=True)]
    return np.array(named, dtype=object)


def _next(source: str) -> str:
    if source == "analysts":
        return "Label some: socml label, or socml app."
    return 'Does the dataset have ground truth? With labels instead: [training] labels = "analysts".'


def teaching_labels(recipe: ModelRecipe, dataset: str, *, project: Project) -> pd.DataFrame | None:
    """Return the current labels of a dataset if the recipe's model learns from analysts, else None."""
    if recipe.mode != "supervised" or recipe.training.labels != "analysts":
        return None
    from socml.labels import read_labels

    return read_labels(dataset=dataset, project=project)


def has_seen_truth(version: ModelVersion, dataset: str) -> bool:
    """Say whether the truth of this dataset taught the model: then metrics against it would flatter."""
    about = version.metadata
    return about.get("taught_by") == "truth" and about.get("dataset") == dataset
