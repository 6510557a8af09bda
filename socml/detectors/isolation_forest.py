"""A numeric matrix → how easily each row is cut off by random splits, and the leaf it falls in in each tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.ensemble

__all__ = ["IsolationForest"]


class IsolationForest(sklearn.ensemble.IsolationForest):
    """scikit-learn's isolation forest, parameters and scores unchanged, that also tells leaves.

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
        X = np.ascontiguousarray(np.asarray(X), dtype=np.float32)
        numbers = [_leaf_numbers(tree) for tree in self.estimators_]
        most = max(int(number.max()) for number in numbers)
        leaves = np.empty((len(numbers), len(X)), dtype=np.uint8 if most < 256 else np.uint16)
        for row, (tree, columns, number) in enumerate(
            zip(self.estimators_, self.estimators_features_, numbers, strict=True)
        ):
            part = X if len(columns) == X.shape[1] and self.max_features == 1.0 else X[:, columns]
            leaves[row] = number[tree.tree_.apply(np.ascontiguousarray(part))]
        return leaves


def _leaf_numbers(tree: Any) -> np.ndarray:
    """Return node → leaf number; inner nodes have the number of the leaf before them and are never asked for."""
    is_leaf = tree.tree_.children_left < 0
    return np.maximum(np.cumsum(is_leaf) - 1, 0)
