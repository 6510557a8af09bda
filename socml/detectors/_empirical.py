"""A matrix → the empirical distribution of each column, frozen, and how far out in it a value lies.

Up to 20,000 distinct values of a column are kept; above that, the outermost 5,000 on both sides and an even
grid between, so that tails stay exact and what is kept is bounded.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

EXACT = 20_000
TAIL = 5_000


class Empirical(NamedTuple):
    """The distributions of all columns, one behind the other, as plain arrays that any file format keeps.

    Attributes
    ----------
    start : shape (n_columns + 1,): column j has the points `start[j]:start[j + 1]`
    points : distinct values, ascending within a column
    up_to, below : how many rows are at most, and less than, each point
    rows : number of rows
    """

    start: np.ndarray
    points: np.ndarray
    up_to: np.ndarray
    below: np.ndarray
    rows: int


def freeze(X: np.ndarray) -> Empirical:
    """Return the empirical distributions of the columns of X, shape (n_rows, n_columns), finite."""
    parts = [_points(X[:, j]) for j in range(X.shape[1])]
    start = np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])]).astype(np.int64)
    points, up_to, below = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Empirical(start, points, up_to, below, len(X))


def tails(known: Empirical, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how surprising it is to be as low, and as high, as each cell: −log of the tail's share, in nats.

    The tail includes the value itself. A value beyond all that was seen is in a tail of 1/(rows + 1).

    Examples
    --------
    >>> known = freeze(np.array([[1.0], [2.0], [2.0], [5.0]]))
    >>> low, high = tails(known, np.array([[1.0], [2.0], [9.0]]))
    >>> np.exp(-low).ravel().tolist(), np.exp(-high).round(2).ravel().tolist()
    ([0.25, 0.75, 1.0], [1.0, 0.75, 0.2])
    """
    low = np.empty(X.shape)
    high = np.empty(X.shape)
    beyond = np.log(known.rows + 1.0)
    with np.errstate(divide="ignore"):
        for j in range(X.shape[1]):
            at = slice(known.start[j], known.start[j + 1])
            points, up_to, below = known.points[at], known.up_to[at], known.below[at]
            # A lookup for each place a value can take: on a point, or between two of them.
            least = -np.log(np.concatenate([[0], up_to]) / known.rows)
            most_at = -np.log(1.0 - below / known.rows)
            most_between = -np.log(1.0 - np.concatenate([[0], up_to]) / known.rows)
            place = np.searchsorted(points, X[:, j], side="right")
            on_point = points[np.maximum(place - 1, 0)] == X[:, j]
            low[:, j] = least[place]
            high[:, j] = np.where(on_point, most_at[np.maximum(place - 1, 0)], most_between[place])
    return np.minimum(low, beyond), np.minimum(high, beyond)


class TailDetector(BaseEstimator):
    """What detectors share that add up tails of frozen distributions: a row scores the same whichever rows are with it.

    Attributes
    ----------
    start_, points_, up_to_, below_ : ndarray
        The distributions, as `Empirical` describes them.
    n_rows_ : int
        Rows they were learnt from.
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn each column's distribution from X of shape (n_samples, n_features); `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64)
        self.start_, self.points_, self.up_to_, self.below_, self.n_rows_ = freeze(X)
        self._learn(X)
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the sum of each row's tails, shape (n_samples,), in nats: higher is more NORMAL."""
        return np.asarray(-self.contributions(X).sum(axis=1))

    def contributions(self, X: ArrayLike) -> np.ndarray:
        """Return each cell's part, shape (n_samples, n_features), none negative; they sum to the score, sign turned.

        A column that was constant gives 0 for its value and log(rows + 1) for any other.
        """
        check_is_fitted(self, "points_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._told(*tails(Empirical(self.start_, self.points_, self.up_to_, self.below_, self.n_rows_), X))

    def _learn(self, X: np.ndarray) -> None:
        """Learn what else is needed of the rows."""

    @abstractmethod
    def _told(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return what counts of a value that is as low, and as high, as these tails say."""


def skewness(X: np.ndarray) -> np.ndarray:
    """Return the skewness of each column of X, 0 where it is constant."""
    largest = np.abs(X).max(axis=0)
    centred = X / np.where(largest > 0, largest, 1.0)
    centred = centred - centred.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    usable = spread > 1e-12
    return np.where(usable, ((centred / np.where(usable, spread, 1.0)) ** 3).mean(axis=0), 0.0)


def _points(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, counts = np.unique(column, return_counts=True)
    up_to = np.cumsum(counts)
    below = up_to - counts
    if len(values) > EXACT:
        inner = np.linspace(TAIL, len(values) - TAIL - 1, EXACT - 2 * TAIL).astype(np.int64)
        kept = np.concatenate([np.arange(TAIL), inner, np.arange(len(values) - TAIL, len(values))])
        values, up_to, below = values[kept], up_to[kept], below[kept]
    return values, up_to, below
