"""A numeric matrix → the columns in which a row can stand out: not constant ones, nor evenly spread categories."""

from __future__ import annotations

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
