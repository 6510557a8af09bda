"""What an app keeps of the days of a list: made whole again it is the day; what is usual is what all rows say."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest
from daily_events import flow
from daily_events import store as store_events
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array
from small_days import small_days

from socml.features.entity_day_table import EntityDay, entity_days
from socml.jobs.daily_listing import Judged, Ranker, ScoredDay, daily_list, open_listing, rank_scored, row_ids
from socml.jobs.day_queues import QUEUES
from socml.jobs.kept_days import KeptDay, middle_of
from socml.jobs.today import Today
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.models.entity_context import Context
from socml.models.entity_surprise import DayScores


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoredDay, ...]:
    project = small_days(tmp_path_factory.mktemp("kept") / "lab")
    listing = open_listing("office", project=project)
    judged = Judged()
    ranker = Ranker(listing.columns, listing.context)
    return tuple(ranker.score(rows, judged) for rows in entity_days(listing.tables))


def test_a_day_made_whole_is_the_day_that_was_ranked_with_all_its_rows(scored, tmp_path) -> None:
    listing = open_listing("office", project=small_days(tmp_path / "lab"))
    worst = [str(day.row_id[day.scores.score.argmax()]) for day in scored]
    judged = Judged(dict(zip(worst[:3], (True, False, True), strict=True)))
    kept = [KeptDay.of(day) for day in scored]
    assert all(0 < len(day.at) < len(day) for day in kept[2:])
    more = {"columns": listing.columns, "judged": judged, "context": listing.context}
    for day, of_all, of_told in zip(
        kept, rank_scored(scored, **more), rank_scored((k.told for k in kept), **more), strict=True
    ):
        whole = day.whole(of_told)
        assert whole.row_id.tolist() == of_all.row_id.tolist()
        assert whole.listed().tolist() == of_all.listed().tolist()
        for name in ("role", "entity", "score", "once_in", "evidence", "parts"):
            np.testing.assert_array_equal(getattr(whole.scores, name), getattr(of_all.scores, name), name)
        for field in fields(of_all.learned):
            np.testing.assert_array_equal(getattr(whole.learned, field.name), getattr(of_all.learned, field.name))
        np.testing.assert_array_equal(whole.scores.values[day.at], of_all.scores.values[day.at])


def test_every_row_is_found_by_its_name_and_by_whom_it_is_about(scored) -> None:
    day = scored[-1]
    kept = KeptDay.of(day)
    for place, row_id in enumerate(day.row_id.tolist()):
        assert kept.named(["f" * 32, row_id, "no id", ""]).tolist() == [place]
        assert kept.row_id(place) == row_id
        assert kept.who(place) == (day.rows.role[place], day.rows.entity[place])
        for c in range(day.rows.values.shape[1]):
            assert kept.cell(place, c) == day.rows.values[place, c]
    assert kept.places(KeptDay.of(scored[0]).keys[:0]).tolist() == []
    assert kept.places(kept.keys.take([3, 0])).tolist() == [3, 0]


def day_of(values: list[float], roles: list[str]) -> KeptDay:
    names = np.array([f"h{i}" for i in range(len(values))], object)
    rows = EntityDay(date(2026, 3, 2), np.array(roles, object), names, np.array(values)[:, None])
    nothing, zero = np.zeros((len(values), 1)), np.zeros(len(values))
    scores = DayScores(
        rows.day, rows.role, names, rows.values, ("scan",), nothing, nothing, nothing.astype(int), nothing, zero, zero,
        nothing, nothing, zero.astype(int),
    )  # fmt: skip
    return KeptDay.of(ScoredDay(rows, scores, row_ids(rows.day, rows.role, names)))


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.5, 7.0]), min_size=1, max_size=30), min_size=1, max_size=3),
    st.sampled_from([(0.05, 0.95), (0.5,), (0.0, 1.0)]),
)
def test_what_is_usual_for_all_is_what_numpy_says_of_the_others(days, shares) -> None:
    roles = [["source inside" if i % 3 != 1 else "host" for i in range(len(day))] for day in days]
    now = days[-1][0]
    mine = [v for day, role in zip(days, roles, strict=True) for v, r in zip(day, role, strict=True) if r == role[0]]
    mine.remove(now)
    expected = np.quantile(mine, shares, method="nearest").tolist() if mine else []
    kept = [day_of(day, role) for day, role in zip(days, roles, strict=True)]
    assert middle_of(kept, 0, "source inside", now, shares) == expected


def test_a_day_without_anything_unusual_keeps_no_matrix() -> None:
    kept = day_of([0.0] * 50, ["host"] * 50)
    assert len(kept) == 50
    assert kept.told.scores.peers.shape == (0, 1)
    assert isinstance(kept.values, csc_array)
    assert kept.values.nnz == 0


def test_days_with_their_told_rows_alone_are_the_same_lists(tmp_path) -> None:
    project = small_days(tmp_path / "lab")
    of_all, lean = daily_list("office", project=project), daily_list("office", project=project, whole="2026-03-03")
    assert lean.frame().equals(of_all.frame())
    assert lean.roles == of_all.roles == {str(role) for day in of_all.days for role in day.scores.role}
    assert [len(day.row_id) for day in lean.days] == [
        len(day.row_id) if day.day == date(2026, 3, 3) else int(day.scores.evidence.any(axis=1).sum())
        for day in of_all.days
    ]
    whole, told = of_all.of("2026-03-04"), lean.of("2026-03-04")
    first, of_told = whole.listed(5).tolist(), told.listed(5).tolist()
    assert of_all.reasons(whole, first) == lean.reasons(told, of_told)
    assert len(daily_list("office", project=project, whole="").days[-1].row_id) == len(whole.row_id)


def test_what_is_kept_says_what_a_new_start_would_say(tmp_path) -> None:
    project = small_days(tmp_path / "lab")

    def check(kept: Today, store: LabelStore) -> None:
        fresh = Today("office", project=project)
        days = [str(day) for day in fresh.of(store).days]
        for day in days:
            for queue in QUEUES:
                assert kept.of(store, day, queue=queue) == fresh.of(store, day, queue=queue), (day, queue)
        for role in ("source inside", "account inside"):
            for entity in ("10.0.0.4", "user3"):
                assert kept.strip(store, role, entity) == fresh.strip(store, role, entity)

    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        for n, (day, verdict) in enumerate(
            [
                ("2026-03-04", "malicious"),
                ("2026-03-02", "malicious"),
                ("2026-03-03", "malicious"),
                ("2026-03-02", "benign"),
            ]
        ):
            for row in today.of(store, day, queue="random-audit").rows[:2]:
                store.record([NewLabel(row.row_id, verdict, client_id=f"{n} {row.row_id}", dataset="office", by="ana")])
            check(today, store)
        events = [flow(f"2026-03-05T09:{n:02}:00Z", "10.0.0.4", f"10.0.2.{n + 1}", 445, "S0") for n in range(40)]
        store_events(project, events, part="b")
        check(today, store)
        assert str(today.of(store).days[-1]) == "2026-03-05"
        store_events(
            project, [flow("2026-03-03T23:00:00Z", "10.0.0.7", "203.0.113.77", source_bytes=9_000_000)], part="c"
        )
        check(today, store)


def test_a_day_on_which_nobody_was_seen_is_whole_too(scored) -> None:
    day, nobody = scored[0], np.empty(0, int)
    rows = replace(day.rows, role=day.rows.role[nobody], entity=day.rows.entity[nobody], values=day.rows.values[nobody])
    empty = ScoredDay(rows, day.scores.of(nobody), day.row_id[nobody])
    kept = KeptDay.of(empty)
    (ranked,) = rank_scored([kept.told], (), judged=Judged(), context=Context())
    whole = kept.whole(ranked)
    assert (len(kept), whole.row_id.tolist(), whole.scores.role.tolist(), whole.order.tolist()) == (0, [], [], [])
