"""A centre, scales and a precision matrix → how far rows lie from the centre, and what each column has to do with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.detectors._one_thread import on_one_thread


def weighed(Z: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return each cell's part of the squared distance of rows Z from the centre; `precision` as it is kept."""
    return np.asarray(Z * (Z * precision if precision.ndim == 1 else Z @ precision))


class MahalanobisDetector(BaseEstimator):
    """What detectors share that measure the squared Mahalanobis distance from a centre.

    Attributes
    ----------
    centre_, scale_ : ndarray of shape (n_features,)
        Centre and scale of each column, in that column's unit; the scale of a constant one is infinite.
    precision_ : ndarray of shape (n_features, n_features), or (n_features,) where columns are taken for independent
        Inverse of the covariance of the scaled columns; one row of its diagonal in the second case.
    """

    centre_: np.ndarray
    scale_: np.ndarray
    precision_: np.ndarray

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus each row's squared distance, shape (n_samples,), without a unit: higher is more NORMAL."""
        return np.asarray(-self.contributions(X).sum(axis=1))

    @on_one_thread
    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part of the squared distance, shape (n_samples, n_features); they sum to it.

        They are the Shapley values of the distance where a column that is left out stands at the centre. A
        negative one says that this value explains part of what is odd elsewhere in the row.
        """
        check_is_fitted(self, "precision_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        Z = (X - self.centre_) / self.scale_
        return weighed(Z, self.precision_)
