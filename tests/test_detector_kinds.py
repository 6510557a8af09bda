"""Kinds of data on which a default must not fail, generated anew for each seed: what the default detector puts first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from socml.detectors._spikes import informative_columns, learn_spikes
from socml.detectors._tail_scale import learn_scale, surprise
from socml.features.preparation import Preparation
from socml.project.registry import component

SEEDS = [0, 1, 2]


def first(table: pd.DataFrame, n: int, seed: int = 0) -> set[int]:
    """Return the n rows of a table that the default detector finds most anomalous."""
    X = Preparation().fit_transform(table)
    scores = component("detectors", "ensemble")(random_state=seed).fit(X).score_samples(X)
    return set(np.argsort(scores, kind="stable")[:n].tolist())


def columns(X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("values", [4, 10, 40])
def test_amounts_beyond_all_others_come_before_evenly_spread_categories(seed, values):
    rng, n = np.random.default_rng(seed), 3000
    planted = rng.choice(n, 3, replace=False)
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(4, 1, n),
            "category": rng.choice([f"k{i}" for i in range(values)], n),
            "weekday": rng.choice(list("abcdefg"), n),
            "items": rng.poisson(3, n),
        }
    )
    table.loc[planted, "amount"] = 1_000_000.0
    assert first(table, 3, seed) == set(planted.tolist())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("width", [2, 5, 20])
def test_plain_spikes_come_first_all_ten(seed, width):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3000, width))
    planted = rng.choice(len(X), 10, replace=False)
    X[planted, rng.integers(width, size=10)] = rng.choice([-1.0, 1.0], 10) * rng.uniform(10, 15, 10)
    assert first(columns(X), 10, seed) == set(planted.tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_group_that_stands_out_in_two_columns_of_three_comes_first(seed):
    """As the attacks in the table `http`: each is like the others, and distances put lone odd rows before them."""
    rng, n = np.random.default_rng(seed), 50_000
    X = np.stack([rng.exponential(0.3, n), rng.normal(5.5, 0.25, n), rng.normal(7.4, 1.0, n)], axis=1)
    others, group = np.split(rng.choice(n, n // 200, replace=False), [n // 400])
    X[others, 0] += 3
    X[group, 1:] = [10.9, 12.5]
    found = first(columns(X), len(group), seed)
    assert len(found & set(group.tolist())) >= 0.95 * len(group)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_most_anomalous_rows_have_scores_of_their_own(seed):
    X = np.random.default_rng(seed).normal(size=(2000, 4))
    scores = component("detectors", "ensemble")(random_state=seed).fit(X).score_samples(X)
    assert len(np.unique(np.sort(scores)[:100])) == 100


def test_the_further_out_of_all_that_was_seen_the_more_anomalous():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    detector = component("detectors", "ensemble")(random_state=0).fit(X)
    scores = detector.score_samples(np.array([[x, 0.0, 0.0] for x in (5.0, 10.0, 100.0, 1e6, 1e30)]))
    assert (np.diff(scores) < 0).all()


def test_columns_without_information_change_no_score():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1000, 3))
    dull = np.stack([np.full(1000, 7.0), rng.integers(0, 2, 1000), rng.integers(0, 8, 1000)], axis=1)
    alone = component("detectors", "ensemble")(random_state=0).fit(X).score_samples(X)
    both = np.hstack([X, dull])
    assert np.array_equal(component("detectors", "ensemble")(random_state=0).fit(both).score_samples(both), alone)


@pytest.mark.parametrize(("share", "kept"), [(0.05, True), (0.2, False)])
def test_a_category_is_read_only_if_one_of_its_values_is_rare(share, kept):
    flag = (np.arange(1000) < 1000 * share).astype(float)
    X = np.stack([np.arange(1000.0), flag], axis=1)
    assert informative_columns(X).tolist() == [True, kept]


def test_a_matrix_of_common_categories_alone_is_read_whole():
    X = np.random.default_rng(0).integers(0, 2, (500, 4)).astype(float)
    assert informative_columns(X).all()


@pytest.mark.parametrize(("rows", "spikes"), [(20, 20), (21, 0)])
def test_more_than_a_handful_beyond_the_rest_are_a_group_and_no_spikes(rows, spikes):
    X = np.arange(5000.0)[:, None] / 5000
    X[:rows] = 50.0
    assert int((learn_spikes(X).times(X) > 0).sum()) == spikes


@pytest.mark.parametrize(
    ("rows", "far", "spikes"), [(500, 2.0, 1), (499, 1.8, 0), (499, 50.0, 1), (100, 50.0, 1), (99, 50.0, 0)]
)
def test_in_a_short_table_a_spike_lies_farther_out(rows, far, spikes):
    X = np.arange(float(rows))[:, None] / rows
    X[3] = far
    assert int((learn_spikes(X).times(X) > 0).sum()) == spikes


@pytest.mark.parametrize(("far", "spikes"), [(9, 0), (340, 1)])
def test_a_count_of_few_values_has_spikes_too(far, spikes):
    X = np.random.default_rng(0).integers(1, 7, (2000, 1)).astype(float)
    X[7] = far
    assert int((learn_spikes(X).times(X) > 0).sum()) == spikes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rows", [150, 400, 2000])
def test_one_order_of_hundreds_of_items_is_among_the_first_three(seed, rows):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(3.0, 0.4, rows).round(2),
            "items": rng.integers(1, 7, rows),
            "country": rng.choice(["FR", "DE", "IT"], rows),
        }
    )
    table.loc[rows // 2, ["amount", "items"]] = [9.99, 340]
    assert rows // 2 in first(table, 3, seed)


def test_a_group_of_equal_scores_stays_apart_from_the_row_right_after_it():
    scores = np.concatenate([np.linspace(0.0, 0.9, 900), np.full(100, 1.0)])
    group, after = (surprise(learn_scale(scores, ties="middle"), score) for score in (1.0, 0.9))
    assert group - after > 0.6
    assert np.exp(-group) == pytest.approx(50.5 / 1001)
