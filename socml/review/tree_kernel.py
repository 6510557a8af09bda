"""A forest's leaf matrix and labelled rows → how alike rows are, and what the labels add to each row's score.

Two rows are alike when many trees put them into the same leaf. Everything here is exact: counts are whole
numbers and multipliers are multiples of `STEP`, so sums do not depend on their order and taking a label
back leaves no trace.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socml.project import njit

__all__ = ["STEP", "add_columns", "solve_dual", "tree_kernel"]

STEP = 2.0**-12  # of a multiplier between 0 and 1
SWEEPS = 50  # over the labels, at most
TOLERANCE = 1e-6  # of a multiplier, between 0 and 1; less is no change of the ranking
BLOCK = 4096  # rows at a time, so that the counts stay in the first-level cache


@njit(cache=True, nogil=True)
def tree_kernel(
    leaves: NDArray[np.integer],
    rows: NDArray[np.int64],
    alike: NDArray[np.unsignedinteger],
    columns: NDArray[np.unsignedinteger],
    slots: NDArray[np.int64],
) -> None:
    """Write into `columns[slots[k]]` how alike each row is to `rows[k]`, by the number of trees in which they share a leaf.

    Some rows at a time for all k, so that a million rows' leaves are read once and not k times.

    Parameters
    ----------
    leaves : uint8 or uint16, shape (n_trees, n_rows)
    rows, slots : int64, the same length
    alike : shape (n_trees + 1,), the value for each number of trees
    columns : of the type of `alike`, uint8 (up to 255 trees) or uint16, shape (n_kept, n_rows)
    """
    n_trees, n_rows = leaves.shape
    for start in range(0, n_rows, BLOCK):
        stop = min(start + BLOCK, n_rows)
        for k in range(rows.size):
            block = columns[slots[k], start:stop]
            block[:] = 0
            for tree in range(n_trees):
                leaf = leaves[tree, rows[k]]
                some = leaves[tree, start:stop]
                for i in range(block.size):
                    block[i] += some[i] == leaf
            for i in range(block.size):
                block[i] = alike[block[i]]


@njit(cache=True, nogil=True)
def solve_dual(
    alike: NDArray[np.unsignedinteger],
    whole: float,
    prior: NDArray[np.float64],
    signs: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the multipliers (n_labels,) ≥ 0 of the box-constrained dual of a hinge with margin 1.

    Coordinate ascent from zero, so the answer depends on the arguments alone.

    Parameters
    ----------
    alike : uint8 or uint16, shape at least (n_labels, n_labels): how alike the labelled rows are, as `tree_kernel` says it
    whole : the number in `alike` that stands for 1
    prior : float64 (n_labels,), score of each before any label
    signs : float64 (n_labels,), 1 malicious, −1 benign
    limits : float64 (n_labels,), the most that each may weigh
    """
    n_labels = signs.size
    multipliers = np.zeros(n_labels)
    score = prior.copy()
    for _ in range(SWEEPS):
        largest = 0.0
        for i in range(n_labels):
            gradient = signs[i] * score[i] - 1.0
            moved = min(max(multipliers[i] - gradient * whole / alike[i, i], 0.0), limits[i])
            change = moved - multipliers[i]
            if change != 0.0:
                multipliers[i] = moved
                step = change * signs[i] / whole
                for j in range(n_labels):
                    score[j] += step * alike[i, j]
                largest = max(largest, abs(change))
        if largest < TOLERANCE:
            break
    return multipliers


@njit(cache=True, nogil=True)
def add_columns(
    total: NDArray[np.float64],
    columns: NDArray[np.unsignedinteger],
    which: NDArray[np.int64],
    changes: NDArray[np.float64],
) -> None:
    """Add `changes[k]` × `columns[which[k]]` to `total` for every k, in place.

    Every change is a multiple of `STEP`, so the sums are exact.

    Parameters
    ----------
    total : float64 (n_rows,)
    columns : uint8 or uint16 (n_kept, n_rows), as `tree_kernel` writes them
    which, changes : int64 and float64, the same length
    """
    for start in range(0, total.size, BLOCK):
        stop = min(start + BLOCK, total.size)
        block = total[start:stop]
        for k in range(which.size):
            column = columns[which[k], start:stop]
            change = changes[k]
            for i in range(block.size):
                block[i] += change * column[i]
