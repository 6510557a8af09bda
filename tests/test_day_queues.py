"""Ways to read a day of the list: which rows each brings, in what order, and what a second opinion does not see."""

from __future__ import annotations

import pytest
from small_days import small_days

from socml.jobs.day_queues import BLIND, LISTED, QUEUES, SECOND_LOOKS
from socml.jobs.today import Today
from socml.jobs.today_rows import TodayList
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import UnknownName
from socml.project.project import Project
from socml.project.wording import words
from socml.review.queues import is_drawn

DAY = "2026-03-04"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return small_days(tmp_path_factory.mktemp("queues") / "lab")


def ids(listed: TodayList) -> list[str]:
    return [row.row_id for row in listed.rows]


def judged(store: LabelStore, row_id: str, verdict: str, by: str, **more: object) -> None:
    label = NewLabel(row_id, verdict, client_id=f"{by} {row_id}", dataset="office", by=by, **more)  # type: ignore[arg-type]
    store.record([label])


def test_the_list_itself_is_what_it_was(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        assert today.of(store, queue=LISTED) == today.of(store)
        with pytest.raises(UnknownName, match="most-anomalous"):
            today.of(store, queue="most-anomolous")


@pytest.mark.parametrize("queue", QUEUES[1:-1])
def test_each_way_brings_open_rows_first_and_each_once(project: Project, queue: str) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        rows = ids(today.of(store, queue=queue, by="ana"))
        assert rows
        judged(store, rows[0], "benign", "ana")
        after = today.of(store, queue=queue, by="ana")
        assert after.rows[-1].row_id == rows[0], "what is labelled comes last, and can be taken back there"
        assert len(set(ids(after))) == len(after.rows)
        assert all(row.group == row.row_id for row in after.rows), "what was not seen is not judged"
        unusual = {row.row_id for row in today.of(store, shown=1000).rows} | {rows[0]}
        assert all(row.cause == "random-audit" for row in after.rows if row.row_id not in unusual)


def test_lots_reach_rows_that_are_ordinary_and_stay_while_labels_are_given(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        drawn = today.of(store, DAY, queue="random-audit")
        assert len(drawn.rows) == drawn.of_all == today.drawn_from(store, DAY)
        assert any(not row.reasons for row in drawn.rows)
        first, *rest = ids(drawn)
        judged(store, first, "benign", "ana")
        assert ids(today.of(store, DAY, queue="random-audit")) == [*rest, first]
        assert today.drawn_from(store, DAY) == drawn.of_all - 1
        other = [row.entity for row in today.of(store, "2026-03-03", queue="random-audit").rows]
        assert other != [row.entity for row in drawn.rows], "another day, another lot"


def test_the_diverse_take_another_kind_before_a_second_of_one(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        plain = [row.reasons[0].reason.family for row in today.of(store, DAY).rows]
        diverse = [row.reasons[0].reason.family for row in today.of(store, DAY, queue="diverse").rows]
    kinds = len(set(plain))
    assert kinds > 1
    assert len(set(diverse[:kinds])) == kinds


def test_close_calls_lie_between_what_was_judged_either_way_on_any_day(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        before = ids(today.of(store, DAY, queue="uncertain"))
        top = today.of(store, "2026-03-03").rows[0]
        judged(store, top.row_id, "benign", "ana")
        after = today.of(store, DAY, queue="uncertain")
        assert top.row_id not in ids(after), "a row of another day says where the boundary is, and is not listed"
        assert set(ids(after)) == set(before)


def test_second_looks_are_at_what_others_said_and_do_not_show_it(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        days = {str(day): today.of(store, str(day), queue="random-audit").rows for day in today.of(store).days}
        day, drawn = next((day, row.row_id) for day, rows in days.items() for row in rows if is_drawn(row.row_id))
        wrong = next(row.row_id for row in days[day] if not is_drawn(row.row_id))
        assert not today.of(store, day, queue=SECOND_LOOKS, by="bo").rows
        for row_id in (drawn, wrong):
            judged(store, row_id, "benign", "ana")
        store.second_looks.ask({wrong: 0.9}, reason="likely-error", by="ana", dataset="office")
        found = {row.row_id: row.cause for row in today.of(store, day, queue=SECOND_LOOKS, by="bo").rows}
        assert found == {wrong: "likely-error", drawn: "second-opinion"}
        assert "second-opinion" in BLIND
        own = {row.row_id: row.cause for row in today.of(store, day, queue=SECOND_LOOKS, by="ana").rows}
        assert own == {wrong: "likely-error"}, "nobody is asked for a second opinion on their own"
        judged(store, drawn, "malicious", "bo")
        again = today.of(store, day, queue=SECOND_LOOKS, by="bo")
        assert drawn in ids(again), "it stays, so that it can be taken back"
        assert drawn not in ids(today.of(store, day, queue=SECOND_LOOKS, by="cy")), "two opinions are enough"


def test_the_queues_of_a_day_have_words_in_both_languages() -> None:
    for language in ("en", "fr"):
        catalogue = words(language).catalogue
        for queue in QUEUES:
            assert f"today.queue.{queue}" in catalogue
