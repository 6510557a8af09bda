"""The isolation forest is scikit-learn's in all that it tells, though most of that is made only when asked for."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sklearn.ensemble

from socml.detectors.forest.tables import pack_forest
from socml.detectors.isolation_forest import DERIVED, IsolationForest


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
    for one, other in zip(ours._decision_path_lengths, theirs._decision_path_lengths, strict=True):
        assert np.array_equal(one, other)
    for one, other in zip(ours._average_path_length_per_tree, theirs._average_path_length_per_tree, strict=True):
        assert np.abs(one - other).max() <= 1e-12
    for one, other in zip(ours.estimators_, theirs.estimators_, strict=True):
        assert np.array_equal(one.tree_.threshold, other.tree_.threshold)
        assert one.get_params() == other.get_params()


def test_what_is_derived_from_trees_is_not_made_by_fitting_and_scoring():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows())
    forest.score_samples(rows())
    assert not set(DERIVED) & set(vars(forest))
    assert len(forest.estimators_) == 5
    assert set(DERIVED) <= set(vars(forest))


def test_a_forest_fitted_again_tells_of_its_new_trees_only():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows())
    before = forest.estimators_
    forest.set_params(n_estimators=7).fit(rows(seed=2))
    assert len(forest.estimators_) == 7
    assert forest.estimators_[0] is not before[0]


def test_a_warm_start_goes_on_from_trees_that_the_kernel_grew():
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


def test_a_forest_is_saved_as_a_few_arrays_and_one_of_an_earlier_version_is_read():
    X = np.random.default_rng(0).normal(size=(300, 3))
    forest = IsolationForest(n_estimators=50, random_state=0).fit(X)
    saved = forest.__getstate__()
    assert not {"estimators_", "_packed"} & saved.keys()
    again = pickle.loads(pickle.dumps(forest))
    assert np.array_equal(again.score_samples(X), forest.score_samples(X))
    assert np.array_equal(again.leaves(X), forest.leaves(X))
    assert [tree.tree_.node_count for tree in again.estimators_] == [t.tree_.node_count for t in forest.estimators_]
    earlier = IsolationForest.__new__(IsolationForest)
    earlier.__setstate__(
        {n: v for n, v in forest.__dict__.items() if n != "_packed"}
    )  # estimators_, as they were derived
    assert np.array_equal(earlier.score_samples(X), forest.score_samples(X))


def test_saved_arrays_that_are_no_forest_are_refused():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(np.random.default_rng(0).normal(size=(60, 2)))
    saved = forest.__getstate__()
    saved["_trees"]["left"] = saved["_trees"]["left"] + 1_000
    with pytest.raises(ValueError, match="a node points where it may not"):
        IsolationForest.__new__(IsolationForest).__setstate__(saved)
