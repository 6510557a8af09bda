"""Small isolation trees and a matrix → path lengths and leaves, with no branch and no gather a node.

Each column is first replaced by the rank of its value among the forest's thresholds, one byte. Then every
node of a tree is evaluated for 512 rows at once, as one comparison and one selection of bytes: faster than
walking, because a walk waits for memory at every step. A tree is a list of such selections in post-order
with a stack of byte rows; the one that is left over holds the leaf of each row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Floats, Ints
from socml.detectors.forest.ranks import TILE, gather_edges, make_buckets, place_among, rank_tile
from socml.detectors.forest.tables import PackedForest
from socml.project import njit

SCALE = 2.0**40  # path lengths are summed as whole multiples of 1 / SCALE, so that order does not matter


@dataclass(frozen=True)
class SelectNetwork:
    """Some trees of a forest, compiled. `trees` is the number of the first and one past the last."""

    trees: tuple[int, int]
    columns: NDArray[np.int32]  # (n_used,) columns of the matrix that are asked
    edges: NDArray[np.float32]  # (n_used, 256 + NEAR) thresholds in order, then infinity
    method: NDArray[np.int32]  # (n_used,)
    low: NDArray[np.float32]  # (n_used,) where the first bucket starts
    step: NDArray[np.float32]  # (n_used,) buckets in one unit (LINEAR); bits of a bucket (BITS)
    table: NDArray[np.uint8]  # (n_used, BUCKETS) thresholds before each bucket
    operations: NDArray[np.int32]  # (n_inner, 6) column, rank, stack row, left leaf or -1, right leaf or -1, both
    first: NDArray[np.int64]  # (n_trees + 1,) first operation of each tree
    values: NDArray[np.int64]  # (n_trees, 256) path length of each leaf, times SCALE
    stack: int  # rows of the stack

    @property
    def ranking(self) -> tuple[np.ndarray | int, ...]:
        """What `rank_tile` reads."""
        return self.columns, self.edges, self.method, self.low, self.step, self.table

    @property
    def program(self) -> tuple[np.ndarray | int, ...]:
        """What evaluates the trees."""
        return self.operations, self.first, self.stack


def compile_select(forest: PackedForest) -> list[SelectNetwork]:
    """Return the forest in as few groups of trees as bytes allow; each tree must have at most 256 leaves."""
    networks, tree = [], 0
    while tree < forest.n_trees:
        edges, counts, last = gather_edges(forest.feature, forest.threshold32, forest.start, tree, forest.n_features)
        networks.append(_compile_group(forest, tree, last, edges, counts))
        tree = last
    return networks


def _compile_group(
    forest: PackedForest, tree: int, last: int, edges: NDArray[np.float32], counts: NDArray[np.int64]
) -> SelectNetwork:
    columns = np.flatnonzero(counts).astype(np.int32)
    position = np.full(forest.n_features, -1, dtype=np.int32)
    position[columns] = np.arange(len(columns))
    edges, counts = edges[columns], counts[columns]
    method, low, step, table = make_buckets(edges, counts)
    operations, first, stack = _arrange(
        forest.feature, forest.threshold32, forest.left, forest.right, forest.leaf, forest.start,
        tree, last, position, edges, counts,
    )  # fmt: skip
    values = _whole_values(forest.value, forest.leaf, forest.start, tree, last)
    return SelectNetwork((tree, last), columns, edges, method, low, step, table, operations, first, values, stack)


@njit(cache=True, nogil=True)
def _arrange(
    feature: Ints, threshold: AnyFloats, left: Ints, right: Ints, leaf: Ints, start: Ints,
    tree: int, last: int, position: Ints, edges: AnyFloats, counts: Ints,
) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:  # fmt: skip
    """Return the operations of trees [tree, last) in post-order, the first of each tree, and the stack's rows."""
    operations = np.empty((start[last] - start[tree], 6), dtype=np.int32)
    first = np.zeros(last - tree + 1, dtype=np.int64)
    todo = np.empty((512, 2), dtype=np.int64)
    n, rows = 0, 1
    for number in range(tree, last):
        base, begin, size = start[number], n, 0
        if left[base] >= 0:
            todo[0, 0], todo[0, 1], size = base, 0, 1
        while size:
            size -= 1
            node, row = todo[size, 0], todo[size, 1]
            u = position[feature[node]]
            a, b = base + left[node], base + right[node]
            both = left[a] >= 0 and left[b] >= 0
            operations[n, 0], operations[n, 2] = u, row
            operations[n, 1] = place_among(edges[u], counts[u], threshold[node])
            operations[n, 3], operations[n, 4], operations[n, 5] = leaf[a], leaf[b], both
            n += 1
            rows = max(rows, row + 1 + both)
            if left[a] >= 0:
                todo[size, 0], todo[size, 1], size = a, row, size + 1
            if left[b] >= 0:
                todo[size, 0], todo[size, 1], size = b, row + both, size + 1
        for k in range((n - begin) // 2):
            for part in range(6):
                one, other = operations[begin + k, part], operations[n - 1 - k, part]
                operations[begin + k, part], operations[n - 1 - k, part] = other, one
        first[number - tree + 1] = n
    return operations[:n].copy(), first, rows


@njit(cache=True, nogil=True)
def _whole_values(value: Floats, leaf: Ints, start: Ints, tree: int, last: int) -> NDArray[np.int64]:
    values = np.zeros((last - tree, 256), dtype=np.int64)
    for number in range(tree, last):
        for node in range(start[number], start[number + 1]):
            if leaf[node] >= 0:
                values[number - tree, leaf[node]] = round(value[node] * SCALE)
    return values


@njit(cache=True, nogil=True)
def _find_leaves(ranks: Ints, operations: Ints, begin: int, end: int, stack: NDArray[np.uint8]) -> None:
    """Evaluate one tree for a tile: the first TILE bytes of `stack` become the leaf of each row.

    `ranks` and `stack` are flat, and places in them unsigned: a slice would count references, and a signed
    place be guarded against being negative, at every node. That is twice as fast.
    """
    if begin == end:
        stack[:TILE] = 0
    for i in range(begin, end):
        x, out = np.uint64(operations[i, 0]) * np.uint64(TILE), np.uint64(operations[i, 2]) * np.uint64(TILE)
        cut = np.int8(operations[i, 1] - 128)
        a, b = operations[i, 3], operations[i, 4]
        if a >= 0 and b >= 0:
            if_left, if_right = np.uint8(a), np.uint8(b)
            for r in range(TILE):
                stack[out + np.uint64(r)] = if_right if ranks[x + np.uint64(r)] > cut else if_left
        elif a >= 0:
            if_left = np.uint8(a)
            for r in range(TILE):
                deeper = stack[out + np.uint64(r)]
                stack[out + np.uint64(r)] = deeper if ranks[x + np.uint64(r)] > cut else if_left
        elif b >= 0:
            if_right = np.uint8(b)
            for r in range(TILE):
                deeper = stack[out + np.uint64(r)]
                stack[out + np.uint64(r)] = if_right if ranks[x + np.uint64(r)] > cut else deeper
        else:
            upper = out + np.uint64(TILE)
            for r in range(TILE):
                of_left, of_right = stack[out + np.uint64(r)], stack[upper + np.uint64(r)]
                stack[out + np.uint64(r)] = of_right if ranks[x + np.uint64(r)] > cut else of_left


@njit(cache=True, nogil=True)
def select_sums(
    X: AnyFloats, begin: int, end: int, columns: Ints, edges: AnyFloats, method: Ints, low: AnyFloats,
    step: AnyFloats, table: Ints, operations: Ints, first: Ints, n_stack: int, values: Ints, sums: Ints,
) -> None:  # fmt: skip
    """Add to `sums` (n_rows,) int64, for rows [begin, end), the path lengths times SCALE of a group of trees."""
    ranks = np.zeros((columns.size, TILE), dtype=np.int8)
    flat, stack = ranks.reshape(-1), np.zeros(n_stack * TILE, dtype=np.uint8)
    total = np.empty(TILE, dtype=np.int64)
    for at in range(begin, end, TILE):
        n = min(TILE, end - at)
        rank_tile(X, at, n, columns, edges, method, low, step, table, ranks)
        total[:] = 0
        for tree in range(first.size - 1):
            _find_leaves(flat, operations, first[tree], first[tree + 1], stack)
            value = values[tree]
            for r in range(TILE):
                total[r] += value[stack[r]]
        for r in range(n):
            sums[at + r] += total[r]


@njit(cache=True, nogil=True)
def select_leaves(
    X: AnyFloats, begin: int, end: int, columns: Ints, edges: AnyFloats, method: Ints, low: AnyFloats,
    step: AnyFloats, table: Ints, operations: Ints, first: Ints, n_stack: int, out: NDArray[np.unsignedinteger],
) -> None:  # fmt: skip
    """Write into `out` (n_trees of the group, n_rows) the leaf numbers of rows [begin, end)."""
    ranks = np.zeros((columns.size, TILE), dtype=np.int8)
    flat, stack = ranks.reshape(-1), np.zeros(n_stack * TILE, dtype=np.uint8)
    for at in range(begin, end, TILE):
        n = min(TILE, end - at)
        rank_tile(X, at, n, columns, edges, method, low, step, table, ranks)
        for tree in range(first.size - 1):
            _find_leaves(flat, operations, first[tree], first[tree + 1], stack)
            own = out[tree, at : at + n]
            for r in range(n):
                own[r] = stack[r]
