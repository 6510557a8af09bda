"""Compiled Shapley values are those of the definition and of shap, whatever the forest."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from socml.detectors.forest import shapley as kernel
from socml.detectors.forest.scoring import mean_depth
from socml.detectors.forest.shapley import expected_depth, tree_shap
from socml.detectors.forest.tables import pack_forest


def table(n=400, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def tabulated(forest, X, monkeypatch):
    monkeypatch.setattr(kernel, "FEW_ROWS", 0)
    return tree_shap(forest, X)


@pytest.mark.parametrize("max_samples", [1, 2, 5, 64])
def test_values_are_those_of_the_definition_with_and_without_tables(max_samples, monkeypatch):
    X = table()
    X[:, 3] = np.round(X[:, 3])
    forest = IsolationForest(n_estimators=5, max_samples=max_samples, random_state=0).fit(X)
    packed = pack_forest(forest)
    by_definition = [naive.shapley(forest, row) for row in X[:6]]
    for ours in (tree_shap(packed, X[:6]), tabulated(packed, X[:6], monkeypatch)):
        assert np.abs(ours - [parts for parts, _ in by_definition]).max() < 1e-12
    assert abs(expected_depth(packed) - by_definition[0][1]) < 1e-12


def test_missing_values_go_where_scikit_learn_sends_them(monkeypatch):
    X = table()
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    forest = IsolationForest(n_estimators=5, max_samples=64, random_state=0).fit(X)
    packed = pack_forest(forest)
    by_definition = [naive.shapley(forest, row)[0] for row in X[:8]]
    assert np.isnan(X[:8]).any()
    for ours in (tree_shap(packed, X[:8]), tabulated(packed, X[:8], monkeypatch)):
        assert np.abs(ours - by_definition).max() < 1e-12


@pytest.mark.parametrize(("d", "max_samples"), [(40, 256), (2, 256), (3, 256), (30, 5000)])
def test_values_are_those_of_shap(d, max_samples, monkeypatch):
    shap = pytest.importorskip("shap")
    X = np.exp(table(6000, d))
    forest = IsolationForest(n_estimators=10, max_samples=max_samples, random_state=0).fit(X)
    packed, rows = pack_forest(forest), X[:50]
    theirs = shap.TreeExplainer(forest).shap_values(rows, check_additivity=False)
    assert np.abs(tree_shap(packed, rows) - theirs).max() < 1e-9
    assert np.abs(tabulated(packed, rows, monkeypatch) - theirs).max() < 1e-9


def test_leaves_without_a_table_and_with_one_mix(monkeypatch):
    X = table(600, 12)
    forest = pack_forest(IsolationForest(n_estimators=10, random_state=0).fit(X))
    plain = tree_shap(forest, X)
    monkeypatch.setattr(kernel, "MOST_BYTES", 20_000)
    assert np.abs(tabulated(forest, X, monkeypatch) - plain).max() < 1e-12
    assert (kernel._PATTERNS[forest][0] < 0).any()
    assert (kernel._PATTERNS[forest][0] >= 0).any()


def test_values_add_up_to_the_path_length_and_no_bit_depends_on_threads_or_neighbours():
    X = table(5000, 8)
    forest = pack_forest(IsolationForest(n_estimators=20, random_state=0).fit(X))
    values = tree_shap(forest, X)
    assert np.abs(values.sum(axis=1) + expected_depth(forest) - mean_depth(forest, X)).max() < 1e-10
    assert np.array_equal(tree_shap(forest, X, threads=2), values)
    assert np.array_equal(tree_shap(forest, X[100:1200]), values[100:1200])
    assert tree_shap(forest, X[:0]).shape == (0, 8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 4), st.integers(1, 12))
def test_any_small_forest_is_explained_by_the_definition(seed, n, d, max_samples):
    X = np.random.default_rng(seed).integers(-2, 3, size=(n, d)).astype(np.float32)
    forest = IsolationForest(n_estimators=3, max_samples=min(max_samples, n), random_state=seed).fit(X)
    assert (
        np.abs(tree_shap(pack_forest(forest), X[:2]) - [naive.shapley(forest, row)[0] for row in X[:2]]).max() < 1e-12
    )
