"""A numeric matrix → how rare each row's values are in a histogram of each column."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.project import Interval

__all__ = ["Hbos"]


class Hbos(BaseEstimator):
    """Histogram-based outlier score: the sum over columns of −log of how full the value's bin is.

    Bins are equally wide from a column's lowest to its highest value; a bin's fullness is its share of the
    rows over that of the column's fullest bin. A value outside is as rare as one in an empty bin.

    Blind to odd combinations of ordinary values; one extreme value stretches the bins and hides what is
    unusual near the mass. Ignores columns that were constant in `fit`.

    Parameters
    ----------
    n_bins : bins a column
    smoothing : rows that every bin is thought to hold besides its own, so that an empty one has a finite score

    Attributes
    ----------
    low_, width_ : ndarray of shape (n_features,)
        Where a column's first bin starts, and how wide each is, in that column's unit; 0 wide if constant.
    surprise_ : ndarray of shape (n_features, n_bins + 1)
        What a value in each bin adds, in nats; the last is for values outside.

    References
    ----------
    M. Goldstein, A. Dengel (2012), «Histogram-based Outlier Score (HBOS): A Fast Unsupervised Anomaly
    Detection Algorithm», KI-2012 Poster and Demo Track

    Examples
    --------
    >>> X = [[0.0], [1.0], [1.1], [1.2], [9.0]]
    >>> (-Hbos(n_bins=5).fit(X).score_samples([[1.0], [9.0], [99.0]])).round(2).tolist()  # turned: highest is most anomalous
    [0.0, 1.32, 3.71]
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, n_bins: int = 10, smoothing: float = 0.1) -> None:
        self.n_bins = n_bins
        self.smoothing = smoothing

    def fit(self, X: ArrayLike, y: object = None) -> Hbos:
        """Learn each column's histogram from X of shape (n_samples, n_features); `y` is ignored."""
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        self.low_ = X.min(axis=0)
        self.width_ = X.max(axis=0) / self.n_bins - self.low_ / self.n_bins  # a difference of extremes may overflow
        bins = self._bins(X)
        counts = np.stack([np.bincount(bins[:, j], minlength=self.n_bins + 1) for j in range(X.shape[1])])
        filled = counts + self.smoothing
        self.surprise_ = np.log(filled.max(axis=1, keepdims=True) / filled)
        self.surprise_[self.width_ == 0] = 0.0
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the sum of each row's surprises, shape (n_samples,), in nats: higher is more NORMAL."""
        return np.asarray(-self.contributions(X).sum(axis=1))

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's surprise, shape (n_samples, n_features), none negative; they sum to the score."""
        check_is_fitted(self, "surprise_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.surprise_[np.arange(X.shape[1]), self._bins(X)])

    def _bins(self, X: np.ndarray) -> np.ndarray:
        """Return the bin of each cell; `n_bins` where it is outside. The last bin includes its upper edge."""
        width = np.where(self.width_ > 0, self.width_, 1.0)
        place = X / width - self.low_ / width
        inside = (place >= 0) & (place <= self.n_bins * (1 + 1e-12))
        return np.where(inside, np.minimum(place, self.n_bins - 1), self.n_bins).astype(np.int64)
