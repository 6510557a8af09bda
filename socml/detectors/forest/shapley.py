"""A packed isolation forest and a matrix → exact Shapley values of the mean path length, dozens of times faster.

A leaf asks m different columns, each through one interval, and is reached by a row that is inside them all.
A column that is not known counts as inside with the share z of the rows that would pass. With o = 1 inside
and 0 outside, the Shapley value of column f for a leaf of path length v is

    v · (o_f - z_f) · ∫₀¹ ∏_{g ≠ f} (z_g + (o_g - z_g)·y) dy

whose integrand is a polynomial of degree m - 1, so that Gauss and Legendre's rule with ⌈m / 2⌉ points is
exact. It depends on the row through the m bits o alone: for many rows it is tabulated for all 2ᵐ of them.

References
----------
G. Owen (1972), «Multilinear Extensions of Games», Management Science 18, doi:10.1287/mnsc.18.5.64.2
S. Lundberg et al. (2020), «From local explanations to global understanding with explainable AI for trees»,
Nature Machine Intelligence 2, doi:10.1038/s42256-019-0138-9
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.detectors._arrays import AnyFloats, Flags, Floats, Ints
from socml.detectors.forest.leaves import LeafTables, compile_leaves
from socml.detectors.forest.scoring import as_matrix
from socml.detectors.forest.tables import PackedForest
from socml.project import njit

TILE = 1024  # rows at a time: the tables of all leaves are read once a tile
MOST_TABULATED = 10  # columns of a leaf: 2¹⁰ patterns of 10 columns are 80 KiB
MOST_BYTES = 256 * 2**20  # of the tables; leaves past it are integrated for every row
FEW_ROWS = 2048  # rows for which tables of all patterns do not pay


_LEAVES: WeakKeyDictionary[PackedForest, LeafTables] = WeakKeyDictionary()
_PATTERNS: WeakKeyDictionary[PackedForest, tuple[NDArray[np.int64], Floats]] = WeakKeyDictionary()


def tree_shap(forest: PackedForest, X: ArrayLike, *, threads: int = 1) -> Floats:
    """Return the Shapley values of the mean path length, in steps, shape (n_rows, n_features): positive is NORMAL.

    With `expected_depth(forest)` they add up to `mean_depth(forest, X)`. "Tree path dependent" in shap's words:
    unknown columns are averaged by how the rows of `fit` went.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from socml.detectors.forest.scoring import mean_depth
    >>> from socml.detectors.forest.tables import pack_forest
    >>> X = np.array([[0.0, 1.0], [0.1, 2.0], [0.2, 1.5], [9.0, 1.0]])
    >>> forest = pack_forest(IsolationForest(n_estimators=30, random_state=0).fit(X))
    >>> parts = tree_shap(forest, X)
    >>> bool(np.allclose(parts.sum(axis=1) + expected_depth(forest), mean_depth(forest, X), atol=1e-10))
    True
    >>> bool(parts[3, 0] < parts[3, 1])  # the odd column of the odd row shortens its path most
    True
    """
    X = as_matrix(forest, X)
    leaves = _leaves(forest)
    place, patterns = _tables(forest, leaves, len(X))
    out = np.zeros(X.shape)
    arguments = (
        leaves.start, leaves.column, leaves.low, leaves.high, leaves.missing_inside, leaves.share, leaves.value,
        leaves.points, leaves.weights, place, patterns, out,
    )  # fmt: skip
    part = max(-(-len(X) // (threads * TILE)), 1) * TILE
    if part >= len(X):
        _explain(X, 0, len(X), *arguments)
    else:
        with ThreadPoolExecutor(threads) as pool:
            ends = [(at, min(at + part, len(X))) for at in range(0, len(X), part)]
            for run in [pool.submit(_explain, X, begin, end, *arguments) for begin, end in ends]:
                run.result()
    out /= forest.n_trees
    return out


def expected_depth(forest: PackedForest) -> float:
    """Return the mean path length of a row of which nothing is known, in steps."""
    return _leaves(forest).expected / forest.n_trees


def _leaves(forest: PackedForest) -> LeafTables:
    if forest not in _LEAVES:
        _LEAVES[forest] = compile_leaves(forest)
    return _LEAVES[forest]


def _tables(forest: PackedForest, leaves: LeafTables, n_rows: int) -> tuple[NDArray[np.int64], Floats]:
    """Return where each leaf's table begins (-1: it has none), and the tables."""
    if forest in _PATTERNS:
        return _PATTERNS[forest]
    m = np.diff(leaves.start)
    if n_rows <= FEW_ROWS:
        return np.full(len(m), -1, dtype=np.int64), np.empty(0)
    size = np.where(m <= MOST_TABULATED, m << np.minimum(m, MOST_TABULATED), 0)
    end = np.cumsum(size)
    size[end * 8 > MOST_BYTES] = 0
    place = np.where(size > 0, end - size, -1)
    _PATTERNS[forest] = (
        place,
        _tabulate(leaves.start, leaves.share, leaves.value, leaves.points, leaves.weights, place, int(size.sum())),
    )
    return _PATTERNS[forest]


@njit(cache=True, nogil=True)
def _tabulate(
    start: Ints, share: Floats, value: Floats, points: Floats, weights: Floats, place: Ints, size: int
) -> Floats:
    """Return for each leaf with a place, each of its columns and each pattern: the Shapley value."""
    out = np.zeros(size)
    product = np.empty(1 << MOST_TABULATED)
    for leaf in range(value.size):
        if place[leaf] < 0:
            continue
        z = share[start[leaf] : start[leaf + 1]]
        m = z.size
        n_patterns = 1 << m
        own = out[place[leaf] : place[leaf] + m * n_patterns]
        n_points = (m + 1) // 2
        for k in range(n_points):
            y, w = points[n_points, k], weights[n_points, k] * value[leaf]
            product[0] = w
            for g in range(m):
                product[0] *= z[g] * (1.0 - y)
            for g in range(m):
                ratio = (z[g] + (1.0 - z[g]) * y) / (z[g] * (1.0 - y))
                bit = 1 << g
                for pattern in range(bit):
                    product[bit + pattern] = product[pattern] * ratio
            for f in range(m):
                if_in = (1.0 - z[f]) / (z[f] + (1.0 - z[f]) * y)
                if_out = -z[f] / (z[f] * (1.0 - y))
                of_column = own[f * n_patterns : (f + 1) * n_patterns]
                for pattern in range(n_patterns):
                    of_column[pattern] += product[pattern] * (if_in if (pattern >> f) & 1 else if_out)
    return out


@njit(cache=True, nogil=True)
def _explain(
    X: AnyFloats, begin: int, end: int, start: Ints, column: Ints, low: AnyFloats, high: AnyFloats,
    missing_inside: Flags, share: Floats, value: Floats, points: Floats, weights: Floats,
    place: Ints, patterns: Floats, out: Floats,
) -> None:  # fmt: skip
    """Add to `out` (n_rows, n_features), for rows [begin, end), every leaf's Shapley values."""
    tile = np.zeros((X.shape[1], TILE), dtype=np.float32)
    total = np.empty((X.shape[1], TILE))
    pattern = np.empty(TILE, dtype=np.int32)
    inside = np.empty((np.diff(start).max() + 1, TILE), dtype=np.bool_)
    product, integral = np.empty(TILE), np.empty((inside.shape[0], TILE))
    for row in range(begin, end, TILE):
        n = min(TILE, end - row)
        missing = False
        for r in range(n):
            for f in range(X.shape[1]):
                tile[f, r] = X[row + r, f]
                missing |= np.isnan(X[row + r, f])
        total[:] = 0.0
        for leaf in range(value.size):
            a, b = start[leaf], start[leaf + 1]
            if place[leaf] >= 0:
                pattern[:] = 0
                for j in range(a, b):
                    bit = np.int32(1 << (j - a))
                    _add_bit(tile[column[j]], low[j], high[j], missing, missing_inside[j], bit, pattern)
                _look_up(pattern, column[a:b], patterns[place[leaf] :], total)
            else:
                for j in range(a, b):
                    _find_inside(tile[column[j]], low[j], high[j], missing, missing_inside[j], inside[j - a])
                order = (b - a + 1) // 2
                _integrate(
                    inside, column[a:b], share[a:b], value[leaf], points[order], weights[order], order,
                    product, integral, total, n,
                )  # fmt: skip
        for r in range(n):
            for f in range(X.shape[1]):
                out[row + r, f] += total[f, r]


@njit(cache=True, nogil=True)
def _find_inside(x: Floats, low: float, high: float, missing: bool, missing_inside: bool, inside: Flags) -> None:
    for r in range(TILE):
        inside[r] = (x[r] <= high) & (not (x[r] <= low))
    if missing:
        for r in range(TILE):
            if np.isnan(x[r]):
                inside[r] = missing_inside


@njit(cache=True, nogil=True)
def _add_bit(
    x: Floats, low: float, high: float, missing: bool, missing_inside: bool, bit: np.int32, pattern: Ints
) -> None:
    """Set `bit` where a row is inside."""
    for r in range(TILE):
        pattern[r] |= bit if (x[r] <= high) & (not (x[r] <= low)) else np.int32(0)
    if missing and missing_inside:
        for r in range(TILE):
            pattern[r] |= bit if np.isnan(x[r]) else np.int32(0)


@njit(cache=True, nogil=True)
def _look_up(pattern: Ints, column: Ints, table: Floats, total: Floats) -> None:
    m = column.size
    for j in range(m):
        values, of_column = table[j << m : (j + 1) << m], total[column[j]]
        for r in range(TILE):
            of_column[r] += values[np.uint64(pattern[r])]


@njit(cache=True, nogil=True)
def _integrate(
    inside: Flags, column: Ints, share: Floats, value: float, points: Floats, weights: Floats, order: int,
    product: Floats, integral: Floats, total: Floats, n: int,
) -> None:  # fmt: skip
    """Add a leaf's Shapley values by Gauss and Legendre's rule, row by row."""
    m = column.size
    for j in range(m):
        integral[j, :n] = 0.0
    for k in range(order):
        y = points[k]
        product[:n] = weights[k] * value
        for j in range(m):
            own, if_in, if_out = inside[j], share[j] + (1.0 - share[j]) * y, share[j] * (1.0 - y)
            for r in range(n):
                product[r] *= if_in if own[r] else if_out
        for j in range(m):
            own, of_column = inside[j], integral[j]
            if_in = (1.0 - share[j]) / (share[j] + (1.0 - share[j]) * y)
            if_out = -1.0 / (1.0 - y)
            for r in range(n):
                of_column[r] += product[r] * (if_in if own[r] else if_out)
    for j in range(m):
        of_column, sum_of_column = integral[j], total[column[j]]
        for r in range(n):
            sum_of_column[r] += of_column[r]
