"""A numeric matrix → the columns in which a row can stand out, and values so far beyond all others that nothing else need be asked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEW = 50  # different values from which a column is a quantity, not a category
COMMON = 0.1  # share of rows from which no value of a category is rare
EVEN = 0.5  # or of the share that each value would have, were all equally frequent
BLOCK = 4_000_000  # cells sorted at a time


def informative_columns(X: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which columns of X, shape (n_rows, n_columns), finite, tell rows apart; all of them if none does.

    A category each of whose values is common makes no row unusual, but a forest splits by it as often as by
    any other column, and many of them drown the column that matters. Odd combinations of common values are lost.

    Examples
    --------
    >>> informative_columns(np.array([[7.0, i % 2, i % 20 == 0, i] for i in range(100)])).tolist()
    [False, False, True, True]
    """
    values, rarest = distinct_values(X)
    common = np.where(values > 2, np.minimum(COMMON, EVEN / np.maximum(values, 1)), COMMON) * len(X)
    dull = (values < 2) | ((values < FEW) & (rarest >= common))
    return np.ones(X.shape[1], dtype=bool) if dull.all() else ~dull


def distinct_values(X: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each column of X how many different values it has, and in how many rows the rarest is."""
    n_rows, n_columns = X.shape
    values, rarest = np.empty(n_columns, dtype=np.int64), np.empty(n_columns, dtype=np.int64)
    step = max(1, BLOCK // max(n_rows, 1))
    for at in range(0, n_columns, step):
        ordered = np.sort(X[:, at : at + step], axis=0)
        new = np.vstack([np.ones((1, ordered.shape[1]), dtype=bool), ordered[1:] != ordered[:-1]])
        values[at : at + step] = new.sum(axis=0)
        for j in range(ordered.shape[1]):
            starts = np.flatnonzero(new[:, j])
            rarest[at + j] = np.diff(np.append(starts, n_rows)).min()
    return values, rarest


BEYOND = 1.5  # a spike is further from the median than this times the furthest of the other rows
FAR_BEYOND = 3.0  # and than this times in a column of few different values, whose steps are coarse, or of few rows
MOST_ROWS = 20  # that may be spikes on one side of a column: more of them are a group, not a few mistakes
MOST_SHARE = 0.01  # of the rows, for tables of less than 2,000
ENOUGH_ROWS = 500  # a column of fewer rows has gaps of `BEYOND` by chance


class Spikes(NamedTuple):
    """What is known of each column, as plain arrays of shape (n_columns,).

    Attributes
    ----------
    middle : the median
    down, up : how far below and above it the furthest row lies that is no spike; infinite where nothing can be one
    beyond : how many times as far a spike lies
    """

    middle: NDArray[np.float64]
    down: NDArray[np.float64]
    up: NDArray[np.float64]
    beyond: NDArray[np.float64] | float = BEYOND

    def times(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for each cell how many times as far out it lies as the furthest ordinary row, 0 where it is no spike."""
        with np.errstate(over="ignore"):
            away = np.asarray(X, dtype=np.float64) - self.middle
            times = np.where(away > 0, away / self.up, -away / self.down)
        return np.where(times > self.beyond, np.minimum(times, np.finfo(np.float64).max), 0.0)


def learn_spikes(X: NDArray[np.floating]) -> Spikes:
    """Return the reach of each column of X, shape (n_rows, n_columns), finite.

    In columns of few different values, and in tables of less than 500 rows, a spike lies three times as far out as the others.
    A table of less than 100 rows has none.

    Examples
    --------
    >>> X = np.arange(1000.0)[:, None] / 1000
    >>> X[7] = 99.0
    >>> spikes = learn_spikes(X)
    >>> spikes.times(np.array([[0.5], [1.1], [99.0]])).round().ravel().tolist()
    [0.0, 0.0, 198.0]
    """
    X = np.asarray(X, dtype=np.float64)
    n_rows, n_columns = X.shape
    middle = np.median(X, axis=0)
    if n_rows < 1 / MOST_SHARE:
        return Spikes(middle, np.full(n_columns, np.inf), np.full(n_columns, np.inf))
    plenty = (distinct_values(X)[0] >= FEW) & (n_rows >= ENOUGH_ROWS)
    beyond = np.where(plenty, BEYOND, FAR_BEYOND)
    with np.errstate(over="ignore", invalid="ignore"):
        up, down = (_reach(side, beyond) for side in (X - middle, middle - X))
    return Spikes(middle, down, up, beyond)


def _reach(away: NDArray[np.float64], beyond: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest distance of each column that is not beyond a gap, infinite where nothing is on this side."""
    most = min(MOST_ROWS, int(MOST_SHARE * len(away)))
    outermost = np.sort(np.partition(away, len(away) - most - 1, axis=0)[len(away) - most - 1 :], axis=0)
    below, above = outermost[:-1], outermost[1:]
    gap = (above > beyond * below) & (below > 0)
    first = np.where(gap.any(axis=0), gap.argmax(axis=0), most)
    reach = np.take_along_axis(outermost, first[None, :], axis=0)[0]
    return np.where(np.isfinite(reach) & (reach > 0), reach, np.inf)
