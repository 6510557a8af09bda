"""A numeric matrix → how unlikely each row is under its empirical copula, against frozen distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.kernels.empirical import Empirical, freeze, skewness, tails

__all__ = ["Copod"]


class Copod(BaseEstimator):
    """COPOD: the sum over columns of −log of a tail: the one a column is skewed to, or both on average if more.

    The distributions are frozen in `fit`, so a row scores the same whichever rows are scored with it.

    Blind to odd combinations of ordinary values, to a gap in the middle of a column, to how far beyond
    everything seen a value lies, and partly to low values of a column that is skewed to high ones.

    Attributes
    ----------
    skewness_ : ndarray of shape (n_features,)
        Skewness of each column, without a unit; its sign says which tail counts.
    start_, points_, up_to_, below_ : ndarray
        The distributions, as `socml.kernels.empirical.Empirical` describes them.
    n_rows_ : int
        Rows they were learnt from.

    References
    ----------
    Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu (2020), «COPOD: Copula-Based Outlier Detection», ICDM,
    doi:10.1109/ICDM50108.2020.00135

    Examples
    --------
    >>> X = [[1.0], [2.0], [2.0], [2.0], [9.0]]
    >>> Copod().fit(X).score_samples([[2.0], [9.0], [99.0]]).round(2).tolist()  # the lowest is the most anomalous
    [-0.22, -1.61, -1.79]
    """

    def fit(self, X: Any, y: Any = None) -> Copod:
        """Learn each column's distribution and skewness from X of shape (n_samples, n_features); `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64)
        self.start_, self.points_, self.up_to_, self.below_, self.n_rows_ = freeze(X)
        self.skewness_ = skewness(X)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the sum of each row's tails, shape (n_samples,), in nats: higher is more NORMAL."""
        return -self.contributions(X).sum(axis=1)

    def contributions(self, X: Any) -> np.ndarray:
        """Return each cell's part, shape (n_samples, n_features), none negative; they sum to the score, sign turned."""
        check_is_fitted(self, "points_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        known = Empirical(self.start_, self.points_, self.up_to_, self.below_, self.n_rows_)
        low, high = tails(known, X)
        skewed = np.where(self.skewness_ < 0, low, high)
        skewed = np.where(self.skewness_ == 0, low + high, skewed)  # as the authors' code has it
        return np.maximum(skewed, (low + high) / 2)
