"""A model file whose types are all harmless, and whose trees lead outside themselves, is refused before anything follows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.neighbors import BallTree, KDTree, LocalOutlierFactor
from sklearn.tree import DecisionTreeClassifier

from socml.detectors import IsolationForest as OurForest
from socml.models import load_trusted
from socml.models.node_checks import check_nodes
from socml.project import ModelError

RNG = np.random.default_rng(7)
ROWS = np.c_[RNG.integers(0, 4, 200), RNG.normal(size=(200, 2))].astype(np.float64)
TRUTH = (ROWS[:, 0] + ROWS[:, 1] > 2).astype(int)


def with_state(tree: Any, change: Callable[[np.ndarray], None]) -> Any:
    """Make a decision tree do what `change` does to its nodes."""
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    change(state["nodes"])
    tree.__setstate__(state)
    return tree


def forged_tree(field: str, value: int, at: int = 0) -> DecisionTreeClassifier:
    model = DecisionTreeClassifier(random_state=0).fit(ROWS, TRUTH)

    def change(nodes: np.ndarray) -> None:
        nodes[field][at] = value

    with_state(model.tree_, change)
    return model


def shallow_tree() -> DecisionTreeClassifier:
    model = DecisionTreeClassifier(random_state=0).fit(ROWS, TRUTH)
    model.tree_.__setstate__({**model.tree_.__getstate__(), "max_depth": 1})
    return model


def forged_columns() -> IsolationForest:
    model = IsolationForest(n_estimators=3, random_state=0).fit(ROWS)
    model.estimators_features_[1] = np.array([0, 1, 1_000_000])
    return model


def narrow_owner() -> RandomForestClassifier:
    """A forest that says it reads two columns, of trees that read three."""
    model = RandomForestClassifier(n_estimators=3, random_state=0).fit(ROWS, TRUTH)
    for owner in (model, *model.estimators_):
        owner.n_features_in_ = 1
    return model


def forged_boosting(field: str, value: int) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, TRUTH)
    model._predictors[0][0].nodes[field][0] = value
    return model


def narrow_boosting() -> GradientBoostingClassifier:
    """A boosting that says it reads one column, of trees that read three and say so."""
    model = GradientBoostingClassifier(n_estimators=2).fit(ROWS, TRUTH)
    model.n_features_in_ = 1
    return model


def shared_tree() -> dict[str, RandomForestClassifier]:
    """A forest as it should be, and one of fewer columns of the same trees."""
    model = RandomForestClassifier(n_estimators=3, random_state=0).fit(ROWS, TRUTH)
    narrow = RandomForestClassifier(n_estimators=3, random_state=0).fit(ROWS[:, :1], TRUTH)
    for good, bad in zip(model.estimators_, narrow.estimators_, strict=True):
        bad.tree_ = good.tree_
    return {"narrow": narrow, "whole": model}


def forged_neighbours(kind: type, part: int, change: Callable[[np.ndarray], None]) -> LocalOutlierFactor:
    model = LocalOutlierFactor(novelty=True, n_neighbors=5, algorithm="kd_tree" if kind is KDTree else "ball_tree")
    model.fit(ROWS)
    state = list(model._tree.__getstate__())
    state[part] = state[part].copy()
    change(state[part])
    model._tree.__setstate__(tuple(state))
    return model


def outside(rows: np.ndarray) -> None:
    rows[3] = 10**7


def before(rows: np.ndarray) -> None:
    rows[3] = -1


def no_leaves(nodes: np.ndarray) -> None:
    nodes["is_leaf"] = 0


def long_leaf(nodes: np.ndarray) -> None:
    nodes["idx_end"][-1] = 10**7


FORGED = {
    "child far outside": lambda: forged_tree("left_child", 10**6),
    "child before the tree": lambda: forged_tree("right_child", -7),
    "circle": lambda: forged_tree("left_child", 0),
    "half a leaf": lambda: forged_tree("left_child", 1, at=-1),
    "column that is none": lambda: forged_tree("feature", 3),
    "column below 0": lambda: forged_tree("feature", -3),
    "depth": shallow_tree,
    "columns of a forest": forged_columns,
    "forest of fewer columns than its trees": narrow_owner,
    "one tree of two forests": shared_tree,
    "boosting of fewer columns than its trees": narrow_boosting,
    "boosting: child": lambda: forged_boosting("left", 10**6),
    "boosting: circle": lambda: forged_boosting("right", 0),
    "boosting: column": lambda: forged_boosting("feature_idx", 3),
    "boosting: category of a number": lambda: forged_boosting("is_categorical", 1),
    "k-d tree: row": lambda: forged_neighbours(KDTree, 1, outside),
    "ball tree: row": lambda: forged_neighbours(BallTree, 1, before),
    "k-d tree: no leaves": lambda: forged_neighbours(KDTree, 2, no_leaves),
    "ball tree: rows of a leaf": lambda: forged_neighbours(BallTree, 2, long_leaf),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_tree_that_leads_outside_itself_is_refused(forged: str, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump({"inside": [FORGED[forged]()]}, path)
    with pytest.raises(ModelError, match="cannot be read|can be read"):
        load_trusted(path)


@pytest.mark.parametrize("weights", [1, 3])
@pytest.mark.parametrize("metric", ["minkowski", "seuclidean"])
def test_a_distance_has_a_weight_for_each_column(metric: str, weights: int) -> None:
    options = {"w": np.ones(3), "p": 3} if metric == "minkowski" else {"V": np.ones(3)}
    tree = BallTree(ROWS, metric=metric, **options)
    distance = next(part for part in tree.__getstate__() if hasattr(part, "rdist_to_dist"))
    state = list(distance.__getstate__())
    state[1] = np.ones(weights)
    distance.__setstate__(tuple(state))
    if weights == 3:
        check_nodes(tree)
    else:
        with pytest.raises(ValueError, match="weight"):
            check_nodes(tree)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_leaf_nodes=9),
        DecisionTreeClassifier(ccp_alpha=0.01),
        RandomForestClassifier(n_estimators=3),
        IsolationForest(n_estimators=3, max_features=2),
        HistGradientBoostingClassifier(max_iter=2),
        GradientBoostingClassifier(n_estimators=2),
        LocalOutlierFactor(novelty=True, algorithm="kd_tree", leaf_size=1),
        LocalOutlierFactor(novelty=True, algorithm="ball_tree", metric="mahalanobis", metric_params={"V": np.eye(3)}),
        OurForest(),
    ],
    ids=repr,
)
def test_what_was_fitted_is_read(model: BaseEstimator, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(model.fit(ROWS, TRUTH), path)
    again = load_trusted(path)
    assert type(again) is type(model)


def test_one_row_gives_trees_of_one_node() -> None:
    check_nodes(DecisionTreeClassifier().fit([[1.0]], [1]))
