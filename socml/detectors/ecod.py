"""A numeric matrix → how far out in its tails each row lies, column by column, against frozen distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.kernels.empirical import Empirical, freeze, tails

__all__ = ["Ecod"]


class Ecod(BaseEstimator):
    """ECOD: the sum over columns of −log of the smaller tail that the value lies in, in nats.

    The distributions are frozen in `fit`, so a row scores the same whichever rows are scored with it
    (PyOD's ECOD mixes the scored rows into the distributions).

    Blind to odd combinations of ordinary values, to a gap in the middle of a column, and to how far beyond
    everything seen a value lies. Columns that repeat one another count again.

    Attributes
    ----------
    start_, points_, up_to_, below_ : ndarray
        The distributions, as `socml.kernels.empirical.Empirical` describes them.
    n_rows_ : int
        Rows they were learnt from.

    References
    ----------
    Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. Chen (2022), «ECOD: Unsupervised Outlier Detection Using
    Empirical Cumulative Distribution Functions», IEEE TKDE, doi:10.1109/TKDE.2022.3159580

    Examples
    --------
    >>> X = [[1.0], [2.0], [2.0], [2.0], [9.0]]
    >>> Ecod().fit(X).score_samples([[2.0], [9.0], [99.0]]).round(2).tolist()  # the lowest is the most anomalous
    [-0.22, -1.61, -1.79]
    """

    def fit(self, X: Any, y: Any = None) -> Ecod:
        """Learn each column's distribution from X of shape (n_samples, n_features); `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64)
        self.start_, self.points_, self.up_to_, self.below_, self.n_rows_ = freeze(X)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the sum of each row's tails, shape (n_samples,), in nats: higher is more NORMAL."""
        return -self.contributions(X).sum(axis=1)

    def contributions(self, X: Any) -> np.ndarray:
        """Return each cell's −log tail, shape (n_samples, n_features), none negative; they sum to the score.

        A column that was constant gives 0 for its value and log(rows + 1) for any other.
        """
        check_is_fitted(self, "points_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        known = Empirical(self.start_, self.points_, self.up_to_, self.below_, self.n_rows_)
        return np.maximum(*tails(known, X))
