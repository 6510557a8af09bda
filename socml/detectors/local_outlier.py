"""A numeric matrix → how much sparser each row's surroundings are than those of its neighbours (LOF)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from socml.detectors._neighbours import NeighbourDetector, nearest

__all__ = ["LocalOutlier"]

LEAST = 1e-3  # shortest distance, as a share of the mean one, so that duplicates are not infinitely dense
NO_DISTANCE = 1e-12  # where all rows are alike, in units of the scaled columns


class LocalOutlier(NeighbourDetector):
    """Local outlier factor against a sample of the training rows: log of the neighbours' density over the row's own.

    Columns are scaled to their range. Duplicates have a finite density, unlike in the textbook, where a row
    beside many equal ones has a factor without bound.

    Blind to groups of more than `n_neighbors` anomalies that are alike, such as a scan or a flood, and to
    all that is unusual for everyone but not among its neighbours.

    Parameters
    ----------
    n_neighbors : neighbours that make up a row's surroundings
    max_rows : training rows that are kept as possible neighbours; a sample above that

    Attributes
    ----------
    low_, range_ : ndarray of shape (n_features,)
        Lowest value and range of each column, in that column's unit; the range of a constant one is infinite.
    reference_ : ndarray of shape (n_reference, n_features)
        Rows that may be neighbours, scaled.
    reach_, density_ : ndarray of shape (n_reference,)
        How far each one's own neighbours reach, and the inverse of its mean reachability distance.

    References
    ----------
    M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander (2000), «LOF: Identifying Density-Based Local Outliers»,
    SIGMOD, doi:10.1145/342009.335388

    Examples
    --------
    >>> X = [[0.0], [0.1], [0.2], [0.3], [2.0]]
    >>> int(LocalOutlier(n_neighbors=2).fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    4
    """

    def __init__(
        self, *, n_neighbors: int = 50, max_rows: int = 4_096, random_state: int | np.random.RandomState | None = None
    ) -> None:
        self.n_neighbors = n_neighbors
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> LocalOutlier:
        """Learn how dense it is around some of the rows of X, shape (n_samples, n_features); `y` is ignored."""
        self._keep_sample(X)
        distances, positions = nearest(self.reference_, self.reference_, self.n_neighbors)
        self.least_ = max(LEAST * float(distances.mean()), NO_DISTANCE)
        self.reach_ = distances[:, -1]
        self.density_ = self._density(distances, positions)
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus log of the local outlier factor, shape (n_samples,): higher is more NORMAL, 0 is as usual."""
        distances, positions = nearest(self.reference_, self._scaled(X), self.n_neighbors)
        around = self.density_[positions].mean(axis=1)
        return np.asarray(-np.log(around / self._density(distances, positions)))

    def _density(self, distances: np.ndarray, positions: np.ndarray) -> np.ndarray:
        reachability = np.maximum(distances, self.reach_[positions])
        return np.asarray(1.0 / np.maximum(reachability.mean(axis=1), self.least_))
