"""Intervals: from how many groups on whole groups are resampled, and what is left out where too little is known."""

from __future__ import annotations

import numpy as np
import pytest

from socml.evaluate.metrics.intervals import bootstrap, paired_bootstrap, wilson

Ends = dict[str, tuple[float, float]]


def _intervals(n_groups: int, *, grouped: bool, unknown: int = 0, paired: bool = False) -> Ends:
    """Return intervals over groups of 20 rows, each wholly malicious or wholly benign; of `unknown` nothing is known."""
    rng = np.random.default_rng(0)
    groups = np.repeat([f"host {number}" for number in range(n_groups)], 20)
    malicious = np.repeat((np.arange(n_groups) % 2).astype(float), 20)
    malicious[: 20 * unknown] = np.nan
    noise = np.repeat(rng.normal(size=(2, n_groups)), 20, axis=1)
    first, second = noise - np.nan_to_num(malicious)
    given = groups if grouped else None
    if paired:
        return paired_bootstrap((first, second), malicious, rng=np.random.default_rng(1), at=(10,), groups=given)
    return bootstrap(first, malicious, rng=np.random.default_rng(1), at=(10,), groups=given)


def _width(intervals: Ends, name: str = "auroc") -> float:
    low, high = intervals[name]
    return high - low


@pytest.mark.parametrize("paired", [False, True])
def test_rows_are_resampled_one_by_one_with_nine_groups_and_whole_groups_with_ten(paired: bool) -> None:
    assert _intervals(9, grouped=True, paired=paired) == _intervals(9, grouped=False, paired=paired)
    by_group, by_row = (_intervals(10, grouped=grouped, paired=paired) for grouped in (True, False))
    assert _width(by_group) > 2 * _width(by_row), "rows of one group are no independent evidence"


def test_groups_of_which_nothing_is_known_do_not_count() -> None:
    assert _intervals(10, grouped=True, unknown=1) == _intervals(10, grouped=False, unknown=1)
    assert _intervals(11, grouped=True, unknown=1) != _intervals(11, grouped=False, unknown=1)


def test_an_interval_is_there_if_half_of_the_samples_had_one_and_a_precision_if_there_are_as_many_rows() -> None:
    order, malicious = np.arange(10.0), np.repeat([1.0, 0.0], 5)
    found = bootstrap(order, malicious, rng=np.random.default_rng(0), at=(10, 11))
    assert "precision_at_10" in found
    assert "precision_at_11" not in found
    assert bootstrap(order, np.full(10, np.nan), rng=np.random.default_rng(0)) == {}
    assert "auroc" not in bootstrap(order, np.ones(10), rng=np.random.default_rng(0))


def test_nothing_counted_is_anything_between_none_and_all() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 1)[0] == 0.0
    assert wilson(1, 1)[1] == 1.0
