"""A packed isolation forest → its leaves, each with the columns that lead to it and the interval each must lie in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Flags, Floats, Ints
from socml.detectors.forest.tables import PackedForest
from socml.project import njit


@dataclass(frozen=True)
class LeafTables:
    """The leaves of a forest. `start` (n_leaves + 1,) says where the columns of each begin."""

    start: NDArray[np.int64]
    column: NDArray[np.int32]
    low: NDArray[np.float32]  # inside is above it (missing: no bound) …
    high: NDArray[np.float32]  # … and at most this
    missing_inside: Flags
    share: Floats  # z, above 0 to 1
    value: Floats  # (n_leaves,) path length in steps
    expected: float  # mean path length by cover, in steps
    points: Floats  # (most / 2 + 1, …) Gauss-Legendre points on [0, 1] of each order
    weights: Floats


def compile_leaves(forest: PackedForest) -> LeafTables:
    """Return the leaves with the columns that lead to them, each column once."""
    deepest = int(forest.depth.max(initial=0))
    start, column, low, high, inside, share, value, expected = _gather_leaves(
        forest.feature, forest.threshold32, forest.left, forest.right, forest.missing_left, forest.cover,
        forest.value, forest.start, deepest,
    )  # fmt: skip
    most = int(np.diff(start).max(initial=1))
    points, weights = _gauss_legendre(-(-most // 2))
    return LeafTables(start, column, low, high, inside, share, value, expected, points, weights)


def _gauss_legendre(most: int) -> tuple[Floats, Floats]:
    """Return points and weights on [0, 1]: row n holds the rule of n points."""
    points, weights = np.zeros((most + 1, most)), np.zeros((most + 1, most))
    for n in range(1, most + 1):
        x, w = np.polynomial.legendre.leggauss(n)
        points[n, :n], weights[n, :n] = (x + 1.0) / 2.0, w / 2.0
    return points, weights


@njit(cache=True, nogil=True)
def _gather_leaves(
    feature: Ints, threshold: AnyFloats, left: Ints, right: Ints, missing_left: Flags, cover: Floats,
    value: Floats, tree_start: Ints, deepest: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], Flags, Floats, Floats, float]:  # fmt: skip
    """Go through every tree depth first with the path so far, and write down each leaf's."""
    n_leaves = (left.size + tree_start.size - 1) // 2
    parent = np.empty(left.size, dtype=np.int64)
    path = np.empty(deepest + 1, dtype=np.int64)
    room = n_leaves * min(deepest, 8) + 64
    start = np.zeros(n_leaves + 1, dtype=np.int64)
    column = np.empty(room, dtype=np.int32)
    low, high = np.empty(room, dtype=np.float32), np.empty(room, dtype=np.float32)
    inside, share = np.empty(room, dtype=np.bool_), np.empty(room)
    values = np.empty(n_leaves)
    n, leaf, expected = 0, 0, 0.0
    for tree in range(tree_start.size - 1):
        base = tree_start[tree]
        parent[base] = -1
        for node in range(base, tree_start[tree + 1]):
            if left[node] >= 0:
                parent[base + left[node]] = parent[base + right[node]] = node
                continue
            if n + deepest > column.size:
                column, low, high = _longer(column), _longer(low), _longer(high)
                inside, share = _longer(inside), _longer(share)
            length, at = 0, node
            while at >= 0:
                path[length] = at
                length, at = length + 1, parent[at]
            first, reach = n, value[node]
            for k in range(length - 1, 0, -1):  # from the root down, so that later bounds are tighter
                above, below = path[k], path[k - 1]
                went_left = below == base + left[above]
                j = first
                while j < n and column[j] != feature[above]:
                    j += 1
                if j == n:
                    column[j], low[j], high[j], inside[j], share[j] = feature[above], np.nan, np.inf, True, 1.0
                    n += 1
                if went_left:
                    high[j] = threshold[above]
                else:
                    low[j] = threshold[above]
                inside[j] &= missing_left[above] == went_left
                share[j] *= cover[below] / cover[above]
                reach *= cover[below] / cover[above]
            expected += reach
            values[leaf] = value[node]
            leaf += 1
            start[leaf] = n
    return start, column[:n], low[:n], high[:n], inside[:n], share[:n], values, expected


@njit(cache=True, nogil=True)
def _longer(some: np.ndarray) -> np.ndarray:
    longer = np.empty(some.size * 2, dtype=some.dtype)
    for k in range(some.size):
        longer[k] = some[k]
    return longer
