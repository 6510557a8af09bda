"""A numeric matrix → how far each row lies from the most concentrated half of the rows (robust Mahalanobis)."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from socml.detectors._mahalanobis import MahalanobisDetector, weighed
from socml.detectors._one_thread import on_one_thread
from socml.project import Interval

__all__ = ["RobustCovariance"]

MAD_TO_SIGMA = 1.4826  # makes the median absolute deviation an estimate of the standard deviation
STEPS = 30  # concentration steps; they converge in a handful
MOST_COLUMNS = 2_000  # whose covariance is inverted: time grows with the third power, the model with the second


class RobustCovariance(MahalanobisDetector):
    """The squared Mahalanobis distance from the densest part of the rows, which outliers cannot move.

    Starts from the rows nearest to the medians and takes concentration steps, each with a covariance that is
    shrunk toward the identity, so that columns that depend on one another, or more columns than rows, do no harm.

    Blind to a gap inside the cloud and to relations that are not straight lines; where rows form several groups
    it calls all but the largest unusual. Ignores columns that were constant in `fit`.

    Parameters
    ----------
    support : share of the rows that the shape is learnt from, 0.5 to 1
    shrinkage : weight of the identity in the covariance, 0 to 1
    max_rows : rows that are learnt from; a sample above that

    Attributes
    ----------
    centre_, scale_ : ndarray of shape (n_features,)
        Centre and robust scale of each column, in that column's unit; the scale of a constant one is infinite.
    precision_ : ndarray of shape (n_features, n_features), or (n_features,) of more than 2,000 columns
        Inverse of the shrunk covariance of the scaled columns; of very many columns, of their variances alone.

    References
    ----------
    K. Boudt, P. J. Rousseeuw, S. Vanduffel, T. Verdonck (2020), «The minimum regularized covariance
    determinant estimator», Statistics and Computing 30, doi:10.1007/s11222-019-09869-x

    Examples
    --------
    >>> X = [[float(i), i + i % 3 / 10] for i in range(12)] + [[1.0, 9.0]]  # the last breaks what the others share
    >>> int(RobustCovariance().fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    12
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "support": [Interval(Real, 0.5, 1, closed="both")],
        "shrinkage": [Interval(Real, 0, 1, closed="right")],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        support: float = 0.9,
        shrinkage: float = 0.2,
        max_rows: int = 20_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.support = support
        self.shrinkage = shrinkage
        self.max_rows = max_rows
        self.random_state = random_state

    @on_one_thread
    def fit(self, X: ArrayLike, y: object = None) -> RobustCovariance:
        """Learn centre and shape from X of shape (n_samples, n_features); `y` is ignored."""
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        if len(X) > self.max_rows:
            X = X[check_random_state(self.random_state).choice(len(X), self.max_rows, replace=False)]
        middle = np.median(X, axis=0)
        self.scale_ = _robust_scale(X, middle)
        Z = (X - middle) / self.scale_
        kept = max(int(self.support * len(Z)), min(2, len(Z)))
        inner = np.argsort((Z**2).sum(axis=1), kind="stable")[:kept]
        for _ in range(STEPS):
            centre, self.precision_ = self._shape(Z[inner])
            away = Z - centre
            nearer = np.argsort(weighed(away, self.precision_).sum(axis=1), kind="stable")[:kept]
            if np.array_equal(np.sort(nearer), np.sort(inner)):
                break
            inner = nearer
        self.centre_ = middle + centre * np.where(np.isfinite(self.scale_), self.scale_, 0.0)
        return self

    def _shape(self, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        centre = Z.mean(axis=0)
        if Z.shape[1] > MOST_COLUMNS:
            return centre, 1.0 / ((1 - self.shrinkage) * Z.var(axis=0) + self.shrinkage)
        covariance = (Z - centre).T @ (Z - centre) / len(Z)
        shrunk = (1 - self.shrinkage) * covariance
        shrunk[np.diag_indices_from(shrunk)] += self.shrinkage
        return centre, np.linalg.inv(shrunk)


def _robust_scale(X: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return the scaled MAD of each column, its standard deviation where that is 0, infinite where it is constant."""
    deviation = np.abs(X - middle)
    scale = MAD_TO_SIGMA * np.median(deviation, axis=0)
    scale = np.where(scale > 0, scale, X.std(axis=0))
    return np.where(scale > 1e-12 * np.abs(middle), scale, np.inf)
