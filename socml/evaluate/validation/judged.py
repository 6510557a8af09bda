"""A fold → its test rows, each with its order, its probability and whether it is an alert, by a model of the others."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from socml.evaluate.metrics.ranking import curves
from socml.evaluate.validation.alerts import MOST
from socml.evaluate.validation.splits import Fold
from socml.evaluate.validation.table import KnownTable
from socml.project import ModelRecipe, Notice, Project, Validation

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline


class _Probabilities(Protocol):
    """A detector; the second only of one that learned from labels."""

    def score_samples(self, X: np.ndarray, /) -> np.ndarray: ...
    def predict_proba(self, X: np.ndarray, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Judged:
    """Rows that a model was not fitted on, and what it said of them.

    Attributes
    ----------
    fold, dataset, row_id, entity, family : text
    group : whom rows are about, to resample by: the value of the [validation]'s entity column, "" where unknown
    told : family that the model told, "" where it knows none
    time_us : microseconds since 1970, UTC; NaN where unknown
    malicious : 1.0, 0.0, NaN
    order : the lowest is looked at first, comparable over folds: minus the probability, or the place among the
        rows of the fold, 0 to 1
    probability : of being malicious; NaN for a detector
    alert : whether the row is above the threshold
    kept : positions of the alerts whose prepared row is kept, ascending: the most pressing of each fold, as many as
        are grouped
    matrix, names : the prepared row of each of `kept`; the feature of each of its columns. Only where all folds have
        the same columns
    train_rows, train_malicious, threshold : of the fold
    """

    fold: np.ndarray
    dataset: np.ndarray
    row_id: np.ndarray
    entity: np.ndarray
    group: np.ndarray
    family: np.ndarray
    told: np.ndarray
    time_us: np.ndarray
    malicious: np.ndarray
    order: np.ndarray
    probability: np.ndarray
    alert: np.ndarray
    kept: np.ndarray
    matrix: np.ndarray
    names: list[str]
    train_rows: int = 0
    train_malicious: int = 0
    threshold: float = float("nan")

    @classmethod
    def joined(cls, parts: list[Judged]) -> Judged:
        """Return the rows of several folds."""
        names = [one.name for one in fields(cls)]
        arrays = names[: names.index("kept")]  # what stands before it is one value a row
        together: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
        before = np.cumsum([0, *(len(part.fold) for part in parts)])
        kept = np.concatenate([part.kept + first for part, first in zip(parts, before, strict=False)])
        same = all(part.names == parts[0].names for part in parts)
        matrix = np.concatenate([part.matrix for part in parts]) if same else np.empty((len(kept), 0))
        return cls(**together, kept=kept, matrix=matrix, names=parts[0].names if same else [])

    @property
    def groups(self) -> np.ndarray:
        """Return what to resample by: whom a row is about, else the row itself."""
        named = self.group.astype(str)
        return np.where(named == "", self.row_id.astype(str), named)

    def curves(self) -> dict[str, dict[str, list[float]]]:
        """Return the precision-recall and ROC curves of the rows."""
        return curves(self.order, self.malicious)

    def frame(self) -> pd.DataFrame:
        """Return the rows as a table."""
        import pandas as pd

        names = ("row_id", "dataset", "fold", "entity", "family", "told", "malicious", "order", "probability", "alert")
        frame = pd.DataFrame({name: getattr(self, name) for name in names})
        micros = np.where(np.isnan(self.time_us), np.iinfo(np.int64).min, np.nan_to_num(self.time_us)).astype(np.int64)
        frame.insert(3, "time", pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC"))
        return frame


def judge(
    recipe: ModelRecipe,
    train: KnownTable,
    test: KnownTable,
    fold: Fold,
    validation: Validation,
    *,
    seed: int,
    project: Project,
) -> Judged:
    """Fit a model on the fold's training rows of one table and judge the test rows of the same or another.

    The training rows are gone from memory, but for their matrix, before the test rows are read, in blocks.

    Raises
    ------
    ModelError
        If the training rows have nothing to learn from.
    """
    from socml.models import fit_pipeline, training_labels_for

    rows = _with_room(train, fold, seed, project)
    training_labels = None
    if recipe.mode == "supervised":
        training_labels = training_labels_for(
            recipe, train.features.index[rows], truth=train.truth, labels=train.labels
        )
    pipeline, matrix = fit_pipeline(recipe, train.take(rows), seed, project, training_labels)
    if training_labels is None:
        known = train.malicious[rows]
        threshold = float(np.quantile(pipeline.named_steps["detector"].score_samples(matrix), validation.alert_share))
    else:
        known, threshold = training_labels.malicious, validation.probability_threshold
    judged = _judged(pipeline, test, fold, validation, threshold, by_labels=training_labels is not None)
    return replace(judged, train_rows=len(rows), train_malicious=int(np.nansum(known)))


def _with_room(table: KnownTable, fold: Fold, seed: int, project: Project) -> np.ndarray:
    """Return the training rows, or a seeded sample of them where `memory_limit` has no room for all."""
    room = table.room(project)
    if len(fold.train) <= room:
        return fold.train
    warnings.warn(
        f"{fold.name}: the model learns from a sample of {room:,} of {len(fold.train):,} rows: [engine] memory_limit has "
        "room for no more.",
        Notice,
        stacklevel=3,
    )
    return np.sort(np.random.default_rng(seed).choice(fold.train, room, replace=False))


def _judged(
    pipeline: Pipeline, test: KnownTable, fold: Fold, validation: Validation, threshold: float, *, by_labels: bool
) -> Judged:
    """Return the fold's test rows and what the model says of them."""
    preparation, detector = pipeline.named_steps["preparation"], pipeline.named_steps["detector"]
    said = [_said(detector, preparation.transform(block), by_labels=by_labels) for block in test.blocks(fold.test)]
    normality, probability, told = (np.concatenate(parts) for parts in zip(*said, strict=True))
    order = normality if by_labels else _places(normality)
    alert = probability > threshold if by_labels else normality < threshold
    kept = _most_pressing(order, alert)
    numbers, names = preparation.in_numbers(test.take(fold.test[kept]))
    return Judged(
        fold=np.full(len(order), fold.name, dtype=object),
        dataset=np.full(len(order), test.dataset, dtype=object),
        row_id=test.features.index.to_numpy(dtype=object)[fold.test],
        entity=test.features["entity"].astype(object).fillna("").to_numpy(dtype=object)[fold.test],
        group=test.rows(validation.entity).entity[fold.test],
        family=test.family[fold.test],
        told=told,
        time_us=test.time_us[fold.test],
        malicious=test.malicious[fold.test],
        order=order,
        probability=probability,
        alert=alert,
        kept=kept,
        matrix=numbers,
        names=names,
        threshold=threshold,
    )


def _said(
    detector: _Probabilities, prepared: np.ndarray, *, by_labels: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how normal rows are, their probabilities (NaN without labels), and the families told."""
    normality = np.asarray(detector.score_samples(prepared), dtype=np.float64)
    probability = detector.predict_proba(prepared)[:, 1] if by_labels else np.full(len(prepared), np.nan)
    return normality, probability, _told(detector, prepared)


def _told(detector: object, prepared: np.ndarray) -> np.ndarray:
    families = getattr(detector, "families_", [])
    if not families:
        return np.full(len(prepared), "", dtype=object)
    return np.array(families, dtype=object)[detector.family_proba(prepared).argmax(axis=1)]  # type: ignore[attr-defined]


def _places(normality: np.ndarray) -> np.ndarray:
    """Return each row's place among the rows, 0 to 1, equal values sharing theirs."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(normality) - 0.5) / max(len(normality), 1))


def _most_pressing(order: np.ndarray, alert: np.ndarray) -> np.ndarray:
    """Return the positions of the alerts that are looked at first, ascending: whatever the folds, these are grouped."""
    alerts = np.flatnonzero(alert)
    return np.sort(alerts[np.argsort(order[alerts], kind="stable")[:MOST]])
