"""A forest that votes and matrix rows → how far each cell pushed the share of votes toward malicious, exactly.

The same TreeSHAP as of an isolation forest, by our compiled code; the value of a leaf is its share of malicious.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from socml.detectors import PackedForest, expected_depth, node_tables, tree_shap

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

__all__ = ["ClassifierForest"]


class _OfForest(Protocol):
    estimator_: RandomForestClassifier | ExtraTreesClassifier


class ClassifierForest:
    """Shapley values of a random forest or extra trees: they and `base` add up to the share of votes, 0 to 1.

    Calibration comes after it and never changes which row is above which. Blind to dependence between columns: a
    column that only repeats another shares its part.

    Attributes
    ----------
    base : float, share of votes of a row of which nothing is known

    References
    ----------
    S. Lundberg et al. (2020), «From local explanations to global understanding with explainable AI for
    trees», Nature Machine Intelligence 2, doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> from socml.detectors.supervised.random_forest import RandomForest
    >>> X = np.column_stack([np.linspace(0, 1, 80), np.tile([0.0, 1.0], 40)]).astype(np.float32)
    >>> classifier = RandomForest(n_estimators=20, random_state=0).fit(X, X[:, 0] > 0.5)
    >>> explainer = ClassifierForest(classifier)
    >>> votes = classifier.estimator_.predict_proba(X)[:, 1]
    >>> bool(np.allclose(explainer.contributions(X).sum(axis=1) + explainer.base, votes))
    True
    """

    exact = True
    unit = "share of the forest's votes, before calibration"

    def __init__(self, detector: _OfForest) -> None:
        self._forest = _pack(detector.estimator_)
        self.base = expected_depth(self._forest)

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector is a calibrated random forest or extra trees of scikit-learn."""
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        return isinstance(getattr(detector, "estimator_", None), RandomForestClassifier | ExtraTreesClassifier)

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each cell's part of the share of votes, shape as X: positive pushes toward malicious."""
        X = np.asarray(X, dtype=np.float32)
        return tree_shap(self._forest, X) if len(X) else np.empty(X.shape)


@dataclass(frozen=True, eq=False)
class _VotingForest(PackedForest):
    """A packed forest whose leaves stand for a share of malicious, not for a path length."""

    malicious: NDArray[np.float64]

    @property
    def value(self) -> NDArray[np.float64]:
        """Share of malicious of each node, 0 to 1."""
        return self.malicious


def _pack(forest: RandomForestClassifier | ExtraTreesClassifier) -> _VotingForest:
    trees = [tree.tree_ for tree in forest.estimators_]
    nodes = node_tables(trees)
    votes = np.concatenate([tree.value[:, 0, :] for tree in trees])
    return _VotingForest(
        **nodes,
        n_features=int(forest.n_features_in_),
        max_samples=int(nodes["rows"][nodes["start"][:-1]].max()),
        malicious=votes[:, 1] / votes.sum(axis=1),
    )
