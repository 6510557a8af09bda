"""The protocol by which constants are chosen: no group has a part in what it is reported with."""

from __future__ import annotations

import pytest

from benchmarks.protocol import compare, group_of, leave_one_group_out

FIGURES = {
    "adbench http": {"a": 1.0, "b": 0.0},
    "NSL-KDD": {"a": 1.0, "b": 0.0},
    "adbench wine": {"a": 0.0, "b": 0.4},
    "adbench letter": {"a": 0.0, "b": 0.3},
}


def test_a_group_is_reported_with_what_the_other_groups_choose():
    chosen = leave_one_group_out(FIGURES)
    assert chosen["adbench http"] == chosen["NSL-KDD"] == "b"
    assert chosen["adbench wine"] == chosen["adbench letter"] == "a"


def test_figures_of_a_group_do_not_change_what_is_chosen_for_it():
    other = {**FIGURES, "adbench wine": {"a": 9.0, "b": -9.0}}
    assert leave_one_group_out(other)["adbench wine"] == leave_one_group_out(FIGURES)["adbench wine"]


def test_a_table_of_no_group_is_named():
    with pytest.raises(LookupError, match="'somewhere'"):
        group_of("somewhere")


@pytest.mark.parametrize(
    ("case", "group"),
    [("adbench annthyroid", "medical"), ("UNSW-NB15 raw, 5 % attacks", "network"), ("adbench http", "KDD")],
)
def test_tables_of_one_origin_are_one_group(case, group):
    assert group_of(case) == group


def test_a_difference_has_an_interval_around_its_mean_and_a_sign_test_without_ties():
    told = compare([[0.5, 0.7], [0.6, 0.6], [0.2, 0.2]], [[0.4, 0.4], [0.7, 0.7], [0.2, 0.2]])
    assert told.mean == pytest.approx((0.2 - 0.1 + 0.0) / 3)
    assert told.low <= told.mean <= told.high
    assert (told.ahead, told.behind, told.p) == (1, 1, 1.0)


def test_the_sign_test_tells_luck_from_a_habit():
    always = compare([[1.0]] * 10, [[0.0]] * 10)
    assert always.p == pytest.approx(2 * 0.5**10)
    assert (always.low, always.high) == (1.0, 1.0)
