"""Leases: a row is before one analyst at a time, until it is labelled or the lease ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from analysts import label_together, overlapping
from builders import make_project, make_run
from old_labels import labels_of_the_first_revision

from socml.labels.database import connect
from socml.labels.recording import open_labels
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError
from socml.review.loop import Triage
from socml.review.queues import is_drawn

ROWS = [f"r{i}" for i in range(10)]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'labels.sqlite'}"


@pytest.fixture
def clock(monkeypatch):
    """The store's clock, to be moved on by the test."""
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr("socml.labels.leases.now", lambda _: at[0])

    def later(seconds: float) -> None:
        at[0] += timedelta(seconds=seconds)

    return later


@pytest.fixture
def store(url, clock):
    with LabelStore(url) as opened:
        yield opened


def claim(store, by: str, n: int = 3, seconds: float = 60, rows=ROWS, **more) -> list[str]:
    return [lease.row_id for lease in store.leases.claim(rows, by=by, n=n, seconds=seconds, **more)]


def label(row_id: str, by: str = "ana", verdict: str = "benign") -> NewLabel:
    return NewLabel(row_id, verdict, client_id=f"{by}-{row_id}", by=by)


def test_two_analysts_are_offered_different_rows_in_the_order_of_the_queue(store):
    assert claim(store, "ana") == ["r0", "r1", "r2"]
    assert claim(store, "bob") == ["r3", "r4", "r5"]
    assert claim(store, "eve", n=9) == ["r6", "r7", "r8", "r9"]
    assert claim(store, "kim") == []


def test_claiming_again_renews_what_one_holds(store, clock):
    claim(store, "ana")
    clock(50)
    assert claim(store, "ana") == ["r0", "r1", "r2"]
    clock(50)
    assert claim(store, "bob", n=1) == ["r3"], "the lease runs from the last claim"


def test_a_lease_that_ended_is_offered_to_the_next(store, clock):
    claim(store, "ana")
    clock(60.1)
    assert claim(store, "bob") == ["r0", "r1", "r2"]
    assert claim(store, "ana") == ["r3", "r4", "r5"], "who was away does not get back what another has"


def test_rows_given_back_are_free_at_once(store):
    claim(store, "ana")
    store.leases.release(["r1"], by="ana")
    store.leases.release(["r0"], by="bob")  # not his: nothing happens
    assert claim(store, "bob", n=1) == ["r1"]
    store.leases.release(by="ana")
    assert [(lease.row_id, lease.by) for lease in store.leases.held()] == [("r1", "bob")]


def test_a_labelled_row_is_not_offered_and_its_lease_ends(store):
    claim(store, "ana")
    store.record([label("r0")])
    assert [lease.row_id for lease in store.leases.held()] == ["r1", "r2"]
    assert claim(store, "bob", n=1) == ["r3"]
    store.undo(by="ana", client_id="z")
    assert claim(store, "bob", n=2) == ["r0", "r3"], "a label that was taken back leaves the row open"


def test_a_label_is_stored_even_if_another_holds_the_row(store):
    claim(store, "ana")
    assert not store.record([label("r0", by="bob")])[0].stored_before
    assert "r0" in [lease.row_id for lease in store.leases.held()], "it is still before ana"


def test_a_second_opinion_is_offered_to_one_at_a_time_and_not_a_third_time(store):
    first = store.record([label("r0", by="ana")])[0].label_id
    assert claim(store, "bob", n=1, again={"r0": first}) == ["r0"]
    assert claim(store, "eve", n=1, again={"r0": first}) == ["r1"], "bob has it before him"
    store.record([label("r0", by="bob")])
    assert claim(store, "eve", n=1, again={"r0": first}) == ["r1"], "it has its second opinion"


def test_campaigns_do_not_share_leases(store):
    assert claim(store, "ana", campaign="a") == claim(store, "bob", campaign="b") == ["r0", "r1", "r2"]


def test_a_record_that_is_a_row_of_two_datasets_is_labelled_in_each(store):
    store.record([NewLabel("r0", "benign", client_id="x", by="ana", dataset="x")])
    assert claim(store, "bob", n=1, campaign="x", dataset="x") == ["r1"]
    assert claim(store, "bob", n=1, campaign="y", dataset="y") == ["r0"]
    store.record([NewLabel("r0", "malicious", client_id="y", by="bob", dataset="y", suggested=True, weight=0.3)])
    verdicts = [store.current(dataset=name).loc["r0", "verdict"] for name in ("x", "y")]
    assert verdicts == ["benign", "malicious"]


def test_more_rows_than_a_query_takes_are_claimed_in_order(store):
    rows = [f"x{i}" for i in range(2500)]
    assert claim(store, "ana", n=1200, rows=rows) == rows[:1200]
    assert claim(store, "bob", n=2, rows=rows) == rows[1200:1202]


def test_a_lease_needs_a_name(store):
    with pytest.raises(DataError, match="needs a by"):
        claim(store, "")


def test_an_older_store_is_brought_up_to_date_and_keeps_its_labels(url):
    labels_of_the_first_revision(url)
    with LabelStore(url) as store:
        assert store.current()["verdict"].to_dict() == {"r1": "malicious"}
        store.record([label("r2")])
        assert claim(store, "bob", n=1) == ["r0"]


def test_a_suggested_label_never_hides_one_that_an_analyst_gave(store):
    suggestion = NewLabel("r1", "benign", client_id="s", by="bob", suggested=True, weight=0.3)
    store.record([label("r1", verdict="malicious"), suggestion])
    assert store.current()["verdict"].to_dict() == {"r1": "malicious"}
    store.record([NewLabel("r2", "benign", client_id="s2", suggested=True, weight=0.3)])
    assert store.current()["suggested"].to_dict() == {"r1": False, "r2": True}


@pytest.mark.slow
def test_four_analysts_label_on_sqlite_and_two_are_killed(url, tmp_path):
    told = label_together(url, tmp_path, analysts=4, labels=15)
    with LabelStore(url) as store:
        history = store.history()
        assert store._engine.connect().exec_driver_sql("pragma integrity_check").scalar() == "ok"
    assert set(told.said) <= set(zip(history["row_id"], history["client_id"], strict=True))
    assert len(history) == 60
    assert history["row_id"].is_unique
    assert overlapping(told) == []
    assert told.stuck


def test_the_schema_is_made_once_when_opened_again(url):
    connect(url).dispose()
    connect(url).dispose()


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "lab")


@pytest.fixture
def run(project):
    return make_run(project)


def test_two_analysts_never_have_the_same_event_on_top(project, run):
    with Triage(project=project, by="ana") as ana, Triage(project=project, by="bob") as bob:
        ranked = list(ana.queue(60)["row_id"])
        for _ in range(8):
            hers, his = list(ana.offer(10, keep=[])["row_id"]), list(bob.offer(10, keep=[])["row_id"])
            assert not set(hers) & set(his)
            ana.label(hers[0], "benign")
            bob.label(his[0], "malicious")
            ana.refresh()
            bob.refresh()
        assert hers[0] in ranked
        assert set(ana.held_by_others().values()) == {"bob"}


def test_what_an_analyst_leaves_is_offered_to_the_next(project, run):
    with Triage(project=project, by="ana") as ana, Triage(project=project, by="bob") as bob:
        first = list(ana.offer(5)["row_id"])
        assert not set(first) & set(bob.offer(5)["row_id"])
        ana.leave()
        assert list(bob.offer(5, keep=[])["row_id"]) == first


def test_what_is_neither_offered_nor_kept_is_given_back(project, run):
    with Triage(project=project, by="ana") as ana, Triage(project=project, by="bob") as bob:
        first = list(ana.offer(6)["row_id"])
        ana.offer(2, keep=[first[4]])
        assert set(bob.held_by_others()) == {*first[:2], first[4]}


def test_a_queue_that_is_only_looked_at_holds_nothing(project, run):
    with Triage(project=project, by="ana") as ana:
        ana.queue(10)
        assert Triage(project=project, by="bob").held_by_others() == {}


def test_a_tenth_is_offered_to_a_second_analyst_and_counts_as_two_labels(project, run):
    with Triage(project=project, by="ana") as ana, Triage(project=project, by="bob") as bob:
        rows = [row_id for row_id in run.scores.index if is_drawn(row_id)][:3]
        for row_id in [*rows, *[row for row in run.scores.index if not is_drawn(row)][:20]]:
            ana.label(row_id, "benign")
        bob.refresh()
        offered = bob.offer(40)
        again = offered[offered["reason"] == "second-opinion"]
        assert list(again["row_id"]) == rows
        assert list(again["position"]) == [5, 15, 25]
        assert "second-opinion" not in set(ana.offer(10, keep=[])["reason"]), "nobody is asked twice"
        for row_id in rows:
            bob.label(row_id, "malicious")
        assert "second-opinion" not in set(bob.offer(40)["reason"])
        eve = Triage(project=project, by="eve")
        assert "second-opinion" not in set(eve.offer(40)["reason"]), "two are enough"


def test_about_a_tenth_of_rows_is_drawn():
    assert 0.08 < sum(is_drawn(f"row {i}") for i in range(5000)) / 5000 < 0.12


def test_a_label_says_why_its_row_was_in_the_queue_and_how_likely_it_was_to_be_drawn(project, run):
    with Triage(project=project, by="ana", strategy="mixed", seed=1) as ana:
        for n in range(20):
            row_id = ana.offer(3, keep=[])["row_id"].iloc[0]
            ana.label(row_id, "benign", client_id=str(n))
        elsewhere = ana.queue(300)["row_id"].iloc[-1]
        labels = ana.labels()
        Triage(project=project, by="bob").label(elsewhere, "benign")
    assert set(labels["strategy"]) == {"mixed"}
    assert "random-audit" in set(labels["queue_reason"])
    drawn = labels[labels["queue_reason"] == "random-audit"]
    before = [list(labels.index).index(row_id) for row_id in drawn.index]
    assert list(drawn["inclusion_probability"]) == pytest.approx([1 / (400 - n) for n in before])
    assert labels[labels["queue_reason"] != "random-audit"]["inclusion_probability"].isna().all()
    assert Triage(project=project).labels().loc[elsewhere, ["queue_reason", "strategy"]].isna().all()


def test_a_second_look_that_was_asked_for_comes_back_until_it_is_labelled_again(project, run):
    with Triage(project=project, by="ana") as ana, open_labels(project) as labels:
        rows = list(ana.queue(3)["row_id"])
        for row_id in rows:
            ana.label(row_id, "benign")
        wrong = {rows[0]: 0.6, rows[1]: 0.9, "no such label": 0.9}
        assert labels.second_looks.ask(wrong, reason="likely-error", by="ana", dataset="built") == 2
        assert labels.second_looks.ask(wrong, reason="likely-error", by="ana", dataset="built") == 0
        offered = ana.offer(20).query("reason == 'likely-error'")
        assert list(offered["row_id"]) == [rows[1], rows[0]]
        ana.label(rows[1], "malicious", client_id="again")
        assert list(ana.offer(20).query("reason == 'likely-error'")["row_id"]) == [rows[0]]
        assert ana.labels().loc[rows[1], "queue_reason"] == "likely-error"
        assert ana.labels().loc[rows[1], "verdict"] == "malicious"
