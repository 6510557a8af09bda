"""Rows in the order they come → each row in standard deviations of the rows before it, clipped, 0 where missing."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FARTHEST = 1e150  # its square is still a number


@njit(cache=True, nogil=True)
def running_scale(
    block: NDArray[np.float64],
    count: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    memory: float,
    limit: float,
    out: NDArray[np.float64],
) -> None:
    """Write the scaled rows into `out` and learn each row after it was scaled.

    A value of a column that never varied is 0 when it is that column's value, else ±`limit`. One too far away to be
    squared, such as ∞, is ±`limit` and is not learned: one such value would blind its column for good.

    Parameters
    ----------
    block, out : float64 (n_rows, n_columns); NaN is missing and is not learned
    count, mean, variance : float64 (n_columns,), what was learned so far; changed in place
    memory : events that weigh; older ones fade
    limit : standard deviations at which a value is clipped
    """
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            value = block[i, j]
            if np.isnan(value):
                out[i, j] = 0.0
                continue
            n = count[j]
            delta = value - mean[j]
            if not abs(delta) < FARTHEST:
                out[i, j] = (limit if delta > 0.0 else -limit) if n >= 2.0 else 0.0
                continue
            if n < 2.0 or delta == 0.0:
                out[i, j] = 0.0
            elif variance[j] <= 0.0:
                out[i, j] = limit if delta > 0.0 else -limit
            else:
                out[i, j] = min(max(delta / np.sqrt(variance[j]), -limit), limit)
            n = min(n, memory)
            mean[j] += delta / (n + 1.0)
            variance[j] += (delta * (value - mean[j]) - variance[j]) / (n + 1.0)
            count[j] += 1.0
