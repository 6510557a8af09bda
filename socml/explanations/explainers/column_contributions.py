"""A detector that tells its own contributions, and matrix rows → those contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from socml.detectors import Contributing

__all__ = ["ColumnContributions"]


class ColumnContributions:
    """What the detector's own `contributions(X)` says: they and `base`, 0, add up to its anomaly score.

    Blind to whatever the detector's own account leaves out.

    Examples
    --------
    >>> from socml.detectors.robust_z import RobustZ
    >>> detector = RobustZ().fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    >>> ColumnContributions(detector).contributions(np.array([[1.0, 9.0]])).argmax()
    np.int64(1)
    """

    exact = True
    unit = "anomaly score"
    base = 0.0

    def __init__(self, detector: Contributing) -> None:
        self._detector = detector

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector has `contributions(X)` of its anomaly score (a classifier's are of log-odds)."""
        return hasattr(detector, "contributions") and not hasattr(detector, "log_odds")

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each cell's part of the anomaly score, shape as X: positive pushes toward anomalous."""
        return np.asarray(self._detector.contributions(X), dtype=np.float64)
