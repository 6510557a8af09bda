"""A numeric matrix → how far each row lies from the usual along the directions in which the columns vary together."""

from __future__ import annotations

from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import validate_data

from socml.detectors._mahalanobis import MahalanobisDetector
from socml.detectors._one_thread import on_one_thread
from socml.project import Interval

__all__ = ["Pca"]


class Pca(MahalanobisDetector):
    """The squared distance from the mean, each principal direction in units of its own variance (Mahalanobis).

    A direction in which nothing varied counts as if it had a small variance, `floor` of the mean one, so that a
    row which breaks a relation that always held is far away and its score still finite.

    Blind to a gap inside the cloud and to relations that are not straight lines; outliers in the training rows
    widen the cloud and hide themselves (`robust-covariance` resists). Ignores columns that were constant in `fit`.

    Parameters
    ----------
    floor : least variance of a direction, as a share of the mean of all

    Attributes
    ----------
    centre_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of each column, in that column's unit; the scale of a constant one is infinite.
    precision_ : ndarray of shape (n_features, n_features)
        Inverse of the floored correlation matrix.

    References
    ----------
    M.-L. Shyu, S.-C. Chen, K. Sarinnapakorn, L. Chang (2003), «A Novel Anomaly Detection Scheme Based on
    Principal Component Classifier», ICDM Foundation and New Direction of Data Mining Workshop

    Examples
    --------
    >>> X = [[1.0, 1.0], [2.0, 2.1], [3.0, 2.9], [4.0, 4.0], [1.0, 4.0]]  # the last breaks what the others share
    >>> int(Pca().fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    4
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {"floor": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, *, floor: float = 0.01) -> None:
        self.floor = floor

    @on_one_thread
    def fit(self, X: ArrayLike, y: object = None) -> Pca:
        """Learn how the columns vary together from X of shape (n_samples, n_features); `y` is ignored."""
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        self.centre_ = X.mean(axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 1e-12 * np.abs(self.centre_), spread, np.inf)
        Z = (X - self.centre_) / self.scale_
        variances, directions = np.linalg.eigh(Z.T @ Z / len(Z))
        least = max(self.floor * variances.mean(), 1e-12)
        self.precision_ = (directions / np.maximum(variances, least)) @ directions.T
        return self
