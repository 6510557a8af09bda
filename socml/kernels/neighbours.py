"""Reference rows and rows → each row's nearest reference rows and how far they are, itself left out.

A row that equals a reference row may be that row, so one equal row is left out. Distances then do not depend
on whether a row is among those that were learnt from, nor on which rows are asked about with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SAME = 1e-7  # distances below this, in units of the scaled columns, are rounding


def ranges(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest value and the range of each column of X; the range of a constant one is infinite."""
    low = X.min(axis=0)
    width = X.max(axis=0) - low
    return low, np.where(width > 0, width, np.inf)


def some_rows(X: np.ndarray, n_rows: int, random_state: Any) -> np.ndarray:
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
