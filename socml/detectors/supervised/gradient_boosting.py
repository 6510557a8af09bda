"""A numeric matrix and what is known of its rows → the probability of being malicious, by trees that correct each other."""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar, cast

import numpy as np
import sklearn.ensemble

from socml.detectors.supervised._calibrated import Calibrated, DecidingClassifier, FittedClassifier
from socml.project import Interval

__all__ = ["GradientBoosting"]


class GradientBoosting(Calibrated):
    """Small trees, each on the errors of those before, calibrated on held-out folds; classes balanced by weight.

    Blind to values beyond those it was taught with, as every tree is; and with few rows (under some hundreds) it
    learns their accidents: compare it with a logistic regression. Families are told apart by a random forest.

    Parameters
    ----------
    max_iter : trees
    learning_rate : how much each of them corrects
    max_leaf_nodes : leaves of a tree
    min_samples_leaf : rows of a leaf, at least
    l2_regularization : penalty on what a leaf says
    calibration_folds : folds held out in turn to calibrate the probabilities; 0 leaves them as they are
    random_state : seed of bins and folds

    References
    ----------
    G. Ke et al. (2017), «LightGBM: A Highly Efficient Gradient Boosting Decision Tree», NeurIPS 30.

    Examples
    --------
    >>> X, y = [[0.0], [0.2], [0.4], [2.0], [2.2], [2.4]] * 10, [0, 0, 0, 1, 1, 1] * 10
    >>> classifier = GradientBoosting(max_iter=20, min_samples_leaf=5, random_state=0).fit(X, y)
    >>> low, high = classifier.predict_proba([[0.1], [2.3]])[:, 1]
    >>> bool(low < 0.5 < high)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        **Calibrated._parameter_constraints,
        "max_iter": [Interval(Integral, 1, 100_000, closed="both")],
    }

    def __init__(
        self,
        *,
        max_iter: int = 100,
        learning_rate: float = 0.1,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 10,
        l2_regularization: float = 1.0,
        calibration_folds: int = 3,
        random_state: int | None = None,
    ) -> None:
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.calibration_folds = calibration_folds
        self.random_state = random_state

    def _make_estimator(self) -> FittedClassifier:
        return sklearn.ensemble.HistGradientBoostingClassifier(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            class_weight="balanced",
            early_stopping=False,
            random_state=self.random_state,
        )

    def _fitted_families(self, X: np.ndarray, names: np.ndarray, weight: np.ndarray) -> FittedClassifier:
        """Return a random forest: boosting grows a tree a family and step, which takes minutes with twenty families."""
        forest = sklearn.ensemble.RandomForestClassifier(class_weight="balanced", random_state=self.random_state)
        return forest.fit(X, names, sample_weight=weight)

    def _log_odds(self, estimator: FittedClassifier, X: np.ndarray) -> np.ndarray:
        return np.asarray(cast("DecidingClassifier", estimator).decision_function(X), dtype=np.float64)
