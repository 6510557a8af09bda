"""Percentiles, conformal p-values, false discoveries and budgets: what they promise, checked by simulation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from socml.models.calibration import adjusted_p_values, budget_threshold, conformal_p_values, discoveries, percentile
from socml.project.errors import ConfigurationError, DataError

RNG_SEED = 11


def spread(share, repeats):
    """Return three standard errors of a share that is measured in so many independent repeats."""
    return 3 * np.sqrt(share * (1 - share) / repeats)


@pytest.mark.parametrize("rows", [1, 4, 19, 200])
@pytest.mark.parametrize("level", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("draw", ["continuous", "with ties"])
def test_a_usual_row_has_a_small_p_value_no_more_often_than_it_says(rows, level, draw):
    rng, repeats = np.random.default_rng(RNG_SEED), 4000
    make = rng.standard_normal if draw == "continuous" else lambda shape: rng.integers(0, 4, shape).astype(float)
    p = np.array([conformal_p_values(make(rows), make(1))[0] for _ in range(repeats)])
    assert (p <= level).mean() <= level + spread(level, repeats)


def test_p_values_without_ties_are_exactly_as_frequent_as_their_rank():
    rng, repeats = np.random.default_rng(RNG_SEED), 8000
    p = np.array([conformal_p_values(rng.standard_normal(4), rng.standard_normal(1))[0] for _ in range(repeats)])
    for level in (0.2, 0.4, 0.6, 0.8):
        assert abs((p <= level + 1e-12).mean() - level) < spread(level, repeats)


def test_ties_broken_at_random_make_p_values_uniform():
    rng, repeats = np.random.default_rng(RNG_SEED), 6000
    draw = lambda n: rng.integers(0, 2, n).astype(float)  # noqa: E731
    p = np.array([conformal_p_values(draw(9), draw(1), rng=rng)[0] for _ in range(repeats)])
    for level in (0.03, 0.3, 0.7):
        assert abs((p <= level).mean() - level) < spread(level, repeats)
    assert p.min() > 0


def test_a_reference_that_the_model_was_fitted_on_would_break_the_promise():
    """The trap the docstring warns of: scores of training rows are too low, and new usual rows look odd."""
    rng, level, small = np.random.default_rng(RNG_SEED), 0.1, []

    def distance(rows, train):
        return ((rows[:, None] - train[None]) ** 2).sum(axis=2).min(axis=1)

    for _ in range(600):
        train, fresh = rng.standard_normal((20, 30)), rng.standard_normal((1, 30))
        small.append(conformal_p_values(distance(train, train), distance(fresh, train))[0] <= level)
    assert np.mean(small) > 0.9


@pytest.mark.parametrize("rate", [0.1, 0.3])
@pytest.mark.parametrize("anomalies", [0, 10, 40])
def test_of_the_rows_called_no_more_than_the_stated_share_is_false_on_average(rate, anomalies):
    rng, repeats, usual = np.random.default_rng(RNG_SEED), 600, 60
    shares, found = [], 0
    for _ in range(repeats):
        scores = np.concatenate([rng.standard_normal(usual), rng.normal(3.5, 1, anomalies)])
        called = discoveries(conformal_p_values(rng.standard_normal(400), scores), false_discovery_rate=rate)
        shares.append(called[:usual].sum() / max(called.sum(), 1))
        found += int(called[usual:].sum())
    allowed = rate * usual / (usual + anomalies)  # the bound is sharper by the share of usual rows
    assert np.mean(shares) <= allowed + 3 * np.std(shares) / np.sqrt(repeats)
    assert found > 0.5 * repeats * anomalies if anomalies > 10 else True


def naive_discoveries(p_values, rate):
    """Benjamini and Hochberg, word for word: the largest k whose k-th least p-value is at most k/m of the rate."""
    ordered, best = sorted(p_values), 0
    for k, p in enumerate(ordered, start=1):
        if p <= k / len(ordered) * rate + 1e-15:
            best = k
    return [best > 0 and p <= ordered[best - 1] for p in p_values]


@pytest.mark.parametrize("seed", range(5))
def test_discoveries_agree_with_the_procedure_word_for_word(seed):
    p = np.random.default_rng(seed).random(50) ** 3
    for rate in (0.01, 0.1, 0.5):
        assert discoveries(p, false_discovery_rate=rate).tolist() == naive_discoveries(p.tolist(), rate)


def test_adjusted_p_values_keep_the_order_of_the_p_values():
    p = np.random.default_rng(RNG_SEED).random(200)
    order = np.argsort(p)
    assert (np.diff(adjusted_p_values(p)[order]) >= 0).all()
    assert len(adjusted_p_values(np.empty(0))) == 0


def test_percentile_and_p_value_point_the_same_way():
    rng = np.random.default_rng(RNG_SEED)
    reference, scores = rng.standard_normal(500), np.sort(rng.standard_normal(50))
    assert (np.diff(percentile(reference, scores)) >= 0).all()
    assert (np.diff(conformal_p_values(reference, scores)) <= 0).all()
    assert np.array_equal(percentile(reference, scores), percentile(reference[::-1], scores))


def history(days=30, rows=500, seed=RNG_SEED):
    rng = np.random.default_rng(seed)
    times = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(rng.random(days * rows) * days, unit="D")
    return rng.gumbel(size=days * rows), pd.Series(times)


@pytest.mark.parametrize("per_day", [0, 1, 40, 10_000])
def test_no_day_of_the_history_goes_over_the_budget(per_day):
    scores, times = history()
    threshold = budget_threshold(scores, times, per_day=per_day)
    a_day = Counter(times[scores > threshold.value].dt.date)
    assert max(a_day.values(), default=0) == threshold.busiest <= per_day
    assert sum(a_day.values()) == threshold.alerts
    assert (threshold.days, threshold.over_budget) == (30, 0)


def test_threshold_is_the_lowest_that_keeps_the_budget():
    scores, times = history(days=5)
    threshold = budget_threshold(scores, times, per_day=7)
    lower = np.sort(scores)[np.searchsorted(np.sort(scores), threshold.value) - 1]
    assert max(Counter(times[scores > lower].dt.date).values()) == 8


def test_some_days_may_go_over_the_budget_if_asked():
    scores, times = history(days=20)
    strict = budget_threshold(scores, times, per_day=5)
    loose = budget_threshold(scores, times, per_day=5, share_of_days=0.9)
    assert loose.value < strict.value
    assert loose.alerts > strict.alerts
    assert loose.over_budget == 2


def test_days_without_rows_count_as_days_that_kept_the_budget():
    times = np.array(["2026-01-01", "2026-01-01", "2026-01-10"], dtype="datetime64[us]")
    assert budget_threshold(np.array([3.0, 2.0, 1.0]), times, per_day=1).days == 10


def test_days_are_of_utc_whatever_zone_the_times_are_written_in():
    scores, times = history(days=4)
    elsewhere = times.dt.tz_convert("Asia/Tokyo")
    assert budget_threshold(scores, times, per_day=3) == budget_threshold(scores, elsewhere, per_day=3)


def test_rows_of_one_score_alert_together_or_not_at_all():
    times = np.array(["2026-01-01"] * 4, dtype="datetime64[us]")
    threshold = budget_threshold(np.array([5.0, 5.0, 5.0, 1.0]), times, per_day=2)
    assert (threshold.value, threshold.alerts) == (5.0, 0)


def test_what_cannot_be_calibrated_is_said_in_words():
    with pytest.raises(DataError, match="no reference scores"):
        percentile(np.empty(0), np.ones(1))
    with pytest.raises(DataError, match="1 of 2 scores are missing"):
        conformal_p_values(np.ones(3), np.array([1.0, np.nan]))
    with pytest.raises(DataError, match="2 scores and 1 times"):
        budget_threshold(np.ones(2), np.array(["2026-01-01"], dtype="datetime64[us]"), per_day=1)
    with pytest.raises(DataError, match="1 of 1 rows have no time"):
        budget_threshold(np.ones(1), np.array(["NaT"], dtype="datetime64[us]"), per_day=1)
    with pytest.raises(DataError, match="between 0 and 1"):
        adjusted_p_values(np.array([1.5]))
    with pytest.raises(ConfigurationError, match="per_day is -1"):
        budget_threshold(np.ones(1), np.array(["2026-01-01"], dtype="datetime64[us]"), per_day=-1)
    with pytest.raises(ConfigurationError, match="false_discovery_rate is 5"):
        discoveries(np.ones(1), false_discovery_rate=5)
