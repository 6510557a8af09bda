"""Scaled rows → how rare each is in small histograms of random projections."""

from __future__ import annotations

import math
import random
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from socml.detectors.online._compiled_loda import loda_normality
from socml.detectors.online._detector import OnlineDetector, Shared

__all__ = ["Loda"]


class Loda(OnlineDetector):
    """River's LODA, compiled, on inputs that are standardised as they come.

    Blind to what is ordinary in every projection of a few columns. Its bins only grow wider: in a long stream
    it tells less, until a drift halves what they hold.

    `score_one` is the mean log density, higher is more NORMAL; minus River's score.

    Parameters
    ----------
    n_bins : most bins in a histogram
    n_cuts : projections, each of the square root of the columns

    References
    ----------
    T. Pevný (2016), «Loda: Lightweight on-line detector of anomalies», Machine Learning 102(2).

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(600, 3))
    >>> detector = Loda(seed=1)
    >>> _ = detector.score_learn_many(rows)
    >>> detector.score_one(np.zeros(3)) > detector.score_one(np.full(3, 9.0))
    True
    """

    arrays = ("_edges", "_counts", "_used", "_totals")

    def __init__(self, *, n_bins: int = 20, n_cuts: int = 100, **others: Unpack[Shared]) -> None:
        super().__init__(**others)
        self.n_bins, self.n_cuts = int(n_bins), int(n_cuts)

    def _start(self, n_columns: int) -> None:
        rng = random.Random(self.seed)  # drawn as River draws them, so that the two can be compared
        size = max(1, int(math.sqrt(n_columns)))
        chosen, weights = [], []
        for _ in range(self.n_cuts):
            chosen.append(rng.sample(range(n_columns), size))
            weights.append([rng.gauss(0.0, 1.0) for _ in range(size)])
        self._chosen, self._weights = np.array(chosen, dtype=np.int64), np.array(weights)
        self._edges = np.zeros((self.n_cuts, 2, self.n_bins + 1))
        self._counts = np.zeros((self.n_cuts, self.n_bins + 1))
        self._used, self._totals = np.zeros(self.n_cuts, dtype=np.int64), np.zeros(self.n_cuts)

    def _run(self, scaled: NDArray[np.float64], admitted: NDArray[np.bool_]) -> NDArray[np.float64]:
        learned = (self._edges, self._counts, self._used, self._totals)
        return np.asarray(loda_normality(scaled, admitted, self._chosen, self._weights, *learned))

    def _adapt(self) -> None:
        self._counts *= 0.5
        self._totals *= 0.5
