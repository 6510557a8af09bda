"""Reference rows and rows → each row's nearest reference rows and how far they are, itself left out.

A row that equals a reference row may be that row, so one equal row is left out. Distances then do not depend
on whether a row is among those that were learnt from, nor on which rows are asked about with it.
"""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.project import Interval

SAME = 1e-7  # distances below this, in units of the scaled columns, are rounding


def ranges(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest value and the range of each column of X; the range of a constant one is infinite."""
    low = X.min(axis=0)
    width = X.max(axis=0) - low
    return low, np.where(width > 0, width, np.inf)


def some_rows(X: np.ndarray, n_rows: int, random_state: int | np.random.RandomState | None) -> np.ndarray:
    """Return all rows of X, or `n_rows` drawn without replacement if it has more, in their order."""
    from sklearn.utils import check_random_state

    if len(X) <= n_rows:
        return X
    return X[np.sort(check_random_state(random_state).choice(len(X), n_rows, replace=False))]


def nearest(reference: np.ndarray, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distances to the `k` nearest reference rows, ascending, and their positions; both (n_rows, k).

    Fewer where the reference has fewer rows; at least one if it has two. Memory does not grow with n_rows · reference.

    Examples
    --------
    >>> distances, positions = nearest(np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [6.0]]), 1)
    >>> distances.tolist(), positions.tolist()
    ([[1.0], [1.0]], [[1], [2]])
    """
    from sklearn.neighbors import NearestNeighbors

    wanted = min(k + 1, len(reference))
    search = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(reference)
    distances, positions = search.kneighbors(X)
    if wanted == 1:
        return distances, positions
    itself = distances[:, :1] < SAME
    kept = slice(0, -1)
    distances = np.where(itself, distances[:, 1:], distances[:, kept])
    return distances, np.where(itself, positions[:, 1:], positions[:, kept])


class NeighbourDetector(BaseEstimator):
    """What detectors share that compare rows with a sample of the training rows, columns scaled to their range.

    Attributes
    ----------
    low_, range_ : ndarray of shape (n_features,)
        Lowest value and range of each column, in that column's unit; the range of a constant one is infinite.
    reference_ : ndarray of shape (n_reference, n_features)
        Rows that may be neighbours, scaled.
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }
    max_rows: int
    random_state: int | np.random.RandomState | None

    def _keep_sample(self, X: ArrayLike) -> None:
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        self.low_, self.range_ = ranges(X)
        self.reference_ = (some_rows(X, self.max_rows, self.random_state) - self.low_) / self.range_

    def _scaled(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "reference_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray((X - self.low_) / self.range_)
