"""A linear classifier and matrix rows → how far each cell pushed the log-odds toward malicious, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socml.explanations.explainers.column_contributions import ColumnContributions

if TYPE_CHECKING:
    from socml.detectors import LogOddsClassifier

__all__ = ["LogOdds"]


class LogOdds(ColumnContributions):
    """What a classifier's own sum says: parts and `base` add up to its calibrated log-odds.

    Blind to dependence between columns: of two that say the same, each is told its own weight.

    Attributes
    ----------
    base : float, calibrated log-odds of a row that is average in every column

    Examples
    --------
    >>> from socml.detectors.supervised.logistic_regression import LogisticRegression
    >>> import numpy as np
    >>> X, y = [[0.0, 1.0], [0.2, 0.0], [0.4, 1.0], [2.0, 0.0], [2.2, 1.0], [2.4, 0.0]], [0, 0, 0, 1, 1, 1]
    >>> explainer = LogOdds(LogisticRegression(calibration_folds=3, random_state=0).fit(X, y))
    >>> int(explainer.contributions(np.array([[2.3, 0.5]])).argmax())
    0
    """

    exact = True
    unit = "log-odds of being malicious"

    def __init__(self, detector: LogOddsClassifier) -> None:
        super().__init__(detector)
        self.base = float(detector.base_)

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the classifier is a sum over columns that tells its parts."""
        return hasattr(detector, "contributions") and hasattr(detector, "log_odds")
