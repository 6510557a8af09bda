"""Scaled rows → how rare each is in small histograms of random projections. Equal to River's LODA."""

from __future__ import annotations

import math
import random
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Flags, Floats, Ints
from socml.detectors.online._detector import OnlineDetector, Shared
from socml.project import njit

__all__ = ["Loda"]

LEAST = 1e-12  # density outside every bin


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

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        learned = (self._edges, self._counts, self._used, self._totals)
        return np.asarray(loda_normality(scaled, admitted, self._chosen, self._weights, *learned))

    def _adapt(self) -> None:
        self._counts *= 0.5
        self._totals *= 0.5


@njit(cache=True, nogil=True)
def _update(edges: AnyFloats, counts: Floats, used: int, value: float) -> int:
    """Put a value into a histogram and return how many bins it has now.

    Parameters
    ----------
    edges : float64 (2, max_bins + 1), left and right edge of each bin, ascending; changed in place
    counts : float64 (max_bins + 1,); changed in place
    """
    most = counts.size - 1
    at = 0
    while at < used and edges[1, at] < value:
        at += 1
    if at < used and value >= edges[0, at]:
        counts[at] += 1.0
        return used
    for k in range(used, at, -1):
        edges[0, k], edges[1, k], counts[k] = edges[0, k - 1], edges[1, k - 1], counts[k - 1]
    edges[0, at], edges[1, at], counts[at] = value, value, 1.0
    used += 1
    if used <= most:
        return used
    closest, nearest = np.inf, 0
    for k in range(1, used):
        if edges[1, k] - edges[1, k - 1] < closest:
            closest, nearest = edges[1, k] - edges[1, k - 1], k - 1
    edges[0, nearest] = min(edges[0, nearest], edges[0, nearest + 1])
    edges[1, nearest] = max(edges[1, nearest], edges[1, nearest + 1])
    counts[nearest] += counts[nearest + 1]
    for k in range(nearest + 1, used - 1):
        edges[0, k], edges[1, k], counts[k] = edges[0, k + 1], edges[1, k + 1], counts[k + 1]
    return used - 1


@njit(cache=True, nogil=True)
def _density(edges: AnyFloats, counts: Floats, used: int, total: float, value: float) -> float:
    for k in range(used):
        if value > edges[1, k]:
            continue
        if value < edges[0, k]:
            return 0.0
        width = edges[1, k] - edges[0, k]
        if width <= 0.0:
            left = edges[0, k] - edges[1, k - 1] if k > 0 else np.inf
            right = edges[0, k + 1] - edges[1, k] if k + 1 < used else np.inf
            width = min(left, right)
            if not (np.isfinite(width) and width > 0.0):
                return counts[k] / total  # type: ignore[no-any-return]  # NumPy gives an element no type
        return counts[k] / total / width  # type: ignore[no-any-return]  # NumPy gives an element no type
    return 0.0


@njit(cache=True, nogil=True)
def loda_normality(
    scaled: Floats,
    admitted: Flags,
    chosen: NDArray[np.int64],
    weights: Floats,
    edges: AnyFloats,
    counts: Floats,
    used: Ints,
    totals: Floats,
) -> Floats:
    """Return each row's mean log density over the histograms, shape (n_rows,): higher is more NORMAL.

    Parameters
    ----------
    scaled : float64 (n_rows, n_columns)
    admitted : bool (n_rows,), whether a row is learned after it was scored
    chosen, weights : int64 and float64 (n_cuts, n_chosen), the columns of each projection and their weights
    edges, counts : float64 (n_cuts, 2, max_bins + 1) and (n_cuts, max_bins + 1); changed in place
    used, totals : int64 and float64 (n_cuts,), bins in use and values learned; changed in place
    """
    n_cuts = chosen.shape[0]
    normality = np.zeros(scaled.shape[0])
    for i in range(scaled.shape[0]):
        started = used[0] > 0
        for cut in range(n_cuts):
            value = 0.0
            for k in range(chosen.shape[1]):
                value += weights[cut, k] * scaled[i, chosen[cut, k]]
            if started:
                density = _density(edges[cut], counts[cut], used[cut], totals[cut], value)
                normality[i] += math.log(max(density, LEAST))
            if admitted[i]:
                totals[cut] += 1.0
                used[cut] = _update(edges[cut], counts[cut], used[cut], value)
        normality[i] /= n_cuts
    return normality
