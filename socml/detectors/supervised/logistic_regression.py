"""A numeric matrix and what is known of its rows → the probability of being malicious, as a sum over columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import sklearn.linear_model
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from socml.detectors.supervised._calibrated import Calibrated, DecidingClassifier, FittedClassifier

__all__ = ["LogisticRegression"]


class LogisticRegression(Calibrated):
    """Log-odds as a weighted sum of standardised columns, calibrated on held-out folds; classes balanced by weight.

    Blind to columns that say something only together, and to a column of which only the middle is malicious.

    Parameters
    ----------
    C : inverse strength of the penalty on squared weights; smaller is more cautious
    max_iter : steps of the solver
    calibration_folds : folds held out in turn to calibrate the probabilities; 0 leaves them as they are
    random_state : seed of the folds

    Examples
    --------
    >>> X, y = [[0.0], [0.2], [0.4], [2.0], [2.2], [2.4]], [0, 0, 0, 1, 1, 1]
    >>> classifier = LogisticRegression(calibration_folds=3, random_state=0).fit(X, y)
    >>> low, high = classifier.predict_proba([[0.1], [2.3]])[:, 1]
    >>> bool(low < 0.5 < high)
    True
    >>> bool(np.isclose(classifier.contributions([[2.3]]).sum() + classifier.base_, classifier.log_odds([[2.3]])[0]))
    True
    """

    def __init__(
        self, *, C: float = 1.0, max_iter: int = 1000, calibration_folds: int = 5, random_state: int | None = None
    ) -> None:
        self.C = C
        self.max_iter = max_iter
        self.calibration_folds = calibration_folds
        self.random_state = random_state

    @property
    def base_(self) -> float:
        """Calibrated log-odds of a row that is average in every column."""
        return float(self.intercept_ + self.slope_ * cast("Any", self.estimator_)[-1].intercept_[0])

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part of the calibrated log-odds, shape as X; with `base_` a row adds up to its log-odds.

        Exact: the Shapley values of a sum, against the average row.
        """
        scale, regression = cast("Any", self.estimator_)
        standardised = scale.transform(np.asarray(X, dtype=np.float32))
        return np.asarray(self.slope_ * standardised * regression.coef_[0], dtype=np.float64)

    def _make_estimator(self) -> Pipeline:
        regression = sklearn.linear_model.LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight="balanced")
        return Pipeline([("scale", StandardScaler()), ("regression", regression)])

    def _fitted(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Pipeline:
        return self._make_estimator().fit(X, y, regression__sample_weight=weight)

    def _log_odds(self, estimator: FittedClassifier, X: np.ndarray) -> np.ndarray:
        return np.asarray(cast("DecidingClassifier", estimator).decision_function(X), dtype=np.float64)
