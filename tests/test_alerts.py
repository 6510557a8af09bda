"""What is told of a day: once, and again only if it grew rarer or the quiet days are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from night_lab import HOSTS, flows, lab_in, night, scan, write_day

from socml.jobs.alerts import WORSE, Alert, AlertBook, make_alerts, within_budget
from socml.jobs.daily_listing import Judged, Listing, RankedDay, open_listing, rank_days


@dataclass(frozen=True)
class Day:
    """A day with a scan, and the book of its dataset."""

    listing: Listing
    ranked: RankedDay
    book: AlertBook

    def told(self, quiet_days: int = 7) -> list[Alert]:
        """Return the alerts of its first row."""
        wanted = np.zeros(len(self.ranked.row_id), bool)
        wanted[self.ranked.order[0]] = True
        return make_alerts(
            self.listing, self.ranked, wanted, book=self.book, quiet_days=quiet_days, run_id="r", link="{day}"
        )

    def tell_before(self, alert: Alert, scores: Sequence[float], days_before: int = 1) -> date:
        """Keep alerts of the same entity and family, the last of them so many days before, and return the first day."""
        days = [self.ranked.day - timedelta(days=days_before + i) for i in range(len(scores))][::-1]
        for day, score in zip(days, scores, strict=True):
            kept = replace(alert, score=score, day=day.isoformat(), first_day=days[0].isoformat())
            assert self.book.keep(day, [kept]) == [kept]
        return days[0]


@pytest.fixture
def day(tmp_path: Path) -> Day:
    project = lab_in(tmp_path)
    for number in range(3):
        write_day(project, number, flows(number) + (scan(number) if number == 2 else []))
        night(project, number)
    listing = open_listing("office", project=project)
    *_, last = rank_days(listing.tables, listing.columns, judged=Judged(), context=listing.context)
    return Day(listing, last, AlertBook(project, "other"))


def test_what_was_never_told_is_new(day: Day) -> None:
    (alert,) = day.told()
    assert (alert.status, alert.entity, alert.day, alert.first_day) == ("new", "10.0.0.4", "2026-03-04", "2026-03-04")
    assert alert.score == day.ranked.learned.score.max()
    assert alert.link == "2026-03-04"


@pytest.mark.parametrize(("grown", "is_told"), [(0.0, False), (WORSE - 1e-6, False), (WORSE, True), (WORSE + 3, True)])
def test_what_goes_on_is_told_again_if_it_grew_rarer(day: Day, grown: float, is_told: bool) -> None:
    (alert,) = day.told()
    first = day.tell_before(alert, [alert.score - grown])
    again = day.told()
    assert [one.status for one in again] == (["worse"] if is_told else [])
    for one in again:
        assert (one.day, one.first_day) == ("2026-03-04", first.isoformat())
        assert one.alert_id != alert.alert_id  # it is the one of the first day
        assert one.key not in {alert.key, *(kept.key for kept in day.book.read())}


def test_the_strongest_that_was_told_counts_not_the_last(day: Day) -> None:
    (alert,) = day.told()
    day.tell_before(alert, [alert.score - 0.5, alert.score - 5])
    assert day.told() == []


def test_other_entities_and_families_are_told_for_themselves(day: Day) -> None:
    (alert,) = day.told()
    day.tell_before(replace(alert, entity="10.0.0.5"), [alert.score])
    day.tell_before(replace(alert, family="beacon", alert_id="b"), [alert.score], days_before=2)
    assert [one.status for one in day.told()] == ["new"]


@pytest.mark.parametrize(("quiet_days", "told"), [(2, ["new"]), (3, [])])
def test_after_the_quiet_days_it_is_new(day: Day, quiet_days: int, told: list[str]) -> None:
    (alert,) = day.told()
    day.tell_before(alert, [alert.score], days_before=3)
    assert [one.status for one in day.told(quiet_days)] == told


def test_a_day_that_is_listed_many_times_keeps_to_one_budget(day: Day) -> None:
    (alert,) = day.told()

    def alerts(*scores: float) -> list[Alert]:
        return [replace(alert, alert_id=f"{score}", score=score) for score in scores]

    told: list[Alert] = []
    for ranked, expected in [
        ((1.5, 1.1, 1.0), (1.5, 1.1)),
        ((1.5, 1.2, 1.1), ()),  # a third, and the second pushed down: the budget is spent
        ((1.5, 1.1), ()),
        ((2.5, 2.1, 1.5, 1.1), (2.5,)),  # ten times as rare as 1.1, in whose place it stands; 2.1 is not, of 1.5
        ((3.5, 3.4, 2.5), (3.5,)),  # of 1.5; 3.4 is not, of 2.5
    ]:
        fresh = within_budget(alerts(*ranked), told, 2)
        assert tuple(one.score for one in fresh) == expected
        told += fresh
    assert within_budget(alerts(9.0, 0.1), told, None) == alerts(9.0, 0.1)
    assert within_budget(alerts(9.0), [], 0) == []


def test_a_day_that_is_ranked_again_and_again_tells_no_more_than_its_budget(tmp_path: Path) -> None:
    project = lab_in(tmp_path, "\n[nightly]\nalerts_a_day = 1\n")
    for number in range(2):
        write_day(project, number, flows(number))
        night(project, number)
    reports = []
    for hour in range(4):
        write_day(project, 2, scan(2, HOSTS[hour], n=60 + hour), name=f"scan{hour}")
        reports.append(night(project, 2))
    assert [report.listed for report in reports] == [["2026-03-04"]] * 4
    assert [report.alerts for report in reports] == [1, 0, 0, 0]
