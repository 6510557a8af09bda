"""The label store: several writers at once, nothing lost, nothing doubled, nothing changed."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from label_writers import label

from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError, UnknownName


def test_a_label_is_stored_with_everything_that_was_said(store):
    given = label(
        event_id="e1", run_id="run", dataset="d", reason="known scanner", family="scan", technique="T1046",
        note="ticket 7", by="ana", how="key", model_version="m/1", seen_ms=1500, weight=0.5,
        queue_reason="random-audit", strategy="mixed", batch_id="b1", inclusion_probability=0.25, suggested=True,
        given_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    before = pd.Timestamp.now("UTC")
    store.record([given])
    stored = store.current().reset_index().iloc[0]
    for name in NewLabel.__annotations__:
        assert stored[name] == getattr(given, name), name
    assert stored["time"].tzinfo is not None
    assert before <= stored["time"] <= pd.Timestamp.now("UTC")


def test_what_was_not_said_is_null(store):
    store.record([label()])
    stored = store.current().iloc[0]
    assert stored[["event_id", "reason", "family", "technique", "note", "seen_ms", "dataset"]].isna().all()


def test_the_same_client_id_is_stored_once_and_acknowledged_as_the_first_time(store):
    first = store.record([label()])[0]
    again = store.record([label()])[0]
    assert (first.stored_before, again.stored_before) == (False, True)
    assert (first.label_id, first.row_id, first.verdict) == (again.label_id, again.row_id, again.verdict)
    assert len(store.history()) == 1


def test_the_same_client_id_twice_in_one_delivery_is_stored_once(store):
    first, again = store.record([label(), label()])
    assert first.label_id == again.label_id
    assert len(store.history()) == 1


@pytest.mark.parametrize("other", [{"row_id": "r2"}, {"verdict": "benign"}, {"by": "bob"}])
def test_a_client_id_cannot_be_used_for_another_decision(store, other):
    store.record([label()])
    with pytest.raises(DataError, match="was used before, for malicious on row r1"):
        store.record([label("r9", client_id="c9"), label(**other)])
    assert len(store.history()) == 1, "a delivery is stored whole or not at all"


def test_an_unknown_verdict_names_the_nearest():
    with pytest.raises(UnknownName, match=r"no verdict called 'false-alarm'\. Did you mean 'false_alarm'\?"):
        label(verdict="false-alarm")


@pytest.mark.parametrize(
    "wrong",
    [{"row_id": ""}, {"client_id": ""}, {"by": ""}, {"technique": "scan"}, {"weight": 0.0}, {"weight": 1.5},
     {"note": 7}, {"note": "x" * 20_001}],
)  # fmt: skip
def test_a_half_right_label_is_refused_before_it_reaches_the_store(wrong):
    with pytest.raises(DataError):
        label(**wrong)


def test_text_that_a_database_refuses_is_made_storable(store):
    store.record([label(note="a\x00b \ud800 'quoted'; drop table label_event; --")])
    assert store.current()["note"].iloc[0] == "a\ufffdb \ufffd 'quoted'; drop table label_event; --"


def test_the_last_label_of_a_row_is_its_current_one(store):
    store.record([label(verdict="benign", client_id="a"), label(client_id="b", by="bob")])
    assert store.current()["verdict"].to_dict() == {"r1": "malicious"}
    assert store.by_analyst().set_index("by")["verdict"].to_dict() == {"analyst": "benign", "bob": "malicious"}


def test_an_undo_restores_exactly_what_was_before(store):
    store.record([label(verdict="benign", client_id="a"), label("r2", client_id="b")])
    before = store.current(), store.by_analyst()
    store.record([label(client_id="c")])
    undone = store.undo(by="analyst", client_id="z")
    assert (undone.row_id, undone.verdict, undone.stored_before) == ("r1", None, False)
    pd.testing.assert_frame_equal(store.current(), before[0])
    pd.testing.assert_frame_equal(store.by_analyst(), before[1])
    assert len(store.history()) == 4, "an undo is a record of its own"


def test_undoing_twice_is_undoing_once_with_the_same_acknowledgement(store):
    stored = store.record([label()])[0]
    first = store.undo(stored.label_id, by="analyst", client_id="z1")
    again = store.undo(stored.label_id, by="analyst", client_id="z2")
    assert (again.label_id, again.undo_of, again.stored_before) == (first.label_id, stored.label_id, True)
    assert len(store.history()) == 2


def test_an_undo_delivered_twice_takes_back_one_label(store):
    store.record([label("r1", client_id="a"), label("r2", client_id="b")])
    store.undo(by="analyst", client_id="z")
    again = store.undo(by="analyst", client_id="z")
    assert again.stored_before
    assert list(store.current().index) == ["r1"]


def test_undos_take_back_one_label_after_the_other(store):
    store.record([label(f"r{i}", client_id=f"c{i}") for i in range(3)])
    assert [store.undo(by="analyst", client_id=f"z{i}").row_id for i in range(3)] == ["r2", "r1", "r0"]
    with pytest.raises(DataError, match="has no label to undo"):
        store.undo(by="analyst", client_id="z9")


def test_another_analysts_label_cannot_be_undone(store):
    stored = store.record([label(by="ana")])[0]
    with pytest.raises(DataError, match="was given by 'ana'; only they can undo it"):
        store.undo(stored.label_id, by="bob", client_id="z")
    with pytest.raises(DataError, match="'bob' has no label to undo"):
        store.undo(by="bob", client_id="z")


def test_an_undo_cannot_be_undone_nor_what_is_not_there(store):
    store.record([label()])
    undone = store.undo(by="analyst", client_id="z")
    with pytest.raises(DataError, match="is an undo"):
        store.undo(undone.label_id, by="analyst", client_id="z2")
    with pytest.raises(DataError, match="There is no label 99"):
        store.undo(99, by="analyst", client_id="z3")
    with pytest.raises(DataError, match="There is no label 'nobody'"):
        store.undo(of_client_id="nobody", by="analyst", client_id="z4")


def test_a_label_is_undone_by_its_client_id_before_its_number_is_known(store):
    store.record([label("r1", client_id="a"), label("r2", client_id="b")])
    assert store.undo(of_client_id="a", by="analyst", client_id="z").row_id == "r1"


@pytest.mark.parametrize(
    "change",
    ["update label_event set verdict = 'benign'", "delete from label_event",
     "insert or replace into label_event select * from label_event"],
)  # fmt: skip
def test_no_statement_changes_a_label(store, url, change):
    store.record([label()])
    with store._engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.exec_driver_sql(change)
    assert store.current()["verdict"].iloc[0] == "malicious"


def test_the_guards_also_hold_for_another_program(store, url):
    store.record([label()])
    other = sqlite3.connect(url.removeprefix("sqlite:///"))
    for change in ("update label_event set verdict = 'benign'", "delete from label_event"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(change)
    columns = 'time, row_id, verdict, "by", client_id, weight'
    with pytest.raises(sqlite3.IntegrityError, match="known_verdict"):
        other.execute(f"insert into label_event ({columns}) values (0, 'r', 'x', 'b', 'c', 1)")
    other.close()
