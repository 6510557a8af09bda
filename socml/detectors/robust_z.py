"""A numeric matrix → how far each row's most unusual column lies from the median, in robust standard deviations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["RobustZ"]

MAD_TO_SIGMA = 1.4826  # makes the median absolute deviation an estimate of the standard deviation


class RobustZ(BaseEstimator):
    """Score a row by its most unusual column, in robust standard deviations.

    Blind to odd combinations of ordinary values. Ignores columns that were constant in `fit`.

    Attributes
    ----------
    median_, scale_ : ndarray of shape (n_features,)
        Median and robust standard deviation of each column, in that column's unit; the scale of a column
        that was constant is infinite. Where more than half of a column is one value, the median absolute
        deviation is 0 and the plain standard deviation stands in for it.

    References
    ----------
    B. Iglewicz, D. Hoaglin (1993), «How to Detect and Handle Outliers», ASQC Quality Press.

    Examples
    --------
    >>> X = [[1.0], [2.0], [3.0], [90.0]]
    >>> int(RobustZ().fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    3
    """

    def fit(self, X: ArrayLike, y: object = None) -> RobustZ:
        """Learn each column's median and scale from X of shape (n_samples, n_features); `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64)
        self.median_ = np.median(X, axis=0)
        deviation = np.abs(X - self.median_)
        scale = MAD_TO_SIGMA * np.median(deviation, axis=0)
        scale = np.where(scale > 0, scale, np.sqrt((deviation**2).mean(axis=0)))
        self.scale_ = np.where(scale > 0, scale, np.inf)
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the largest |z| of each row, shape (n_samples,): higher is more NORMAL, 0 the most."""
        return np.asarray(-self._z(X).max(axis=1))

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part of the row's largest |z|, shape (n_samples, n_features), none negative.

        They are the Shapley values of a maximum, and sum to it: what two columns reach together is shared
        between them (S. C. Littlechild, G. Owen (1973), «A Simple Expression for the Shapley Value in a
        Special Case», Management Science 20).

        Examples
        --------
        >>> detector = RobustZ().fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
        >>> detector.contributions([[1.0, 9.0]]).round(1).tolist()
        [[0.0, 5.4]]
        """
        z = self._z(X)
        order = np.argsort(z, axis=1, kind="stable")
        steps = np.diff(np.take_along_axis(z, order, axis=1), axis=1, prepend=0.0)
        shared = np.cumsum(steps / np.arange(z.shape[1], 0, -1), axis=1)
        parts = np.empty_like(z)
        np.put_along_axis(parts, order, shared, axis=1)
        return parts

    def _z(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(np.abs(X - self.median_) / self.scale_)
