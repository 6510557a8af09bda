"""A detector of sequences → the whole score is its sequence's, and which steps of it were the most surprising."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from socml.detectors import SequenceDetector

__all__ = ["SequenceSteps"]

SHOWN = 3  # steps that are told
START, END = "▷", "▪"


class SequenceSteps:
    """The score of a sequence in bits, all of it from its one column; `in_steps` tells what it is made of.

    Blind to steps that came in too early or too late without being surprising where they stand.

    Examples
    --------
    >>> from socml.detectors.markov import Markov
    >>> explainer = SequenceSteps(Markov().fit(["open read close"] * 9))
    >>> odd = np.array([["open exec close"]], dtype=object)
    >>> explainer.in_steps(odd)
    ['open → exec (12 bits) · exec → close (2 bits) · close → ▪ (0 bits)']
    >>> bool(np.isclose(explainer.contributions(odd)[0, 0], -explainer.detector.score_samples(odd)[0]))
    True
    """

    exact = True
    unit = "bits of surprise"
    base = 0.0

    def __init__(self, detector: SequenceDetector) -> None:
        self.detector = detector

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector tells how surprising each step of a sequence is."""
        return hasattr(detector, "surprises")

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return the anomaly score of each sequence, shape (n_rows, 1): all that there is pushes."""
        return np.asarray(-self.detector.score_samples(X), dtype=np.float64)[:, None]

    def in_steps(self, X: np.ndarray) -> list[str]:
        """Return the most surprising steps of each sequence, each after the one before it, most surprising first."""
        return [self._told(text) for text in X[:, 0]]

    def _told(self, text: str) -> str:
        steps = self.detector.surprises(text)
        tokens = [START, *(token or END for token, _ in steps)]
        order = sorted(range(len(steps)), key=lambda i: -steps[i][1])[:SHOWN]
        return " · ".join(f"{tokens[i]} → {tokens[i + 1]} ({steps[i][1]:.0f} bits)" for i in order)
