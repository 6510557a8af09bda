"""The isolation forest is scikit-learn's in all that it tells, however it was kept."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sklearn.ensemble

from socml.detectors.forest.tables import pack_forest
from socml.detectors.isolation_forest import IsolationForest


def both(X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            kind(**{"n_estimators": 10, "random_state": 3, **parameters}).fit(X)
            for kind in (IsolationForest, sklearn.ensemble.IsolationForest)
        ]


def rows(n=400, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def infinite(everywhere):
    X = rows(2000)
    X[:: 1 if everywhere else 2000, 0] = np.inf
    return X


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"contamination": 0.1},
        {"max_samples": 0.5},
        {"max_samples": 1000},
        {"max_features": 1},
        {"max_features": 0.5},
        {"bootstrap": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("X", [rows(), infinite(everywhere=False), rows(3)], ids=["plain", "an infinite value", "few"])
def test_a_forest_tells_what_that_of_scikit_learn_tells(X, parameters):
    if len(X) == 3 and parameters.get("max_samples") == 0.5:
        pytest.skip("one row a tree: scikit-learn divides by 0")
    ours, theirs = both(X, **parameters)
    assert np.abs(ours.score_samples(rows(seed=1)) - theirs.score_samples(rows(seed=1))).max() <= 1e-12
    assert ours.offset_ == pytest.approx(theirs.offset_, abs=1e-12)
    assert ours.max_samples_ == theirs.max_samples_
    for one, other in zip(ours.estimators_, theirs.estimators_, strict=True):
        assert np.array_equal(one.tree_.threshold, other.tree_.threshold)
        assert one.get_params() == other.get_params()


def test_a_forest_fitted_again_tells_of_its_new_trees_only():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows())
    before = forest.estimators_
    forest.set_params(n_estimators=7).fit(rows(seed=2))
    assert len(forest.estimators_) == 7
    assert forest.estimators_[0] is not before[0]


def test_a_warm_start_adds_trees():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows())
    first = forest.score_samples(rows())
    forest.set_params(n_estimators=9, warm_start=True).fit(rows())
    assert len(forest.estimators_) == 9
    assert pack_forest(forest).n_trees == 9
    assert not np.array_equal(forest.score_samples(rows()), first)


@pytest.mark.parametrize(
    "keep", [lambda forest: pickle.loads(pickle.dumps(forest)), copy.deepcopy], ids=["file", "copy"]
)
def test_a_kept_forest_scores_the_same(keep):
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows())
    assert np.array_equal(keep(forest).score_samples(rows()), forest.score_samples(rows()))


def test_an_unfitted_forest_has_no_trees():
    assert not hasattr(IsolationForest(), "estimators_")


def test_a_share_of_so_few_rows_that_a_tree_has_none_is_a_sentence():
    with pytest.raises(ValueError, match=r"max_samples=0\.001 of 400 rows is not one row a tree"):
        IsolationForest(max_samples=0.001).fit(rows())


def test_what_is_saved_of_a_forest_is_what_scikit_learn_saves_of_its_own():
    ours, theirs = both(rows())
    ours.score_samples(rows())
    assert {*ours.__getstate__(), "_sklearn_version"} == theirs.__getstate__().keys()
    again = pickle.loads(pickle.dumps(ours))
    assert np.array_equal(again.leaves(rows()), ours.leaves(rows()))


def test_a_table_of_fewer_rows_than_a_tree_takes_is_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert IsolationForest(n_estimators=5, max_samples=256, random_state=0).fit(rows(50)).max_samples_ == 50
