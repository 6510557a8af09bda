"""A numeric matrix → how easily each row is cut off by random splits, and the leaf it falls in in each tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.ensemble
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.ensemble._bagging import BaseBagging
from sklearn.utils import check_random_state

from socml.kernels.forest_fit import draw_seeds, grow_forest, tree_seeds
from socml.kernels.forest_score import leaf_matrix, score_samples
from socml.kernels.forest_tables import PackedForest, pack_forest, unpack_forest

__all__ = ["IsolationForest"]


class _GrownByKernel(BaseBagging):
    """What scikit-learn's isolation forest calls to grow its trees: comes after it in the order of bases."""

    _packed: PackedForest | None

    def _fit(self, X: Any, y: Any, max_samples: Any = None, max_depth: Any = None, **others: Any) -> Any:
        """Grow the trees; scikit-learn's `fit` calls this between its checks and what it derives from trees."""
        self.__dict__.pop("_packed", None)
        plain = isinstance(X, np.ndarray) and others.get("sample_weight") is None and not self.verbose
        if not plain or self.bootstrap or self.warm_start or self.max_features != 1.0 or np.isinf(X).any():
            return super()._fit(X, y, max_samples=max_samples, max_depth=max_depth, **others)
        self._n_samples, self._max_samples, self._sample_weight = len(X), max_samples, None
        self._max_features = X.shape[1]
        self._validate_estimator(self._get_estimator())
        self.estimator_.max_depth = max_depth
        self._seeds = draw_seeds(check_random_state(self.random_state), self.n_estimators)
        self._packed = grow_forest(np.require(X, np.float32, ["C", "W"]), self._seeds, y, max_samples)
        self.estimators_ = unpack_forest(self._packed, tree_seeds(self._seeds))
        self.estimators_features_ = [np.arange(X.shape[1]) for _ in self.estimators_]
        return self


class IsolationForest(sklearn.ensemble.IsolationForest, _GrownByKernel):
    """scikit-learn's isolation forest: the same trees and scores, many times faster; and it tells leaves.

    Trees of a seed are scikit-learn's node by node, scores within 1e-12 of its, whatever the threads: `n_jobs`
    of them. What the compiled code does not do, scikit-learn does: sparse matrices, infinite values in `fit`,
    bootstrap, some columns a tree, weights, a warm start, `verbose`.

    Blind to a row that is unusual only among its own kind (a local outlier), and to a single odd column
    among very many. Inputs are compared as float32, as scikit-learn does.

    `score_samples` is higher for the more NORMAL, between -1 and 0.

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou (2008), «Isolation Forest», ICDM, doi:10.1109/ICDM.2008.17

    Examples
    --------
    >>> X = [[0.0], [0.1], [0.2], [9.0]]
    >>> forest = IsolationForest(n_estimators=20, random_state=0).fit(X)
    >>> int(forest.score_samples(X).argmin())  # the lowest score is the most anomalous
    3
    >>> forest.leaves(X).shape, forest.leaves(X).dtype.name
    ((20, 4), 'uint8')
    """

    def leaves(self, X: Any) -> np.ndarray:
        """Return the number of the leaf that each row falls in: shape (n_trees, n_rows).

        Leaves of a tree are numbered from 0 in the order of its nodes. uint8 if no tree has more than
        256 leaves (as with 256 samples a tree), else uint16.
        """
        packed = self.packed()
        if packed is None:
            return _leaves_by_apply(self.estimators_, self.estimators_features_, X)
        return leaf_matrix(packed, X, threads=effective_n_jobs(self.n_jobs))

    def packed(self) -> PackedForest | None:
        """Return the forest as the kernels read it, or None if only scikit-learn can."""
        if not hasattr(self, "_packed"):
            try:
                self._packed = pack_forest(self)
            except ValueError:  # fitted on infinite values
                self._packed = None
        return self._packed

    def _score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score a matrix that scikit-learn has checked."""
        packed = self.packed()
        if packed is None or not isinstance(X, np.ndarray):
            return np.asarray(super()._score_samples(X))
        return score_samples(packed, X, threads=effective_n_jobs(self.n_jobs))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: the trees once only, as scikit-learn's."""
        return {name: value for name, value in super().__getstate__().items() if name != "_packed"}


def _leaves_by_apply(trees: list[Any], columns: list[Any], X: Any) -> np.ndarray:
    """Return leaf numbers as `leaves` does, asked of scikit-learn's trees one by one."""
    X = np.ascontiguousarray(np.asarray(X), dtype=np.float32)
    numbers = [_leaf_numbers(tree) for tree in trees]
    most = max(int(number.max()) for number in numbers)
    leaves = np.empty((len(numbers), len(X)), dtype=np.uint8 if most < 256 else np.uint16)
    for row, (tree, own, number) in enumerate(zip(trees, columns, numbers, strict=True)):
        leaves[row] = number[tree.tree_.apply(np.ascontiguousarray(X[:, own]))]
    return leaves


def _leaf_numbers(tree: Any) -> np.ndarray:
    """Return node → leaf number; inner nodes have the number of the leaf before them and are never asked for."""
    is_leaf = tree.tree_.children_left < 0
    return np.maximum(np.cumsum(is_leaf) - 1, 0)
