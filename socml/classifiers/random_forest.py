"""A numeric matrix and what is known of its rows → the probability of being malicious, as many trees vote."""

from __future__ import annotations

from typing import Any

import sklearn.ensemble

from socml.classifiers._calibrated import Calibrated

__all__ = ["RandomForest"]


class RandomForest(Calibrated):
    """Trees on samples of the rows vote; votes are calibrated on held-out folds, classes balanced in each sample.

    Blind to values beyond those it was taught with: a row further out is as malicious as the nearest known one.

    Parameters
    ----------
    n_estimators : trees
    max_depth : of a tree; None grows it until its leaves are pure or small
    min_samples_leaf : rows of a leaf, at least
    max_features : columns tried at a split, as scikit-learn counts them
    calibration_folds : folds held out in turn to calibrate the probabilities; 0 leaves them as they are
    n_jobs : threads that grow trees, -1 as many as there are; the trees are the same
    random_state : seed of trees and folds

    References
    ----------
    L. Breiman (2001), «Random Forests», Machine Learning 45, doi:10.1023/A:1010933404324

    Examples
    --------
    >>> X, y = [[0.0], [0.2], [0.4], [2.0], [2.2], [2.4]] * 5, [0, 0, 0, 1, 1, 1] * 5
    >>> classifier = RandomForest(n_estimators=20, random_state=0).fit(X, y)
    >>> low, high = classifier.predict_proba([[0.1], [2.3]])[:, 1]
    >>> bool(low < 0.5 < high)
    True
    """

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        max_depth: int | None = None,
        min_samples_leaf: int = 2,
        max_features: str | int | float = "sqrt",
        calibration_folds: int = 3,
        n_jobs: int | None = -1,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.calibration_folds = calibration_folds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _make_estimator(self) -> Any:
        return sklearn.ensemble.RandomForestClassifier(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            class_weight="balanced_subsample",
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
