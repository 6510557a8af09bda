"""A numeric matrix and what is known of its rows → the probability of being malicious, as many random trees vote."""

from __future__ import annotations

import sklearn.ensemble

from socml.detectors.supervised._trees import VotingTrees

__all__ = ["ExtraTrees"]


class ExtraTrees(VotingTrees):
    """Trees with random thresholds vote; votes are calibrated on held-out folds, classes balanced by weight.

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
    P. Geurts, D. Ernst, L. Wehenkel (2006), «Extremely Randomized Trees», Machine Learning 63,
    doi:10.1007/s10994-006-6226-1

    Examples
    --------
    >>> X, y = [[0.0], [0.2], [0.4], [2.0], [2.2], [2.4]] * 5, [0, 0, 0, 1, 1, 1] * 5
    >>> classifier = ExtraTrees(n_estimators=20, random_state=0).fit(X, y)
    >>> low, high = classifier.predict_proba([[0.1], [2.3]])[:, 1]
    >>> bool(low < 0.5 < high)
    True
    """

    _ensemble = sklearn.ensemble.ExtraTreesClassifier
    _class_weight = "balanced"
