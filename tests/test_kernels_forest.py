"""Compiled isolation forests give scikit-learn's scores and leaves, whatever the data and the threads."""

from __future__ import annotations

import pickle
import warnings

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from socml.detectors.forest import scoring as forest_score
from socml.detectors.forest.scoring import leaf_matrix, mean_depth, score_samples
from socml.detectors.forest.select import compile_select
from socml.detectors.forest.tables import PackedForest, mean_path, pack_forest

SCORE_TOLERANCE = 1e-12  # 1e-6 is the goal; path lengths are summed to 2⁻⁴⁰


def ordinary(n=2000, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def awkward_tables():
    X = ordinary()
    rounded = np.round(X * 2) / 2
    constant = X.copy()
    constant[:, 0], constant[::2, 1], constant[1::2, 1] = 7, -0.0, 0.0
    constant[:, 2] = 1e8
    missing = X.copy()
    missing[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    missing[:, 3] = np.nan
    skewed = np.exp(X * 3).astype(np.float32)
    return {
        "ordinary": X, "rounded": rounded, "constant": constant, "missing": missing, "skewed": skewed,
        "huge": (X * 1e37).astype(np.float32), "tiny": (X * 1e-40).astype(np.float32), "one column": X[:, :1],
        "one row": X[:1], "two rows": X[:2], "all the same": np.ones((5, 2), np.float32),
    }  # fmt: skip


def fitted(X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return IsolationForest(**{"n_estimators": 20, "random_state": 0, **parameters}).fit(X)


def seen_by(X):
    """Rows to score: those of fit, between them, far from them, and with infinities and signed zeros."""
    far = np.concatenate([X[:5] + np.float32(0.01), X[:5] * -3, np.full((1, X.shape[1]), 0.0), -X[:1] * 0])
    wild = np.full((2, X.shape[1]), np.inf)
    wild[1] *= -1
    return np.concatenate([X[:300], far, wild]).astype(np.float32)


def grown(X, **parameters):
    return pack_forest(fitted(X, **{"n_estimators": 100, **parameters}))


@pytest.mark.parametrize("name", awkward_tables())
@pytest.mark.parametrize("max_samples", [1, 2, 3, 256, 1500])
def test_scores_and_leaves_are_those_of_scikit_learn(name, max_samples):
    X = awkward_tables()[name]
    forest = fitted(X, max_samples=min(max_samples, len(X)))
    packed, rows = pack_forest(forest), seen_by(X)
    for some in (rows, rows[:1], rows[:3]):
        assert np.abs(score_samples(packed, some) - forest.score_samples(some)).max() <= SCORE_TOLERANCE
    assert np.array_equal(leaf_matrix(packed, rows[:40]), naive.leaf_numbers(forest, rows[:40]))
    assert np.abs(mean_depth(packed, rows[:40]) - naive.mean_depth(forest, rows[:40])).max() <= SCORE_TOLERANCE


def test_select_network_and_walk_are_bit_equal(monkeypatch):
    for X in awkward_tables().values():
        packed, rows = grown(X, n_estimators=30, random_state=1), seen_by(X)
        selected = mean_depth(packed, np.concatenate([rows] * 3)), leaf_matrix(packed, np.concatenate([rows] * 3))
        with monkeypatch.context() as patch:
            patch.setattr(forest_score, "FEW_ROWS", 10**9)
            walked = mean_depth(packed, np.concatenate([rows] * 3)), leaf_matrix(packed, np.concatenate([rows] * 3))
        assert all(np.array_equal(a, b) for a, b in zip(selected, walked, strict=True))


@pytest.mark.parametrize("max_samples", [256, 2000])
def test_threads_and_neighbours_do_not_change_a_bit(max_samples):
    X = ordinary(4000)
    packed = grown(X, max_samples=max_samples)
    scores = score_samples(packed, X)
    for threads in (2, 3):
        assert np.array_equal(score_samples(packed, X, threads=threads), scores)
        assert np.array_equal(leaf_matrix(packed, X, threads=threads), leaf_matrix(packed, X))
    assert np.array_equal(score_samples(packed, X[1000:1700]), scores[1000:1700])
    assert np.array_equal([score_samples(packed, row[None])[0] for row in X[:20]], scores[:20])


def test_a_column_with_many_thresholds_is_split_into_groups_of_trees():
    X = ordinary(3000, 2)
    forest = fitted(X, n_estimators=40)
    packed = pack_forest(forest)
    groups = compile_select(packed)
    assert len(groups) > 5
    assert [g.trees[0] for g in groups[1:]] == [g.trees[1] for g in groups[:-1]]
    assert np.abs(score_samples(packed, X) - forest.score_samples(X)).max() <= SCORE_TOLERANCE


def test_a_tree_of_more_than_256_leaves_has_leaf_numbers_of_two_bytes():
    X = ordinary(3000)
    small, large = (grown(X, n_estimators=2, max_samples=n) for n in (256, 2048))
    assert leaf_matrix(small, X).dtype == np.uint8
    assert leaf_matrix(large, X).dtype == np.uint16
    assert leaf_matrix(large, X).max() > 255


def test_a_value_exactly_at_a_threshold_goes_left_even_where_float32_rounds_the_threshold_up():
    X = ordinary(500, 1)
    forest = fitted(X)
    packed = pack_forest(forest)
    inner = packed.feature >= 0
    near = packed.threshold[inner].astype(np.float32)
    edges = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])[:, None]
    assert np.abs(score_samples(packed, edges) - forest.score_samples(edges)).max() <= SCORE_TOLERANCE
    assert (packed.threshold32[inner].astype(float) <= packed.threshold[inner]).all()


def test_no_rows_give_no_scores():
    packed = grown(ordinary(50, 3))
    nothing = np.empty((0, 3), np.float32)
    assert score_samples(packed, nothing).shape == (0,)
    assert leaf_matrix(packed, nothing).shape == (100, 0)


def test_a_matrix_of_another_width_is_refused():
    packed = grown(ordinary(50, 3))
    with pytest.raises(ValueError, match=r"\(50, 2\).*reads 3 columns"):
        score_samples(packed, ordinary(50, 2))


def test_a_forest_that_splits_where_no_number_lies_is_left_to_scikit_learn():
    forest = fitted(ordinary(50, 3))
    forest.estimators_[3].tree_.threshold[0] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        pack_forest(forest)


def test_a_matrix_may_be_read_only_strided_or_of_another_type():
    X = ordinary(300)
    packed = grown(X)
    scores = score_samples(packed, X)
    frozen = X.copy()
    frozen.flags.writeable = False
    strided = np.repeat(X, 2, axis=0)[::2]
    for other in (frozen, strided, np.asfortranarray(X), X.astype(np.float64), X.tolist()):
        assert np.array_equal(score_samples(packed, other), scores)


def test_plain_arrays_give_the_forest_back():
    X = ordinary(300)
    packed = grown(X)
    score_samples(packed, X)
    for again in (PackedForest.from_arrays(packed.as_arrays()), pickle.loads(pickle.dumps(packed))):
        assert np.array_equal(score_samples(again, X), score_samples(packed, X))


@pytest.mark.parametrize(
    ("name", "at", "value"), [("left", 0, 999), ("right", 0, 0), ("left", 0, 2), ("feature", 0, 6), ("start", 1, 2)]
)
def test_damaged_arrays_are_refused_before_compiled_code_reads_them(name, at, value):
    arrays = {k: v.copy() for k, v in grown(ordinary(300)).as_arrays().items()}
    arrays[name][at] = value
    with pytest.raises(ValueError, match="not those of an isolation forest"):
        PackedForest.from_arrays(arrays)


def test_mean_path_agrees_with_the_definition():
    assert np.allclose(mean_path(range(50)), [naive.mean_path(n) for n in range(50)], rtol=1e-15)


values = st.sampled_from([0.0, -0.0, 1.0, 1.0000001, -1.0, 0.1, 3e38, -3e38, 1e-45, 5.0]) | st.floats(-10, 10, width=32)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_table_gives_scikit_learns_scores_and_leaves(data, n, d, trees, seed):
    cells = data.draw(st.lists(values, min_size=n * d, max_size=n * d))
    X = np.array(cells, dtype=np.float32).reshape(n, d)
    rows = data.draw(st.integers(1, n))
    peer = fitted(X, n_estimators=trees, max_samples=rows, random_state=seed)
    ours = pack_forest(peer)
    tall = np.tile(X, (200 // n + 1, 1))
    for some in (X, tall):
        assert np.abs(score_samples(ours, some) - peer.score_samples(some)).max() <= SCORE_TOLERANCE
    assert np.array_equal(leaf_matrix(ours, tall)[:, :n], naive.leaf_numbers(peer, X))
