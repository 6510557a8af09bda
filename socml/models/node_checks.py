"""An object that was read from a model file → the same, if nothing in it points outside itself.

scikit-learn and the kernels of socml follow the nodes of a tree without looking where they lead, and read as many numbers of
a support vector machine as one of its arrays says. A file whose types are all harmless could so make them read memory that is
not the model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAF = -1  # scikit-learn's number of a child that is none


class _Tree(Protocol):
    """A decision tree of scikit-learn."""

    children_left: NDArray[np.integer]
    children_right: NDArray[np.integer]
    feature: NDArray[np.integer]
    n_features: int
    max_depth: int


class _Neighbours(Protocol):
    """A k-d or ball tree of scikit-learn, or a distance in it."""

    def get_arrays(self) -> Iterator[ArrayLike]: ...

    def __getstate__(self) -> tuple[object, ...]: ...


class _Rows(Protocol):
    """Whatever finds neighbours among rows."""

    _fit_X: NDArray[np.generic]  # noqa: N815  as scikit-learn names it


class _Vectors(Protocol):
    """A support vector machine of libsvm."""

    kernel: object
    support_: NDArray[np.integer]
    support_vectors_: NDArray[np.float64]
    shape_fit_: tuple[int, int]
    n_features_in_: int
    _impl: str
    _sparse: bool
    _n_support: NDArray[np.integer]
    _dual_coef_: NDArray[np.float64]
    _intercept_: NDArray[np.float64]
    _probA: NDArray[np.float64]  # noqa: N815
    _probB: NDArray[np.float64]  # noqa: N815


def check_nodes(model: object) -> None:
    """Raise `ValueError` if a tree anywhere in `model` has children, columns, rows or a depth that it cannot have.

    Looked at are decision trees, the trees of histogram boosting, the k-d and ball trees of neighbours, neighbours without a
    tree, and support vector machines, in the attributes of objects, in lists, tuples, dictionaries and arrays of objects.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> check_nodes({"model": DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])})
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[object, object]] = [(model, None)]
    while waiting:
        found, owner = waiting.pop()
        if (id(found), id(owner)) in seen:
            continue
        seen.add((id(found), id(owner)))
        _check(found, owner)
        inside = owner if getattr(found, "n_features_in_", None) is None else found
        waiting += [(part, inside) for part in _parts(found)]


def _parts(found: object) -> Iterator[object]:
    if isinstance(found, dict):
        yield from found.values()
    elif isinstance(found, (list, tuple, set, frozenset)):
        yield from found
    elif isinstance(found, np.ndarray):
        yield from found.ravel().tolist() if found.dtype == object else ()
    elif not isinstance(found, type) and hasattr(found, "__dict__"):
        yield from vars(found).values()


def _check(found: object, owner: object) -> None:
    columns = int(getattr(owner, "n_features_in_", np.iinfo(np.int64).max))
    for part in _parts(
        getattr(found, "estimators_", ())
    ):  # a boosting reads their nodes, and looks at its own columns only
        if getattr(part, "n_features_in_", 0) > getattr(found, "n_features_in_", np.inf):
            raise ValueError("a model's parts read more columns than it")
    for chosen in getattr(found, "estimators_features_", ()):
        _inside(np.asarray(chosen), int(getattr(found, "n_features_in_", 0)), "columns of a tree")
    module, name = type(found).__module__, type(found).__name__
    if (module, name) == ("sklearn.tree._tree", "Tree"):
        _check_tree(cast("_Tree", found), columns)
    elif name == "TreePredictor" and module.startswith("sklearn."):
        _check_boosted(np.asarray(getattr(found, "nodes", ())), columns)
    elif module.startswith("sklearn.neighbors._") and hasattr(found, "get_arrays"):
        _check_neighbours(cast("_Neighbours", found))
    elif "_n_support" in getattr(found, "__dict__", {}):
        _check_vectors(cast("_Vectors", found))
    elif "_fit_X" in getattr(found, "__dict__", {}) and not len(cast("_Rows", found)._fit_X):
        raise ValueError("there is no row among which neighbours could be found")


def _check_tree(tree: _Tree, columns: int) -> None:
    left, right = tree.children_left, tree.children_right
    inner = left != LEAF
    _inside(tree.feature[inner], min(tree.n_features, columns), "columns")
    if _depth(left, right, inner) > tree.max_depth:
        raise ValueError("a tree is deeper than it says")


def _check_boosted(nodes: NDArray[np.void], columns: int) -> None:
    inner = nodes["is_leaf"] == 0
    _depth(nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), inner)
    _inside(nodes["feature_idx"][inner], columns, "columns")
    if nodes["is_categorical"].any():  # a boosting of categories holds functions too, and is never read
        raise ValueError("a tree asks for the category of a number")


def _depth(left: NDArray[np.integer], right: NDArray[np.integer], inner: NDArray[np.bool_]) -> int:
    """Return how deep the deepest leaf lies, 0 for one node; a child always comes after its parent."""
    if not len(left):
        raise ValueError("a tree has no nodes")
    parents = np.flatnonzero(inner)
    for children in (left[parents], right[parents]):
        if (children <= parents).any() or (children >= len(left)).any():
            raise ValueError("a tree's nodes lead outside it, or in a circle")
    depth, level = 0, np.flatnonzero(inner[:1])
    while len(level):
        depth += 1
        below = np.unique(np.concatenate([left[level], right[level]]))
        level = below[inner[below]]
    return depth


def _check_neighbours(tree: _Neighbours) -> None:
    data, rows, nodes, bounds = (np.asarray(array) for array in tree.get_arrays())
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    _inside(rows, len(data), "rows")
    _inside(2 * inner + 2, len(nodes), "nodes")
    _inside(nodes["idx_end"], len(rows) + 1, "rows of a node")
    _inside(nodes["idx_start"], len(rows) + 1, "rows of a node")
    if not len(nodes) or len(rows) != len(data) or bounds.shape[1:] != (len(nodes), data.shape[1]):
        raise ValueError("a tree of neighbours is not of one size")
    for metric in (part for part in tree.__getstate__() if hasattr(part, "rdist_to_dist")):
        _check_metric(cast("_Neighbours", metric), data.shape[1])


def _check_metric(metric: _Neighbours, columns: int) -> None:
    """The weights of a distance are as many as the columns: it reads that many of them."""
    weights, matrix = (np.asarray(part) for part in metric.__getstate__()[1:3])
    kind = type(metric).__name__
    weighted = kind.startswith(("SEuclidean", "WMinkowski")) or (kind.startswith("Minkowski") and weights.size > 0)
    if weighted and weights.shape != (columns,):
        raise ValueError("a distance has not one weight a column")
    if kind.startswith("Mahalanobis") and matrix.shape != (columns, columns):
        raise ValueError("a distance's matrix is not of the columns")


def _check_vectors(machine: _Vectors) -> None:
    """libsvm takes the number of vectors from `support_`, that of classes from `_n_support`, and looks at no other size."""
    counts, vectors = np.asarray(machine._n_support), len(machine.support_)
    classifies = machine._impl in ("c_svc", "nu_svc")
    classes = len(counts) if classifies else 2
    pairs = classes * (classes - 1) // 2
    if len(counts) != classes or counts.min(initial=0) < 0 or (classifies and counts.sum() != vectors):
        raise ValueError("a support vector machine has other vectors than it says")
    if machine._intercept_.shape != (pairs,) or not len(machine._probA) == len(machine._probB) in (0, pairs):
        raise ValueError("a support vector machine has not one constant for each pair of classes")
    by_rows = not isinstance(machine.kernel, str) or machine.kernel == "precomputed"
    if by_rows:
        _inside(machine.support_, machine.shape_fit_[0], "rows of a kernel")
    elif machine.support_vectors_.shape != (vectors, machine.n_features_in_):
        raise ValueError("a support vector machine's vectors are not of its columns")
    if machine._dual_coef_.shape != (max(classes - 1, 1), vectors):
        raise ValueError("a support vector machine has not one coefficient a vector and class")
    if machine._sparse:  # its matrices are none that a model file may hold
        raise ValueError("a support vector machine of sparse rows")


def _inside(numbers: NDArray[np.integer], below: int, what: str) -> None:
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < below):
        raise ValueError(f"{what} lie outside a tree: {int(numbers.min())} to {int(numbers.max())} of {below:,}")
