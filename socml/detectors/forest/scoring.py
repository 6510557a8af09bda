"""A packed isolation forest and a matrix → mean path lengths, scores and leaves, as scikit-learn's but faster.

Path lengths are summed as whole numbers: the result is bit-equal whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.detectors._arrays import AnyFloats, Floats, Ints
from socml.detectors.forest.ranks import TILE
from socml.detectors.forest.select import SCALE, SelectNetwork, compile_select, select_leaves, select_sums
from socml.detectors.forest.tables import PackedForest, mean_path
from socml.detectors.forest.walk import WalkTables, compile_walk, walk
from socml.project import njit

MOST_LEAVES = 256  # of a tree in a select network: a leaf is one byte
FEW_ROWS = 128  # a select network evaluates whole tiles of 512

_NETWORKS: WeakKeyDictionary[PackedForest, list[SelectNetwork]] = WeakKeyDictionary()
_WALKS: WeakKeyDictionary[PackedForest, WalkTables] = WeakKeyDictionary()


def as_matrix(forest: PackedForest, X: ArrayLike) -> NDArray[np.float32]:
    """Return X as the kernels read it: float32, row after row.

    Raises
    ------
    ValueError
        If X is not a matrix with the columns that the forest was fitted on.
    """
    matrix = np.require(X, np.float32, ["C", "W"])  # compiled for arrays that may be written to
    if matrix.ndim != 2 or matrix.shape[1] != forest.n_features:
        raise ValueError(f"The matrix has shape {matrix.shape}; the forest reads {forest.n_features} columns.")
    return matrix


def mean_depth(forest: PackedForest, X: ArrayLike, *, threads: int = 1) -> Floats:
    """Return the mean path length of each row, in steps, shape (n_rows,): long is NORMAL.

    Within 1e-12 of scikit-learn's mean over trees; missing values go where scikit-learn sends them.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from socml.detectors.forest.tables import pack_forest
    >>> forest = pack_forest(IsolationForest(n_estimators=2, random_state=0).fit([[0.0], [1.0], [9.0]]))
    >>> mean_depth(forest, [[0.0], [9.0]]).round(6).tolist()
    [2.0, 1.0]
    """
    X = as_matrix(forest, X)
    if _is_walked(forest, len(X)):
        sums = _walked_sums(forest, X, threads)
    else:
        sums = np.zeros(len(X), dtype=np.int64)
        for net in _networks(forest):
            _over_rows(select_sums, X, threads, *net.ranking, *net.program, net.values, sums)
        missing = _rows_with_missing(X)
        sums[missing] = _walked_sums(forest, X[missing], threads)
    return sums / (SCALE * forest.n_trees)


def score_samples(forest: PackedForest, X: ArrayLike, *, threads: int = 1) -> Floats:
    """Return scikit-learn's scores, shape (n_rows,): between -1 and 0, higher is more NORMAL."""
    usual = float(mean_path(forest.max_samples))
    if usual == 0.0:  # one row a tree: every path has length 0, and scikit-learn calls every row most anomalous
        return np.full(len(as_matrix(forest, X)), -0.5)
    return np.asarray(-np.exp2(mean_depth(forest, X, threads=threads) / -usual))


def leaf_matrix(forest: PackedForest, X: ArrayLike, *, threads: int = 1) -> Ints:
    """Return the number of the leaf that each row falls in, shape (n_trees, n_rows).

    Leaves of a tree are numbered from 0 in the order of its nodes. uint8 if no tree has more than 256 leaves.
    """
    X = as_matrix(forest, X)
    if _is_walked(forest, len(X)):
        return _walked_leaves(forest, X, threads)
    leaves = np.empty((forest.n_trees, len(X)), dtype=forest.leaf_dtype)
    for net in _networks(forest):
        own = leaves[net.trees[0] : net.trees[1]]
        _over_rows(select_leaves, X, threads, *net.ranking, *net.program, own)
    missing = _rows_with_missing(X)
    leaves[:, missing] = _walked_leaves(forest, X[missing], threads)
    return leaves


def _is_walked(forest: PackedForest, n_rows: int) -> bool:
    """Say whether a walk does it: always for large trees, and for few rows, where it is faster and as exact."""
    return n_rows <= FEW_ROWS or int(forest.n_leaves.max()) > MOST_LEAVES


def _networks(forest: PackedForest) -> list[SelectNetwork]:
    if forest not in _NETWORKS:
        _NETWORKS[forest] = compile_select(forest)
    return _NETWORKS[forest]


def _walk(forest: PackedForest) -> WalkTables:
    if forest not in _WALKS:
        _WALKS[forest] = compile_walk(forest)
    return _WALKS[forest]


def _walked_sums(forest: PackedForest, X: NDArray[np.float32], threads: int) -> NDArray[np.int64]:
    tables = _walk(forest)
    sums = np.zeros((1, len(X)), dtype=np.int64)
    _over_rows(walk, X, threads, *tables.nodes, tables.value, sums)
    return np.asarray(sums[0])


def _walked_leaves(forest: PackedForest, X: NDArray[np.float32], threads: int) -> Ints:
    tables = _walk(forest)
    leaves = np.zeros((forest.n_trees, len(X)), dtype=forest.leaf_dtype)
    _over_rows(walk, X, threads, *tables.nodes, tables.leaf, leaves)
    return leaves


def _over_rows(kernel: Callable[..., None], X: NDArray[np.float32], threads: int, *arguments: np.ndarray | int) -> None:
    """Call kernel(X, begin, end, …) over all rows, each thread on its own run of whole tiles."""
    part = max(-(-len(X) // (threads * TILE)), 1) * TILE
    if part >= len(X):
        kernel(X, 0, len(X), *arguments)
        return
    with ThreadPoolExecutor(threads) as pool:
        runs = [pool.submit(kernel, X, at, min(at + part, len(X)), *arguments) for at in range(0, len(X), part)]
    for run in runs:
        run.result()


@njit(cache=True, nogil=True)
def _rows_with_missing(X: AnyFloats) -> NDArray[np.int64]:
    """Return the numbers of the rows that have a missing value."""
    found = np.empty(X.shape[0], dtype=np.int64)
    n = 0
    for row in range(X.shape[0]):
        missing = False
        for f in range(X.shape[1]):
            missing |= np.isnan(X[row, f])
        found[n] = row
        n += missing
    return found[:n].copy()
