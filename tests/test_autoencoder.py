"""The autoencoder: what the contracts of detectors do not ask of every detector."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from socml.detectors.autoencoder import Autoencoder
from socml.detectors.pca import Pca
from socml.models.fitting import make_detector
from socml.project.recipes import ModelRecipe


def ring(rows=600, seed=0):
    """A noisy circle in three dimensions: the middle is usual in every column, and no row is there."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, rows)
    return np.column_stack([np.cos(angle), np.sin(angle), np.cos(angle) * np.sin(angle)]) + rng.normal(
        scale=0.02, size=(rows, 3)
    )


def test_a_row_off_a_curved_surface_is_odd_where_straight_lines_see_nothing():
    X = ring()
    off = np.array([[0.7, 0.7, -0.5], [0.7, -0.7, 0.5]])  # the third column contradicts the other two
    for detector, seen in ((Autoencoder(narrow=2, steps=4000, random_state=0), True), (Pca(), False)):
        scores = detector.fit(X).score_samples(np.concatenate([off, X]))
        assert (scores[:2].max() < np.quantile(scores[2:], 0.05)) == seen


@pytest.mark.parametrize("threads", [1, 2])
def test_scores_do_not_depend_on_threads_to_the_last_bit(threads):
    X = np.random.default_rng(1).normal(size=(3000, 30))
    wanted = Autoencoder(random_state=3, steps=50).fit(X).score_samples(X)
    with threadpool_limits(limits=threads):
        assert np.array_equal(Autoencoder(random_state=3, steps=50).fit(X).score_samples(X), wanted)


def test_another_seed_gives_other_scores_and_the_same_seed_the_same():
    X = ring()
    one, again, other = (Autoencoder(random_state=seed, steps=50).fit(X).score_samples(X) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_score_is_the_same_to_the_last_bit_whichever_rows_are_with_it():
    X = ring()
    detector = Autoencoder(random_state=0, steps=50).fit(X)
    together = detector.score_samples(X[:40])
    assert [detector.score_samples(X[i : i + 1])[0] for i in range(40)] == together.tolist()


def test_the_error_of_each_column_is_its_part_and_they_add_up_exactly():
    X = ring()
    detector = Autoencoder(random_state=0, steps=50).fit(X)
    odd = np.array([[0.7, 25.0, 0.5]])
    parts = detector.contributions(odd)
    assert (parts >= 0).all()
    assert parts.argmax() == 1
    assert parts.sum(axis=1) == -detector.score_samples(odd)


def test_further_out_is_odder_without_end_and_never_infinite():
    detector = Autoencoder(random_state=0, steps=200).fit(ring())
    out = detector.score_samples(np.array([[10.0**k, 0.0, 0.0] for k in (0, 1, 2, 4, 30)]))
    assert (np.diff(out) < 0).all()
    assert np.isfinite(out).all()


def test_an_outlier_that_was_learnt_from_is_still_the_oddest():
    X = ring()
    X[50:53] = 9.0
    scores = Autoencoder(random_state=0).fit(X).score_samples(X)
    assert set(scores.argsort()[:3]) == {50, 51, 52}


def test_constant_columns_say_nothing_even_if_they_change():
    X = np.column_stack([ring(), np.full(600, 5.0)])
    detector = Autoencoder(random_state=0, steps=50).fit(X)
    changed = X.copy()
    changed[:, 3] = 999.0
    assert np.array_equal(detector.score_samples(changed), detector.score_samples(X))
    assert np.isfinite(Autoencoder(random_state=0, steps=5).fit(np.ones((4, 2))).score_samples([[2.0, 1.0]])).all()


def test_missing_values_and_categories_come_through_the_preparation():
    table = pd.DataFrame(ring(), columns=list("abc"))
    table.loc[::7, "a"] = np.nan
    table["kind"] = np.where(np.arange(600) % 3, "tcp", None)
    table.loc[5, "b"] = 40.0
    recipe = ModelRecipe(detector="autoencoder", features="table-columns")
    pipeline = make_detector(recipe, seed=0).fit(table)
    assert pipeline.score_samples(table).argmin() == 5


def test_a_sample_is_learnt_from_above_max_rows():
    X = ring(5000)
    some = Autoencoder(random_state=0, max_rows=300, steps=50).fit(X)
    assert np.isfinite(some.score_samples(X)).all()
    assert not np.array_equal(some.mean_, X.mean(axis=0))
