"""Columns that are ranked, grouped and sorted part by part give what one pass over the whole gives."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from socml.explanations import usual
from socml.models import scored_blocks

NUMBERS = st.one_of(st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf]), st.floats(-3, 3, width=16))
WITH_GAPS = arrays.arrays(np.float64, st.integers(1, 60), elements=st.one_of(NUMBERS, st.just(np.nan)))
NAMES = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=60, max_size=60)


@given(WITH_GAPS, st.integers(1, 9))
def test_ranks_are_those_of_one_stable_sort(normality: np.ndarray, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scored_blocks, "RANKED_AT_ONCE", at_once)
        found = scored_blocks.ranks(normality)
    order = np.argsort(normality, kind="stable")
    assert [int(rank) for rank in found[order]] == list(range(1, len(normality) + 1))


@given(WITH_GAPS, NAMES, st.integers(1, 9))
@settings(max_examples=200)
def test_a_spread_is_that_of_each_entity_and_of_all_values(values: np.ndarray, names: list[str], at_once: int) -> None:
    names = names[: len(values)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(usual, "AT_ONCE", at_once)
        entities = usual.group_entities(pd.Series(names, dtype="str"), len(values))
        spread = usual.spread_of(values.copy(), entities)
    rows_of = defaultdict(list)
    for row, name in enumerate(names):
        rows_of[name if name and any(names) else row].append(row)
    expected = sorted((max_of(values[rows]), min_of(values[rows])) for rows in rows_of.values())
    assert sorted(zip(map(none_if_nan, spread.highest), map(none_if_nan, spread.lowest), strict=True)) == expected
    known = sorted(values[~np.isnan(values)])
    assert spread.distinct.tolist() == sorted(set(known))
    assert spread.below.tolist() == [known.index(value) for value in sorted(set(known))] + [len(known)]
    with np.errstate(invalid="ignore"):
        expected_usual = np.quantile(known, [0.1, 0.5, 0.9]) if known else [np.nan] * 3
    assert np.array_equal(spread.usual, expected_usual, equal_nan=True)


@given(NAMES, NAMES, st.integers(1, 9), st.sampled_from([0, 8]))
def test_shares_count_each_entity_once(names: list[str], categories: list[str], at_once: int, marked: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(usual, "AT_ONCE", at_once)
        patched.setattr(usual, "MARKED", marked)
        entities = usual.group_entities(pd.Series(names, dtype="str"), len(names))
        shares = usual.category_shares(pd.Series(categories, dtype="str"), entities)
    who = [name if name and any(names) else row for row, name in enumerate(names)]
    has = {(entity, category) for entity, category in zip(who, categories, strict=True) if category}
    assert shares == {
        category: sum(1 for _, other in has if other == category) / len(set(who)) for category in {c for _, c in has}
    }


def none_if_nan(value: float) -> float:
    """Return a number that sorts: of an entity without values the least there is."""
    return -1e300 if np.isnan(value) else float(value)


def max_of(values: np.ndarray) -> float:
    """Return the highest value that is known."""
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else -1e300


def min_of(values: np.ndarray) -> float:
    """Return the lowest value that is known."""
    known = values[~np.isnan(values)]
    return float(known.min()) if len(known) else -1e300
