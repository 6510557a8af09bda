"""An isolation forest and matrix rows → how far each cell pushed the score toward anomalous, exactly.

TreeSHAP of an isolation forest explains the mean path length, whose sign and scale are not the score's:
long paths are normal. Here each value is turned to log2 of the anomaly score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from socml.detectors import PackedForest, expected_depth, mean_path, pack_forest, tree_shap

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

__all__ = ["TreeShap"]


class TreeShap:
    """Shapley values of an isolation forest: they and `base` add up to log2 of the anomaly score.

    Blind to dependence between columns: a column that only repeats another shares its part. By our own
    compiled code, which gives shap's values to 1e-9; by shap where the forest is one the code does not read.

    Attributes
    ----------
    base : float, log2 of the anomaly score that the forest gives on average (in the sense of its paths)

    References
    ----------
    S. Lundberg et al. (2020), «From local explanations to global understanding with explainable AI for
    trees», Nature Machine Intelligence 2, doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> from socml.detectors.isolation_forest import IsolationForest
    >>> X = np.array([[0.0, 1.0], [0.1, 2.0], [0.2, 1.5], [9.0, 1.0]])
    >>> forest = IsolationForest(n_estimators=30, random_state=0).fit(X)
    >>> explainer = TreeShap(forest)
    >>> parts = explainer.contributions(X)
    >>> bool(np.allclose(parts.sum(axis=1) + explainer.base, np.log2(-forest.score_samples(X))))
    True
    >>> bool(parts[3, 0] > parts[3, 1])  # the odd column of the odd row pushes most
    True
    """

    exact = True
    unit = "log2 of the anomaly score"

    def __init__(self, detector: IsolationForest) -> None:
        self._normal_path = float(mean_path(int(detector.max_samples_)))
        try:
            self._packed: PackedForest | None = (
                detector.packed() if hasattr(detector, "packed") else pack_forest(detector)
            )
        except ValueError:  # fitted on infinite values
            self._packed = None
        if self._packed is None:
            import shap

            self._shap = shap.TreeExplainer(detector)
            expected = float(np.ravel(self._shap.expected_value)[0])
        else:
            expected = expected_depth(self._packed)
        self.base = -expected / self._normal_path

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector is an isolation forest that was fitted on more than one row."""
        from sklearn.ensemble import IsolationForest

        return isinstance(detector, IsolationForest) and int(detector.max_samples_) > 1

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each cell's part of log2(anomaly score), shape as X: positive pushes toward anomalous."""
        X = np.asarray(X, dtype=np.float32)
        if not len(X):
            return np.empty(X.shape)
        if self._packed is None:
            return np.asarray(-self._shap.shap_values(X, check_additivity=False) / self._normal_path)
        return -tree_shap(self._packed, X) / self._normal_path
