"""A numeric matrix → how rare each row is in histograms of many sparse random projections."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.project import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Loda"]

BLOCK = 8_192  # rows that are projected at a time
EMPTY = 0.1  # rows that every bin is thought to hold besides its own, so that an empty one has a finite score


class Loda(BaseEstimator):
    """LODA: the mean over sparse random projections of −log of how full the row's bin is, in nats.

    Each projection weighs √(columns) of the scaled columns at random. It sees some odd combinations, at the
    price of a coarser view of each column. A value outside a histogram is as rare as one in an empty bin.

    Blind to a single odd column among very many, and to rows that are unusual among their own kind only.

    Parameters
    ----------
    n_projections : random projections
    n_bins : equally wide bins of each histogram

    Attributes
    ----------
    middle_, scale_ : ndarray of shape (n_features,)
        Median and standard deviation of each column, in that column's unit; the scale of a constant one is infinite.
    weights_ : ndarray of shape (n_features, n_projections)
    low_, width_ : ndarray of shape (n_projections,)
        Where each histogram starts and how wide its bins are.
    surprise_ : ndarray of shape (n_projections, n_bins + 1)
        What a row in each bin adds, in nats; the last is for rows outside.

    References
    ----------
    T. Pevný (2016), «Loda: Lightweight on-line detector of anomalies», Machine Learning 102,
    doi:10.1007/s10994-015-5521-0

    Examples
    --------
    >>> X = [[1.0, 1.0], [1.1, 0.9], [0.9, 1.0], [1.0, 1.1], [9.0, 9.0]]
    >>> int(Loda(random_state=0).fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    4
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "n_projections": [Interval(Integral, 1, None, closed="left")],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, n_projections: int = 200, n_bins: int = 20, random_state: int | np.random.RandomState | None = None
    ) -> None:
        self.n_projections = n_projections
        self.n_bins = n_bins
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Loda:
        """Draw the projections and learn their histograms from X of shape (n_samples, n_features); `y` is ignored."""
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        self.middle_ = np.median(X, axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 1e-12 * np.abs(self.middle_), spread, np.inf)
        self.weights_ = self._draw(X.shape[1])
        low = np.full(self.n_projections, np.inf)
        high = -low
        for projected in self._projected(X):
            low, high = np.minimum(low, projected.min(axis=0)), np.maximum(high, projected.max(axis=0))
        self.low_, self.width_ = low, (high - low) / self.n_bins
        counts = np.zeros((self.n_projections, self.n_bins + 1))
        for projected in self._projected(X):
            np.add.at(counts, (np.arange(self.n_projections), self._bins(projected)), 1)
        filled = counts + EMPTY
        self.surprise_ = np.log(filled.max(axis=1, keepdims=True) / filled)
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus each row's mean surprise, shape (n_samples,), in nats: higher is more NORMAL."""
        X = self._checked(X)
        each = [self._surprises(projected).mean(axis=1) for projected in self._projected(X)]
        return -np.concatenate(each)

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part, shape (n_samples, n_features), none negative; they sum to the score, sign turned.

        A projection's surprise is divided among its columns by how far each moved the row from the medians.
        A row that stands at the medians of a projection and is surprising there shares it by the weights.
        """
        X = self._checked(X)
        parts = np.zeros(X.shape)
        size = np.abs(self.weights_)
        for at in range(0, len(X), BLOCK):
            block = slice(at, at + BLOCK)
            Z = (X[block] - self.middle_) / self.scale_
            surprise = self._surprises(self._project(Z)) / self.n_projections
            moved = np.abs(Z) @ size
            still = moved == 0
            per_move = np.where(still, 0.0, surprise / np.where(still, 1.0, moved))
            parts[block] = np.abs(Z) * (per_move @ size.T)
            parts[block] += np.where(still, surprise, 0.0) @ (size / size.sum(axis=0)).T
        return parts

    def _draw(self, n_features: int) -> np.ndarray:
        random = check_random_state(self.random_state)
        used = max(round(np.sqrt(n_features)), 1)
        weights = np.zeros((n_features, self.n_projections))
        for k in range(self.n_projections):
            weights[random.choice(n_features, used, replace=False), k] = random.standard_normal(used)
        return weights

    def _checked(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "surprise_")
        return validate_data(self, X, dtype=np.float64, reset=False)

    def _projected(self, X: np.ndarray) -> Iterator[np.ndarray]:
        for at in range(0, len(X), BLOCK):
            yield self._project((X[at : at + BLOCK] - self.middle_) / self.scale_)

    def _project(self, Z: np.ndarray) -> np.ndarray:
        """Multiply column by column: a matrix product rounds differently by batch size, and a bin has hard edges."""
        projected = np.zeros((len(Z), self.n_projections))
        for column, weights in zip(Z.T, self.weights_, strict=True):
            used = np.flatnonzero(weights)
            projected[:, used] += column[:, None] * weights[used]
        return projected

    def _bins(self, projected: np.ndarray) -> np.ndarray:
        width = np.where(self.width_ > 0, self.width_, np.inf)
        place = (projected - self.low_) / width
        inside = (projected >= self.low_) & (place <= self.n_bins * (1 + 1e-9))
        return np.where(inside, np.minimum(place, self.n_bins - 1), self.n_bins).astype(np.int64)

    def _surprises(self, projected: np.ndarray) -> np.ndarray:
        return np.asarray(self.surprise_[np.arange(self.n_projections), self._bins(projected)])
