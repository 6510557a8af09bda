"""A fitted isolation forest of scikit-learn ↔ flat arrays that every kernel reads and any format can store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.detectors._arrays import Flags, Floats, Ints
from socml.project import njit

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest
    from sklearn.tree._tree import Tree

NO_CHILD = -1  # scikit-learn's mark of a leaf, in both child columns


@dataclass(frozen=True, eq=False)
class PackedForest:
    """Every node of every tree, tree after tree, each tree depth first and left before right.

    A row goes left where its value, as float32, is at most `threshold`; where it is missing, as
    `missing_left` says. Leaves of a tree are numbered from 0 in the order of its nodes.

    Attributes
    ----------
    feature : int32 (n_nodes,), column that the node asks, -1 in a leaf
    threshold : float64 (n_nodes,), NaN in a leaf
    left, right : int32 (n_nodes,), children as positions within the tree, -1 in a leaf
    rows : int32 (n_nodes,), rows of `fit` that came through the node
    cover : float64 (n_nodes,), the same by weight
    missing_left : bool (n_nodes,)
    start : int64 (n_trees + 1,), first node of each tree, and the number of nodes
    n_features, max_samples : columns of the matrix, and rows that each tree was grown from

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> forest = pack_forest(IsolationForest(n_estimators=5, random_state=0).fit([[0.0], [1.0], [9.0]]))
    >>> forest.n_trees, forest.n_features, forest.max_samples
    (5, 1, 3)
    >>> again = PackedForest.from_arrays(forest.as_arrays())
    >>> bool((again.threshold[again.feature >= 0] == forest.threshold[forest.feature >= 0]).all())
    True
    """

    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    rows: NDArray[np.int32]
    cover: Floats
    missing_left: Flags
    start: NDArray[np.int64]
    n_features: int
    max_samples: int

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.start) - 1

    @cached_property
    def threshold32(self) -> NDArray[np.float32]:
        """The largest float32 at or below each threshold: a float32 is ≤ the one exactly if it is ≤ the other."""
        nearest = self._clipped.astype(np.float32)
        below = np.where(nearest > self._clipped, np.nextafter(nearest, np.float32(-np.inf)), nearest)
        return np.asarray(below + np.float32(0.0), dtype=np.float32)  # no negative zero

    @property
    def _clipped(self) -> Floats:
        """Thresholds, those beyond float32 moved to where they part the same float32 values."""
        largest = float(np.finfo(np.float32).max)
        return np.where(self.threshold < -largest, -np.inf, np.minimum(self.threshold, largest))

    @cached_property
    def _paths(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        return _trace(self.left, self.right, self.start)

    @property
    def depth(self) -> NDArray[np.int32]:
        """Number of nodes above each node."""
        return self._paths[0]

    @property
    def leaf(self) -> NDArray[np.int32]:
        """Number of each leaf within its tree, -1 for other nodes."""
        return self._paths[1]

    @property
    def n_leaves(self) -> NDArray[np.int32]:
        """Leaves of each tree."""
        return self._paths[2]

    @cached_property
    def value(self) -> Floats:
        """Path length that a leaf stands for, in steps: its depth, and what its rows would take to isolate."""
        return self.depth + mean_path(self.rows)

    @cached_property
    def leaf_dtype(self) -> type[np.unsignedinteger]:
        """uint8 if no tree has more than 256 leaves, else uint16 (65,536), else uint32."""
        most = int(self.n_leaves.max(initial=1))
        return np.uint8 if most <= 256 else np.uint16 if most <= 65_536 else np.uint32

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as named plain arrays, for skops, npz or Arrow."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> PackedForest:
        """Return the forest that `as_arrays` wrote.

        Raises
        ------
        ValueError
            If the arrays are not those of a forest: compiled code does not look where it reads.
        """
        tables: dict[str, np.ndarray] = {field.name: np.array(arrays[field.name]) for field in fields(cls)}
        sizes = {name: int(tables.pop(name)) for name in ("n_features", "max_samples")}
        return cls(**tables, **sizes).checked()  # type: ignore[arg-type]  # the fields are arrays, and two numbers

    def checked(self) -> PackedForest:
        """Return the forest itself if every child and column is where it may be, else raise ValueError."""
        n, inner = len(self.feature), self.feature >= 0
        tables = (self.threshold, self.left, self.right, self.rows, self.cover, self.missing_left)
        sizes = np.diff(self.start)
        fits = {len(table) for table in tables} == {n} and self.start[0] == 0 and self.start[-1] == n
        if fits and bool((sizes > 0).all()):
            base = np.repeat(self.start[:-1], sizes)
            place, last = np.arange(n) - base, np.repeat(sizes, sizes)
            for child in (self.left, self.right):
                fits = fits and bool(np.where(inner, (child > place) & (child < last), child == NO_CHILD).all())
            children = np.concatenate(((base + self.left)[inner], (base + self.right)[inner]))
            fits = fits and np.array_equal(np.sort(children), np.flatnonzero(place))  # all have one parent but roots
            fits = fits and bool((self.rows > 0).all() and (self.cover > 0).all())
            fits = fits and bool((self.feature < self.n_features).all() and np.isfinite(self.threshold[inner]).all())
            if fits:
                return self
        raise ValueError("These tables are not those of an isolation forest: a node points where it may not.")


def mean_path(rows: ArrayLike) -> Floats:
    """Return c(n), the mean path length of an unsuccessful search in a binary tree of n values, as scikit-learn does.

    Examples
    --------
    >>> mean_path([0, 1, 2, 256]).round(4).tolist()
    [0.0, 0.0, 1.0, 10.2448]
    """
    n = np.asarray(rows, dtype=np.float64)
    many = np.maximum(n, 3.0)
    long = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, long))


def pack_forest(forest: IsolationForest) -> PackedForest:
    """Return a fitted scikit-learn IsolationForest (or a kind of it) as flat arrays.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If it was fitted on infinite values: then it may split where no number lies.
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(forest)
    nodes = node_tables([estimator.tree_ for estimator in forest.estimators_])
    if np.isinf(nodes["threshold"]).any():
        raise ValueError("The forest was fitted on infinite values, and splits where no number lies.")
    for tree, columns in enumerate(forest.estimators_features_):
        own = nodes["feature"][nodes["start"][tree] : nodes["start"][tree + 1]]
        own[own >= 0] = np.asarray(columns)[own[own >= 0]]
    return PackedForest(**nodes, n_features=int(forest.n_features_in_), max_samples=int(forest.max_samples_))


def node_tables(trees: Sequence[Tree]) -> dict[str, np.ndarray]:
    """Return the tables of `PackedForest` that are of nodes, and `start`: of any trees of scikit-learn."""

    def every(name: str) -> np.ndarray:
        return np.concatenate([getattr(tree, name) for tree in trees])

    inner = every("children_left") != NO_CHILD
    return {
        "feature": np.where(inner, every("feature"), -1).astype(np.int32),
        "threshold": np.where(inner, every("threshold"), np.nan),
        "left": every("children_left").astype(np.int32),
        "right": every("children_right").astype(np.int32),
        "rows": every("n_node_samples").astype(np.int32),
        "cover": every("weighted_n_node_samples").astype(np.float64),
        "missing_left": every("missing_go_to_left").astype(np.bool_),
        "start": np.concatenate(([0], np.cumsum([tree.node_count for tree in trees]))).astype(np.int64),
    }


@njit(cache=True, nogil=True)
def _trace(left: Ints, right: Ints, start: Ints) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return depth and leaf number of each node, and leaves a tree; a child always comes after its parent."""
    depth = np.zeros(left.size, dtype=np.int32)
    leaf = np.full(left.size, -1, dtype=np.int32)
    n_leaves = np.zeros(start.size - 1, dtype=np.int32)
    for tree in range(start.size - 1):
        first = start[tree]
        for node in range(first, start[tree + 1]):
            if left[node] < 0:
                leaf[node] = n_leaves[tree]
                n_leaves[tree] += 1
            else:
                depth[first + left[node]] = depth[node] + 1
                depth[first + right[node]] = depth[node] + 1
    return depth, leaf, n_leaves
