"""The slow obvious versions that fast code is compared with: plain Python, straight from the definitions."""

from __future__ import annotations

from itertools import combinations
from math import factorial, isnan, log

import numpy as np

EULER = 0.5772156649015329


def mean_path(rows):
    """c(n) of Liu, Ting and Zhou: the mean path length of an unsuccessful search among n values."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (log(rows - 1.0) + EULER) - 2.0 * (rows - 1.0) / rows


def goes_left(tree, node, value):
    """Where a float32 value goes at a node of a fitted scikit-learn tree."""
    return bool(tree.missing_go_to_left[node]) if isnan(value) else float(value) <= tree.threshold[node]


def find_leaf(tree, row):
    """Walk one row down one tree; return the leaf's node and its depth."""
    node, depth = 0, 0
    while tree.children_left[node] >= 0:
        left = goes_left(tree, node, row[tree.feature[node]])
        node, depth = (tree.children_left if left else tree.children_right)[node], depth + 1
    return node, depth


def leaf_numbers(forest, X):
    """Number of the leaf of each tree (rows) and row of X (columns), leaves counted in the order of nodes."""
    out = np.zeros((len(forest.estimators_), len(X)), dtype=int)
    for t, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        leaves = [node for node in range(tree.node_count) if tree.children_left[node] < 0]
        for r, row in enumerate(np.asarray(X, dtype=np.float32)):
            out[t, r] = leaves.index(find_leaf(tree, row)[0])
    return out


def mean_depth(forest, X):
    """Mean path length of each row over the trees of a fitted scikit-learn forest."""
    total = np.zeros(len(X))
    for estimator in forest.estimators_:
        for r, row in enumerate(np.asarray(X, dtype=np.float32)):
            leaf, depth = find_leaf(estimator.tree_, row)
            total[r] += depth + mean_path(int(estimator.tree_.n_node_samples[leaf]))
    return total / len(forest.estimators_)


def expected_path(tree, row, known, node=0, depth=0):
    """Path length of a row of which only some columns are known; the others go as the rows of `fit` went."""
    if tree.children_left[node] < 0:
        return depth + mean_path(int(tree.n_node_samples[node]))
    left, right = tree.children_left[node], tree.children_right[node]
    column = tree.feature[node]
    if column in known:
        return expected_path(tree, row, known, left if goes_left(tree, node, row[column]) else right, depth + 1)
    cover = tree.weighted_n_node_samples
    parts = [cover[child] * expected_path(tree, row, known, child, depth + 1) for child in (left, right)]
    return sum(parts) / cover[node]


def shapley(forest, row):
    """Shapley values of the mean path length, by the definition: every subset of columns, of every tree."""
    row = np.asarray(row, dtype=np.float32)
    d = len(row)
    value = {
        known: np.mean([expected_path(e.tree_, row, known) for e in forest.estimators_])
        for size in range(d + 1)
        for known in combinations(range(d), size)
    }
    parts = np.zeros(d)
    for known, without in value.items():
        for column in set(range(d)) - set(known):
            weight = factorial(len(known)) * factorial(d - len(known) - 1) / factorial(d)
            parts[column] += weight * (value[tuple(sorted((*known, column)))] - without)
    return parts, value[()]
