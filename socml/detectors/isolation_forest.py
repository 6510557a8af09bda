"""A numeric matrix → how easily each row is cut off by random splits, and the leaf it falls in in each tree."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np
import sklearn.ensemble
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from socml.detectors.forest.growing import draw_seeds, grow_forest, tree_seeds
from socml.detectors.forest.scoring import leaf_matrix, score_samples
from socml.detectors.forest.tables import PackedForest, mean_path, pack_forest, unpack_forest

if TYPE_CHECKING:
    from sklearn.tree import ExtraTreeRegressor

__all__ = ["IsolationForest"]


# What scikit-learn derives from the trees, and few ever read: it is made when it is asked for, and costs more than
# growing them.
TREES = "_trees"  # of what is saved
DERIVED = ("estimators_", "estimators_features_", "_average_path_length_per_tree", "_decision_path_lengths")


class IsolationForest(sklearn.ensemble.IsolationForest):
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

    _packed: PackedForest | None

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> IsolationForest:
        """Grow the trees on X of shape (n_samples, n_features); `y` is ignored."""
        others = self.bootstrap or self.warm_start or self.verbose or sample_weight is not None
        all_columns = isinstance(self.max_features, Real) and not isinstance(self.max_features, Integral)
        if not others and all_columns and self.max_features == 1.0 and self._grow(X):
            return self
        if self.warm_start:
            self._derive()
        self.__dict__.pop("_packed", None)
        super().fit(X, y, sample_weight)
        return self

    def leaves(self, X: ArrayLike) -> np.ndarray:
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

    def _score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score a matrix that scikit-learn has checked."""
        packed = self.packed()
        if packed is None or not isinstance(X, np.ndarray):
            return np.asarray(super()._score_samples(X))
        return score_samples(packed, X, threads=effective_n_jobs(self.n_jobs))

    def _grow(self, X: ArrayLike) -> bool:
        """Do what scikit-learn's `fit` does, by the kernel; return False, and change nothing that counts, if it cannot."""
        self._validate_params()
        X = validate_data(self, X, accept_sparse=["csc"], dtype=np.float32, ensure_all_finite=False)
        if not isinstance(X, np.ndarray):
            return False
        random = check_random_state(self.random_state)
        before = random.get_state()
        target = random.uniform(size=len(X))
        rows = self._rows_a_tree(len(X))
        seeds = draw_seeds(check_random_state(self.random_state), self.n_estimators)  # a whole number starts anew
        try:
            packed = grow_forest(np.require(X, np.float32, ["C", "W"]), seeds, target, rows)
        except ValueError:  # an infinite value
            random.set_state(before)
            return False
        for name in DERIVED:
            self.__dict__.pop(name, None)
        self._packed, self._seeds, self.max_samples_ = packed, seeds, rows
        self._n_samples, self._max_samples, self._sample_weight = len(X), rows, None
        self._max_features = X.shape[1]
        self._validate_estimator(self._get_estimator())
        self.estimator_.max_depth = int(np.ceil(np.log2(max(rows, 2))))
        self.offset_ = -0.5
        if self.contamination != "auto":
            self.offset_ = np.percentile(self._score_samples(X), 100.0 * self.contamination)
        return True

    def _rows_a_tree(self, n: int) -> int:
        if self.max_samples == "auto":
            return min(256, n)
        if not isinstance(self.max_samples, Integral):
            rows = int(self.max_samples * n)
            if not rows:
                raise ValueError(
                    f"max_samples={self.max_samples} of {n} rows is not one row a tree: give a larger share, or a number of rows."
                )
            return rows
        if int(self.max_samples) > n:
            warn(
                f"max_samples ({self.max_samples}) is more than there are rows: each tree grows from all {n}.",
                stacklevel=4,
            )
        return min(int(self.max_samples), n)

    def __getattr__(self, name: str) -> Any:
        """Make what scikit-learn derives from the trees, the first time that someone reads it."""
        if name not in DERIVED or self.__dict__.get("_packed") is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._derive()
        return self.__dict__[name]

    def _derive(self) -> None:
        packed = self.__dict__.get("_packed")
        if packed is None or "estimators_" in self.__dict__:
            return
        ends = packed.start[1:-1]
        self.estimators_ = unpack_forest(packed, tree_seeds(self._seeds))
        self.estimators_features_ = [np.arange(packed.n_features) for _ in self.estimators_]
        self._average_path_length_per_tree = tuple(np.split(mean_path(packed.rows), ends))
        self._decision_path_lengths = tuple(np.split(packed.depth + 1.0, ends))

    def __getstate__(self) -> dict[str, object]:
        """Return what is saved: the trees once only, as a dozen arrays if they were grown here, else as scikit-learn's."""
        state: dict[str, object] = dict(super().__getstate__())  # type: ignore[call-overload]  # its own dictionary
        packed = state.pop("_packed", None)
        if not isinstance(packed, PackedForest) or "_seeds" not in state:
            return state
        return {**{name: value for name, value in state.items() if name not in DERIVED}, TREES: packed.as_arrays()}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Take what was saved, now or by an earlier socml. Raises ValueError if the arrays are not those of a forest."""
        rest = dict(state)
        trees = rest.pop(TREES, None)
        super().__setstate__(rest)  # type: ignore[misc]  # scikit-learn has it, its stubs do not
        if isinstance(trees, dict):
            self._packed = PackedForest.from_arrays(trees)


def _leaves_by_apply(trees: list[ExtraTreeRegressor], columns: list[NDArray[np.int64]], X: ArrayLike) -> np.ndarray:
    """Return leaf numbers as `leaves` does, asked of scikit-learn's trees one by one."""
    X = np.ascontiguousarray(np.asarray(X), dtype=np.float32)
    numbers = [_leaf_numbers(tree) for tree in trees]
    most = max(int(number.max()) for number in numbers)
    leaves = np.empty((len(numbers), len(X)), dtype=np.uint8 if most < 256 else np.uint16)
    for row, (tree, own, number) in enumerate(zip(trees, columns, numbers, strict=True)):
        leaves[row] = number[tree.tree_.apply(np.ascontiguousarray(X[:, own]))]
    return leaves


def _leaf_numbers(tree: ExtraTreeRegressor) -> np.ndarray:
    """Return node → leaf number; inner nodes have the number of the leaf before them and are never asked for."""
    is_leaf = tree.tree_.children_left < 0
    return np.asarray(np.maximum(np.cumsum(is_leaf) - 1, 0))
