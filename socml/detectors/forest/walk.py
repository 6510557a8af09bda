"""Isolation trees of any size and a matrix that may have missing values → path lengths and leaves, by walking.

The two children of a node lie side by side and a leaf is its own left child, so that a step is the same for
every row: no branch to guess wrong, and many rows that step at once hide the time that memory takes.
Places are unsigned, because numba guards a signed one against being negative, which costs a third.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Flags, Floats, Ints
from socml.detectors.forest.select import SCALE
from socml.detectors.forest.tables import PackedForest
from socml.project import njit

TILE = 64  # rows that step together


@dataclass(frozen=True)
class WalkTables:
    """A forest, compiled: its nodes tree after tree, each level of a tree after the one above."""

    threshold: NDArray[np.float32]  # (n_nodes,) infinity in a leaf
    column: NDArray[np.uint32]  # (n_nodes,) where the column starts in a tile; 0 in a leaf
    child: NDArray[np.uint32]  # (n_nodes,) left child within the tree; the right one is next to it; a leaf: itself
    missing_right: Flags  # (n_nodes,)
    leaf: NDArray[np.int32]  # (n_nodes,) number of the leaf
    value: NDArray[np.int64]  # (n_nodes,) path length of the leaf, times SCALE
    start: NDArray[np.int64]  # (n_trees + 1,)
    depth: NDArray[np.int64]  # (n_trees,) steps to the deepest leaf

    @property
    def nodes(self) -> tuple[NDArray[np.generic], ...]:
        """What a walk reads."""
        return self.threshold, self.column, self.child, self.missing_right, self.start, self.depth


def compile_walk(forest: PackedForest) -> WalkTables:
    """Return the forest in the order that a walk reads."""
    node, child = _by_level(forest.left, forest.right, forest.start)
    inner = forest.feature[node] >= 0
    return WalkTables(
        threshold=np.where(inner, forest.threshold32[node], np.float32(np.inf)).astype(np.float32),
        column=np.where(inner, forest.feature[node] * TILE, 0).astype(np.uint32),
        child=child,
        missing_right=inner & ~forest.missing_left[node],
        leaf=forest.leaf[node],
        value=np.rint(forest.value[node] * SCALE).astype(np.int64),
        start=forest.start,
        depth=np.maximum.reduceat(forest.depth, forest.start[:-1]).astype(np.int64),
    )


@njit(cache=True, nogil=True)
def _by_level(left: Ints, right: Ints, start: Ints) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return which node comes at each place, and the place of its left child within the tree (a leaf: its own)."""
    node = np.empty(left.size, dtype=np.int64)
    child = np.empty(left.size, dtype=np.uint32)
    for tree in range(start.size - 1):
        base = start[tree]
        node[base] = base
        filled = 1
        for at in range(start[tree + 1] - base):
            here = node[base + at]
            if left[here] < 0:
                child[base + at] = at
                continue
            child[base + at] = filled
            node[base + filled] = base + left[here]
            node[base + filled + 1] = base + right[here]
            filled += 2
    return node, child


@njit(cache=True, nogil=True)
def _turn(X: AnyFloats, begin: int, n: int, tile: AnyFloats) -> bool:
    """Write rows [begin, begin + n) into `tile`, column after column, and say whether a value is missing."""
    missing = False
    for r in range(n):
        for f in range(X.shape[1]):
            x = X[begin + r, f]
            tile[f * TILE + r] = x
            missing |= np.isnan(x)
    return missing


@njit(cache=True, nogil=True)
def _step_down(tile: AnyFloats, threshold: AnyFloats, column: Ints, child: Ints, depth: int, at: Ints) -> None:
    """Walk one tree with a tile that has no missing value: `at` becomes the place of each row's leaf."""
    at[:] = 0
    for _ in range(depth):
        for r in range(TILE):
            a = np.uint64(at[r])
            at[r] = child[a] + np.uint32(tile[np.uint64(column[a]) + np.uint64(r)] > threshold[a])


@njit(cache=True, nogil=True)
def _step_down_missing(
    tile: AnyFloats, threshold: AnyFloats, column: Ints, child: Ints, missing_right: Flags, depth: int, at: Ints
) -> None:
    """Walk one tree as `_step_down` does; a missing value goes where the node says."""
    at[:] = 0
    for _ in range(depth):
        for r in range(TILE):
            a = np.uint64(at[r])
            x = tile[np.uint64(column[a]) + np.uint64(r)]
            at[r] = child[a] + np.uint32((x > threshold[a]) | (np.isnan(x) & missing_right[a]))


@njit(cache=True, nogil=True)
def walk(
    X: AnyFloats, begin: int, end: int, threshold: AnyFloats, column: Ints, child: Ints, missing_right: Flags,
    start: Ints, depth: Ints, told: Floats, out: Floats,
) -> None:  # fmt: skip
    """Add to `out`, for rows [begin, end), what `told` (n_nodes,) says of the leaf of each row in each tree.

    `out` is (1, n_rows) to add up over the trees, or (n_trees, n_rows) to keep them apart.
    """
    tile = np.zeros(X.shape[1] * TILE, dtype=np.float32)
    at = np.zeros(TILE, dtype=np.uint32)
    for row in range(begin, end, TILE):
        n = min(TILE, end - row)
        missing = _turn(X, row, n, tile)
        for tree in range(start.size - 1):
            a, b = start[tree], start[tree + 1]
            if missing:
                _step_down_missing(tile, threshold[a:b], column[a:b], child[a:b], missing_right[a:b], depth[tree], at)
            else:
                _step_down(tile, threshold[a:b], column[a:b], child[a:b], depth[tree], at)
            own, line = told[a:b], out[tree % out.shape[0]]
            for r in range(n):
                line[row + r] += own[np.uint64(at[r])]
