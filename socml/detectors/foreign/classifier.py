"""A classifier of scikit-learn, named by import path → a supervised detector: calibrated, in socml's direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from socml.detectors.foreign.batch import classifies, made
from socml.detectors.foreign.import_paths import split_step
from socml.detectors.supervised._calibrated import LEAST, SemiSupervised
from socml.project import RecipeError

NO_LABEL = -1  # scikit-learn's label of a row without one


class ForeignClassifier(SemiSupervised):
    """Any classifier of scikit-learn, its probabilities calibrated on held-out folds.

    A semi-supervised one (`sklearn.semi_supervised.LabelPropagation`, `LabelSpreading`) learns from rows without a label
    too: a seeded sample of at most 3,000 of them, since its time and memory grow with their square.

    Blind to what the classifier is blind to.

    Parameters
    ----------
    estimator : unfitted, with `predict_proba` or `decision_function`
    calibration_folds : folds held out in turn to calibrate the probabilities; 0 leaves them as they are
    random_state : seed of the folds

    Examples
    --------
    >>> classifier = foreign_classifier("sklearn.naive_bayes.GaussianNB", {})
    >>> X, y = [[0.0], [0.2], [0.4], [2.0], [2.2], [2.4]], [0, 0, 0, 1, 1, 1]
    >>> low, high = classifier.set_params(calibration_folds=3).fit(X, y).predict_proba([[0.1], [2.3]])[:, 1]
    >>> bool(low < 0.5 < high)
    True
    """

    most_unlabelled = 3_000

    def __init__(self, estimator: Any, *, calibration_folds: int = 5, random_state: int | None = None) -> None:
        self.estimator = estimator
        self.calibration_folds = calibration_folds
        self.random_state = random_state

    @property
    def is_semi_supervised(self) -> bool:
        """Say whether rows without a label teach it too."""
        last = self.estimator[-1] if hasattr(self.estimator, "steps") else self.estimator
        return type(last).__module__.startswith("sklearn.semi_supervised")

    def _make_estimator(self) -> Any:
        return clone(self.estimator)

    def _fitted(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Any:
        estimator = self._make_estimator()
        if self.is_semi_supervised:
            every = np.concatenate([X, self._unlabelled])
            return estimator.fit(every, np.concatenate([y, np.full(len(self._unlabelled), NO_LABEL)]))
        if has_fit_parameter(estimator, "sample_weight"):
            return estimator.fit(X, y, sample_weight=weight)
        return estimator.fit(X, y)

    def _fitted_families(self, X: np.ndarray, names: np.ndarray, weight: np.ndarray) -> Any:
        numbers = np.unique(names, return_inverse=True)[1] if self.is_semi_supervised else names
        return self._make_estimator().fit(X, numbers) if self.is_semi_supervised else self._fitted(X, names, weight)

    def _log_odds(self, estimator: Any, X: np.ndarray) -> np.ndarray:
        if self.is_semi_supervised:  # a row that no labelled row reaches has no probability of either: as likely as not
            with np.errstate(invalid="ignore"):
                votes = np.nan_to_num(estimator.predict_proba(X)) + LEAST
            return np.asarray(np.log(votes[:, 1] / votes[:, 0]))
        if hasattr(estimator, "predict_proba"):
            return super()._log_odds(estimator, X)
        return np.asarray(estimator.decision_function(X), dtype=np.float64)


def foreign_classifier(
    path: str,
    parameters: Mapping[str, object],
    *,
    steps: Sequence[str | Mapping[str, object]] = (),
    seed: int | None = None,
    where: str = "The model",
) -> ForeignClassifier:
    """Return the supervised detector of an import path, with scikit-learn's transformers before it.

    Raises
    ------
    RecipeError
        If it is no classifier that says how sure it is.
    """
    estimator = made(path, parameters, seed, where)
    sure = hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    if not hasattr(estimator, "fit") or not classifies(estimator) or not sure:
        raise RecipeError(f"{where}: {path} is no classifier with predict_proba or decision_function.")
    if steps:
        from sklearn.pipeline import make_pipeline

        estimator = make_pipeline(*(made(*split_step(step), seed, where) for step in steps), estimator)
    return ForeignClassifier(estimator, random_state=seed)
