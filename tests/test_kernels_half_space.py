"""Compiled half-space trees score as River's do, to the last bit, in any blocks and after any pause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.detectors.online._compiled_half_space import HalfSpaceForest

SHAPES = [  # columns, trees, height, window, rows; heights over 10 are not tabulated
    (10, 10, 8, 250, 2000),
    (3, 5, 12, 100, 500),
    (12, 4, 3, 7, 300),
    (2, 3, 11, 1, 60),
    (5, 1, 1, 3, 50),
]


def stream(n, d, seed=0):
    """Rows mostly in [0, 1], some beyond, some repeated."""
    rng = np.random.default_rng(seed)
    X = rng.beta(2, 5, (n, d))
    X[rng.random(X.shape) < 0.02] *= 4
    X[rng.random(n) < 0.1] = X[0]
    return X


def river_scores(X, names, learned=None, **parameters):
    """One by one, as the manual says: score, then learn."""
    from river.anomaly import HalfSpaceTrees

    trees, scores = HalfSpaceTrees(**parameters), []
    for i, row in enumerate(X.tolist()):
        x = dict(zip(names, row, strict=True))
        scores.append(trees.score_one(x))
        if learned is None or learned[i]:
            trees.learn_one(x)
    return np.array(scores, dtype=float)


@pytest.mark.parametrize(("d", "n_trees", "height", "window_size", "n"), SHAPES)
def test_scores_are_those_of_river_bit_for_bit(d, n_trees, height, window_size, n):
    names = [f"f{i}" for i in np.random.default_rng(1).permutation(d)]
    parameters = {"n_trees": n_trees, "height": height, "window_size": window_size, "seed": 3}
    parameters["limits"] = {names[0]: (0.0, 2.5)}
    X = stream(n, d)
    ours = HalfSpaceForest(names, **parameters).score_learn(X)
    assert np.array_equal(ours, river_scores(X, names, **parameters))
    assert (ours[:window_size] == 0).all()
    assert ours[window_size:].max() > 0


@pytest.mark.parametrize("height", [8, 12])
def test_only_some_rows_may_be_learned(height):
    X = stream(600, 4)
    learned = np.random.default_rng(2).random(600) < 0.3
    parameters = {"n_trees": 5, "height": height, "window_size": 50, "seed": 0}
    ours = HalfSpaceForest(range(4), **parameters).score_learn(X, learned)
    assert np.array_equal(ours, river_scores(X, range(4), learned, **parameters))


@pytest.mark.parametrize("height", [4, 12])
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=12), st.integers(1, 40))
def test_blocks_and_pauses_do_not_change_a_score(height, blocks, window_size):
    X = stream(300, 3)
    new = lambda: HalfSpaceForest(["a", "b", "c"], n_trees=4, height=height, window_size=window_size, seed=1)  # noqa: E731
    whole, forest, parts, at = new().score_learn(X), new(), [], 0
    for size in [*blocks, 300]:
        parts.append(forest.score_learn(X[at : at + size]))
        at += size
        forest = HalfSpaceForest.from_arrays(forest.as_arrays())
    assert np.array_equal(np.concatenate(parts), whole)


def test_scoring_alone_learns_nothing():
    X = stream(500, 3)
    forest = HalfSpaceForest("abc", window_size=50, seed=0)
    forest.learn(X[:400])
    before = {name: table.copy() for name, table in forest.as_arrays().items()}
    scores = forest.score(X)
    assert np.array_equal(scores, forest.score(X))
    assert all(np.array_equal(table, before[name]) for name, table in forest.as_arrays().items())


def test_damaged_state_is_refused():
    arrays = HalfSpaceForest("abc", height=12, window_size=5, seed=0).as_arrays()
    for name, value in (("feature", 3), ("touched", 1 << 12), ("state", 5)):
        broken = {k: v.copy() for k, v in arrays.items()}
        broken[name].flat[0] = value
        with pytest.raises(ValueError, match="damaged"):
            HalfSpaceForest.from_arrays(broken)
    with pytest.raises(ValueError, match="damaged"):
        HalfSpaceForest.from_arrays({**arrays, "count": arrays["count"][:, :5]})


def test_a_block_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 2\).*3 columns"):
        HalfSpaceForest("abc").score(np.zeros((2, 2)))
