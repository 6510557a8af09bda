"""A boosted classifier and matrix rows → how far each cell pushed the log-odds toward malicious, exactly, by shap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from socml.detectors import Classifier

__all__ = ["BoostedTrees"]


class BoostedTrees:
    """Shapley values of gradient boosting: they and `base` add up to its calibrated log-odds.

    Blind to dependence between columns: a column that only repeats another shares its part.

    Attributes
    ----------
    base : float, calibrated log-odds of a row of which nothing is known

    Examples
    --------
    >>> from socml.detectors.supervised.gradient_boosting import GradientBoosting
    >>> X = np.column_stack([np.linspace(0, 1, 80), np.tile([0.0, 1.0], 40)])
    >>> classifier = GradientBoosting(max_iter=20, random_state=0).fit(X, X[:, 0] > 0.5)
    >>> explainer = BoostedTrees(classifier)
    >>> parts = explainer.contributions(X)
    >>> bool(np.allclose(parts.sum(axis=1) + explainer.base, classifier.log_odds(X), atol=1e-6))
    True
    """

    exact = True
    unit = "log-odds of being malicious"

    def __init__(self, detector: Classifier) -> None:
        import shap

        self._explainer = shap.TreeExplainer(detector.estimator_)
        self._slope = detector.slope_
        self.base = float(detector.intercept_ + self._slope * np.ravel(self._explainer.expected_value)[0])

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector is a calibrated gradient boosting of scikit-learn."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return isinstance(getattr(detector, "estimator_", None), HistGradientBoostingClassifier)

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each cell's part of the calibrated log-odds, shape as X: positive pushes toward malicious."""
        X = np.asarray(X, dtype=np.float64)
        if not len(X):
            return np.empty(X.shape)
        return np.asarray(self._slope * self._explainer.shap_values(X, check_additivity=False))
