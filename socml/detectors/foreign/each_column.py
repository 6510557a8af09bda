"""A River detector that judges one value at a time → a detector of whole rows: the most unusual column counts."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from river.base import AnomalyDetector, SupervisedAnomalyDetector


class EachColumn(AnomalyDetector):
    """Judge each column by a copy of a detector (`GaussianScorer`, `PredictiveAnomalyDetection`, …), given the others.

    Blind to what the detector is blind to.

    Parameters
    ----------
    detector : that has learned nothing
    """

    def __init__(self, detector: SupervisedAnomalyDetector) -> None:
        self.detector = detector
        self._of: dict[Hashable, SupervisedAnomalyDetector] = {}

    def learn_one(self, x: dict[Hashable, Any]) -> None:
        """Learn a row, each of its columns from the others."""
        for name, value in x.items():
            if name not in self._of:
                self._of[name] = self.detector.clone()
            self._of[name].learn_one(_without(x, name), value)

    def score_one(self, x: dict[Hashable, Any]) -> float:
        """Return the score of the most unusual column, higher is more ANOMALOUS; 0 while nothing was learned."""
        known = {name: value for name, value in x.items() if name in self._of}
        return max((self._of[name].score_one(_without(x, name), value) for name, value in known.items()), default=0.0)


def _without(x: dict[Hashable, Any], name: Hashable) -> dict[Hashable, Any]:
    return {other: value for other, value in x.items() if other != name}
