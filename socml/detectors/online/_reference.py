"""Scores in the order they come → the percentile of each among the scores before it."""

from __future__ import annotations

import numpy as np

from socml.detectors._arrays import Floats
from socml.detectors.online._state import State

KEPT = 20_000  # last scores that a percentile is measured against
FIRST = 100  # scores after which the scale is first there; before, every percentile is 0
STEP = 1_000  # scores after which it is renewed, at the latest


class RunningReference:
    """Measure scores against the last 20,000 before them.

    The scale is renewed at fixed counts of scores, so that blocks and single scores are measured alike.

    Examples
    --------
    >>> scale = RunningReference()
    >>> _ = scale.measure(-np.arange(100.0))
    >>> scale.measure(np.array([-98.5, 1.0])).tolist()
    [99.0, 0.0]
    """

    def __init__(self) -> None:
        self.rows = 0
        self._recent = np.zeros(0)
        self._sorted = np.zeros(0)

    def measure(self, normality: Floats) -> Floats:
        """Return the share of the reference that is more normal, 0 to 100, shape (n_rows,); then remember them."""
        percentile = np.zeros(len(normality))
        at = 0
        while at < len(normality):
            end = min(len(normality), at + self._renewal() - self.rows)
            if len(self._sorted):
                at_most = np.searchsorted(self._sorted, normality[at:end], side="right")
                percentile[at:end] = 100.0 * (1.0 - at_most / len(self._sorted))
            self._recent = np.concatenate([self._recent, normality[at:end]])[-KEPT:]
            due = self._renewal() == self.rows + end - at
            self.rows += end - at
            if due:
                self._sorted = np.sort(self._recent)
            at = end
        return percentile

    def state(self) -> State:
        """Return all that it knows."""
        return {"rows": self.rows, "recent": self._recent, "sorted": self._sorted}

    def restore(self, state: State) -> None:
        """Continue where `state` was taken."""
        self.rows = int(state["rows"])
        self._recent, self._sorted = np.array(state["recent"]), np.array(state["sorted"])

    def _renewal(self) -> int:
        """Return the count of scores at which the scale is renewed next."""
        if self.rows < FIRST:
            return FIRST
        if self.rows < STEP:
            return int(min(STEP, FIRST * 2 ** int(np.log2(self.rows / FIRST) + 1)))
        return (self.rows // STEP + 1) * STEP
