"""A matrix and a few labelled rows with their families → what a supervised forest thinks of every row.

Its predictions say where a label would teach most: rows of which it is not sure, rows unlike anything labelled. They
are formed anew every so many labels, from those labels alone, so that the same labels give the same predictions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

N_TREES = 100
ALIKE = 0.6  # rows that share this share of the leaves are of one cluster
GROUPED = 2_000  # rows that are clustered: the least sure, and the most novel
BENIGN = "benign"  # the family of a benign row that has none


def predict_rows(
    matrix: NDArray[np.floating],
    rows: ArrayLike,
    malicious: ArrayLike,
    families: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    leaves: NDArray[np.integer] | None = None,
    seed: int = 0,
    n_trees: int = N_TREES,
) -> pd.DataFrame | None:
    """Return the forest's predictions, or None while all labels are on one side: then it has none.

    Extremely randomized trees on the families, benign ones included, at 0.1 CPU s per 300 labels and 10,000 rows.
    Blind to columns that do not tell labelled rows apart.

    Parameters
    ----------
    matrix : numbers, shape (n_rows, n_columns), without missing values
    rows : labelled rows, positions in the matrix, each once
    malicious : of each labelled row, true or false
    families : of each labelled row, or None where it has none
    weights : of each labelled row, above 0; 1 if not given
    leaves : uint8 or uint16 (n_trees, n_rows) of the forest that scored the rows. Novelty is then the mean over both
        forests: the supervised one looks only at what tells known families apart, the other at everything.

    Returns
    -------
    DataFrame, one row a row of the matrix
        probability (that the row is malicious, 0 to 1; not calibrated), family (its likeliest, of malicious and benign
        ones), confidence (the probability of that family), novelty (1 − the largest share of leaves that it has in common
        with a labelled row), cluster (the same number for rows that are alike, so that one of them is enough at a time)

    Examples
    --------
    >>> matrix = np.repeat(np.arange(4.0), 5)[:, None]
    >>> predictions = predict_rows(matrix, [0, 10], [False, True], [None, "scan"])
    >>> predictions.family[11], round(float(predictions.probability[11])), int(predictions.cluster[0] == predictions.cluster[1])
    ('scan', 1, 1)
    """
    from sklearn.ensemble import ExtraTreesClassifier

    matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    rows = np.asarray(rows, dtype=np.int64)
    malicious = np.asarray(malicious, dtype=bool)
    if malicious.all() or not malicious.any():
        return None
    targets = _targets(malicious, families)
    forest = ExtraTreesClassifier(n_estimators=n_trees, random_state=seed)
    forest.fit(matrix[rows], targets, sample_weight=weights)
    shares, own_leaves = _votes(forest, matrix)
    bad = np.array([str(name).startswith("1") for name in forest.classes_])
    best = shares.argmax(axis=1)
    names = np.array([str(name)[1:] for name in forest.classes_], dtype=object)
    confidence = shares[np.arange(len(best)), best]
    novelty = _novelty(own_leaves, rows)
    if leaves is not None and len(leaves):
        novelty = (novelty + _novelty(leaves, rows)) / 2
    cluster = _clusters(own_leaves, confidence, novelty)
    told = {"probability": shares[:, bad].sum(axis=1), "family": names[best], "confidence": confidence}
    return pd.DataFrame({**told, "novelty": novelty, "cluster": cluster})


def _targets(malicious: NDArray[np.bool_], families: ArrayLike | None) -> NDArray[np.str_]:
    """Return one class a labelled row: 1 or 0 for its side, then its family."""
    given = [None] * len(malicious) if families is None else list(np.asarray(families, dtype=object))
    named = [
        f if isinstance(f, str) and f else ("" if bad else BENIGN) for f, bad in zip(given, malicious, strict=True)
    ]
    return np.array([f"{int(bad)}{name}" for bad, name in zip(malicious, named, strict=True)])


def _votes(
    forest: ExtraTreesClassifier, matrix: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Return the families' shares of the votes (n_rows, n_families), and each row's leaf in each tree (n_trees, n_rows)."""
    shares = np.zeros((len(matrix), len(forest.classes_)))
    leaves = np.empty((len(forest.estimators_), len(matrix)), dtype=np.uint16)
    for leaf, estimator in zip(leaves, forest.estimators_, strict=True):
        nodes = estimator.tree_.apply(matrix)
        votes = estimator.tree_.value[:, 0, :]
        shares += (votes / votes.sum(axis=1, keepdims=True))[nodes]
        leaf[:] = nodes % 65_536  # a tree of more nodes may count two leaves as one
    return shares / len(leaves), leaves


def _novelty(leaves: NDArray[np.integer], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    shared = _Shared(leaves)
    most = np.zeros(leaves.shape[1], dtype=shared.type)
    for row in rows.tolist():
        np.maximum(most, shared.with_row(row), out=most)
    return np.asarray(1.0 - most.astype(np.float64) / len(leaves))


def _clusters(
    leaves: NDArray[np.uint16], confidence: NDArray[np.float64], novelty: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Cluster the rows that may be asked about: each is of the first cluster whose first row is like it."""
    half = GROUPED // 2
    urgent = np.unique(
        np.concatenate([np.argsort(confidence, kind="stable")[:half], np.argsort(-novelty, kind="stable")[:half]])
    )
    cluster = -1 - np.arange(len(confidence))  # of its own
    shared = _Shared(np.ascontiguousarray(leaves[:, urgent]))
    least = ALIKE * len(leaves)
    free = np.ones(len(urgent), dtype=bool)
    for number in np.argsort(confidence[urgent], kind="stable").tolist():
        if free[number]:
            like = free & (shared.with_row(number) > least)
            cluster[urgent[like]] = urgent[number]
            free &= ~like
    return cluster


class _Shared:
    """In how many trees rows share a leaf."""

    def __init__(self, leaves: NDArray[np.integer]) -> None:
        self._leaves = np.ascontiguousarray(leaves).view()
        self._leaves.flags.writeable = False
        self.type: type[np.unsignedinteger] = np.uint8 if len(leaves) <= 255 else np.uint16
        self._counts: NDArray[np.unsignedinteger] = np.arange(len(leaves) + 1, dtype=self.type)

    def with_row(self, row: int) -> NDArray[np.unsignedinteger]:
        """Return the number of trees in which each row shares its leaf with `row`."""
        from socml.review.tree_kernel import tree_kernel  # numba takes a third of a second

        out = np.empty((1, self._leaves.shape[1]), dtype=self.type)
        tree_kernel(self._leaves, np.array([row]), self._counts, out, np.array([0]))
        return np.asarray(out[0])
