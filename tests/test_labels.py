"""The label store: several writers at once, nothing lost, nothing doubled, nothing changed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from builders import make_project, make_rows, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import PATIENCE_S

from socml.labels.database import HEAD, MIGRATIONS
from socml.labels.export import write_labels
from socml.labels.fold import CurrentLabels
from socml.labels.recording import (
    open_labels,
    read_analyst_labels,
    read_label_events,
    read_labels,
    record_label,
    undo_label,
)
from socml.labels.store import LabelStore
from socml.labels.verdicts import SEEN_LEAST_MS, VERDICTS, NewLabel
from socml.project.errors import DataError, SocmlError, TryLater, UnknownName

CHECKOUT = Path(__file__).resolve().parents[1]
WRITER = """
import sys
from socml.labels import LabelStore, NewLabel, database
database.BUSY_MS = 3_600_000  # SQLite lets a writer starve while others are busy; here each gets its turn in the end
url, who, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
with LabelStore(url) as store:
    print("ready", flush=True)
    for i in range(n):
        done = store.record([NewLabel(f"r{i}", "benign", client_id=f"{who}-{i}", by=who)])[0]
        print(done.client_id, flush=True)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'labels.sqlite'}"


@pytest.fixture
def store(url: str):
    with LabelStore(url) as opened:
        yield opened


def label(row_id: str = "r1", verdict: str = "malicious", client_id: str = "c1", **more) -> NewLabel:
    return NewLabel(row_id, verdict, client_id=client_id, **more)


def start_writer(url: str, who: str, n: int) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, who, str(n)], stdout=subprocess.PIPE, text=True, env=environment
    )


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


def test_a_store_opened_again_is_as_it_was(url):
    with LabelStore(url) as store:
        store.record([label()])
        before = store.history()
    with LabelStore(url) as store:
        pd.testing.assert_frame_equal(store.history(), before)


def test_opening_knows_the_newest_migration():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_a_store_of_a_newer_socml_is_refused(url):
    with LabelStore(url) as store, store._writer.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(SocmlError, match="a newer socml wrote it"):
        LabelStore(url)


def test_a_store_that_cannot_be_opened_says_try_later(tmp_path):
    with pytest.raises(TryLater, match="cannot be opened"):
        LabelStore(f"sqlite:///{tmp_path}")


def test_four_processes_lose_and_double_nothing(url):
    """All four open the empty store at once, so the migration runs under contention too."""
    writers = [start_writer(url, who, 200) for who in ("ana", "bob", "eve", "kim")]
    acknowledged = [line for writer in writers for line in writer.communicate(timeout=PATIENCE_S)[0].split()[1:]]
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    with LabelStore(url) as store:
        history = store.history()
    assert sorted(history["client_id"]) == sorted(acknowledged)
    assert len(set(acknowledged)) == 800
    assert list(history["label_id"]) == list(range(1, 801))


def test_a_writer_that_is_killed_loses_nothing_that_was_acknowledged(url):
    writer = start_writer(url, "ana", 100_000)
    other = start_writer(url, "bob", 100)
    acknowledged = [writer.stdout.readline().strip() for _ in range(60)][1:]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [line for line in writer.stdout.read().split("\n")[:-1] if line]
    assert writer.wait() == -signal.SIGKILL
    assert other.communicate(timeout=PATIENCE_S)[0].count("\n") == 101, "another writer is not held up"
    with LabelStore(url) as store:
        stored = store.history()["client_id"].to_list()
        assert store._engine.connect().exec_driver_sql("pragma integrity_check").scalar() == "ok"
        again = store.record([NewLabel("r0", "benign", client_id="ana-0", by="ana")])[0]
    assert again.stored_before, "what the client was not told of is safe to send again"
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)


def test_a_busy_store_says_try_later_and_keeps_what_it_has(url, store, monkeypatch):
    blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("begin immediate")
    monkeypatch.setattr("socml.labels.database.BUSY_MS", 50)
    with LabelStore(url) as impatient:
        with pytest.raises(TryLater, match="busy or away: database is locked"):
            impatient.record([label()])
        assert impatient.history().empty, "reading is not held up by a writer"
        blocker.execute("rollback")
        assert not impatient.record([label()])[0].stored_before
    blocker.close()


def test_threads_may_share_a_store(store):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: store.record([label(f"r{i}", client_id=f"c{i}")]), range(80)))
    assert len(store.current()) == 80


actions = st.lists(
    st.tuples(st.sampled_from(["r1", "r2"]), st.sampled_from(["ana", "bob"]), st.sampled_from([*VERDICTS, "undo"])),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(actions)
def test_what_stands_in_memory_is_what_the_views_say(taken):
    with LabelStore("sqlite://") as store:
        standing = CurrentLabels()
        for n, (row_id, by, verdict) in enumerate(taken):
            if verdict != "undo":
                store.record([NewLabel(row_id, verdict, client_id=str(n), by=by)])
            elif by in set(store.by_analyst()["by"]):
                store.undo(by=by, client_id=str(n))
            if n % 2:
                standing.add(store.events_since(standing.last_id))
        standing.add(store.events_since(0))
        current = {row_id: event.id for row_id, event in standing.current().items()}
        assert current == store.current()["label_id"].to_dict()
        by_analyst = {key: event.id for key, event in standing.by_analyst().items()}
        view = store.by_analyst()
        assert by_analyst == dict(zip(zip(view["row_id"], view["by"], strict=True), view["label_id"], strict=True))


@pytest.mark.parametrize(
    ("votes", "labelled"),
    [
        ([("ana", "malicious")], {"r1": 1.0}),
        ([("ana", "benign")], {"r1": -1.0}),
        ([("ana", "false_alarm")], {"r1": -1.0}),
        ([("ana", "unsure")], {}),
        ([("ana", "skip")], {}),
        ([("ana", "malicious"), ("bob", "benign")], {}),
        ([("ana", "malicious"), ("bob", "malicious"), ("eve", "benign")], {"r1": 1 / 3}),
        ([("ana", "malicious"), ("bob", "unsure")], {"r1": 1.0}),
        ([("ana", "malicious"), ("ana", "benign")], {"r1": -1.0}),
    ],
)
def test_analysts_who_contradict_each_other_are_averaged(store, votes, labelled):
    store.record([label(verdict=verdict, by=by, client_id=str(n)) for n, (by, verdict) in enumerate(votes)])
    standing = CurrentLabels()
    standing.add(store.events_since(0))
    assert standing.training_labels() == labelled


def test_a_suggested_label_teaches_less(store):
    store.record([label(weight=0.25)])
    standing = CurrentLabels()
    standing.add(store.events_since(0))
    assert standing.training_labels() == {"r1": 0.25}


def test_labels_are_read_by_dataset(store):
    store.record([label("r1", client_id="a", dataset="x"), label("r2", client_id="b", dataset="y")])
    store.record([label("r3", client_id="c")])
    assert list(store.current(dataset="x").index) == ["r1", "r3"], "a label that names no dataset counts for each"


def test_the_notebook_functions_use_the_projects_store(tmp_path):
    project = make_project(tmp_path)
    make_rows(project, "r1", "r2")
    record_label("r1", "benign", by="ana", project=project, note="=1+1")
    record_label("r2", "malicious", by="ana", project=project)
    assert undo_label(by="ana", project=project).row_id == "r2"
    assert list(read_labels(project=project).index) == ["r1"]
    assert len(read_analyst_labels(project=project)) == 1
    assert len(read_label_events(project=project)) == 3
    assert (tmp_path / "workspace" / "labels.sqlite").is_file()


def test_a_label_for_a_row_that_does_not_exist_is_an_error_that_names_the_nearest(tmp_path):
    project = make_project(tmp_path)
    make_rows(project, "0123456789abcdef")
    with pytest.raises(DataError, match="no row '01234567' in dataset 'd'. Did you mean '0123456789abcdef'"):
        record_label("01234567", "benign", dataset="d", project=project)
    with pytest.raises(DataError, match="no row 'nobody' in this workspace. See which there are: socml queue"):
        record_label("nobody", "benign", project=project)
    with pytest.raises(DataError, match="in dataset 'e'. Ingest its events first"):
        record_label("0123456789abcdef", "benign", dataset="e", project=project)
    with pytest.raises(SocmlError, match="no scoring run|Nothing has been scored"):
        record_label("0123456789abcdef", "benign", run_id="none", project=project)
    assert read_label_events(project=project).empty


def test_an_event_and_a_row_of_a_run_can_be_labelled(tmp_path):
    project = make_project(tmp_path)
    run = make_run(project, hostile=False)
    row = str(run.scores.index[0])
    assert record_label(row, "benign", run_id=run.run_id, dataset=run.dataset, project=project).row_id == row
    (project.workspace / "scores").rename(tmp_path / "scores")
    (project.workspace / "features").rename(tmp_path / "features")
    assert record_label(row, "malicious", dataset=run.dataset, project=project).row_id == row


def test_a_relative_address_is_relative_to_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    project = make_project(tmp_path / "lab", labels_url="sqlite:///team.sqlite")
    with open_labels(project):
        assert (tmp_path / "lab" / "team.sqlite").is_file()


@pytest.mark.parametrize("wrong", ["not an address", "mysql://host/name", "nonsense://host"])
def test_an_address_that_cannot_be_used_is_a_configuration_error(tmp_path, wrong):
    with pytest.raises(SocmlError, match=r"address|SQLite or PostgreSQL|needs the package"):
        open_labels(make_project(tmp_path, labels_url=wrong))


def test_an_export_to_csv_holds_no_formula_and_no_control_character(store, tmp_path):
    store.record(
        [label(note="=cmd|' /C calc'!A0"), label("r2", client_id="b", note="\x1b[31m\u202efdp.exe", reason="+1")]
    )
    path = write_labels(store.current(), tmp_path / "labels.csv")
    text = path.read_text(encoding="utf-8")
    assert "'=cmd" in text
    assert "'+1" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    read = pd.read_csv(path)
    assert list(read["row_id"]) == ["r1", "r2"]
    assert pd.to_datetime(read["time"], utc=True).notna().all()


def test_an_export_to_parquet_and_json_lines_keeps_every_character(store, tmp_path):
    store.record([label(note="=1 é \u202e"), label("r2", client_id="b")])
    parquet = pd.read_parquet(write_labels(store.history(), tmp_path / "labels.parquet"))
    assert parquet["note"].iloc[0] == "=1 é \u202e"
    lines = [json.loads(line) for line in write_labels(store.history(), tmp_path / "x.jsonl").read_text().splitlines()]
    assert [line["note"] for line in lines] == ["=1 é \u202e", None]
    assert lines[0]["time"].startswith(f"{store.history()['time'].iloc[0]:%Y-%m-%d}")


def test_an_export_to_anything_else_is_refused(store, tmp_path):
    with pytest.raises(UnknownName, match=r"Did you mean '\.csv'\?"):
        write_labels(store.current(), tmp_path / "labels.csvx")


def test_a_verdict_counts_for_a_row_that_was_on_screen_for_150_ms(store: LabelStore) -> None:
    for seen in (-1, 0, 1, SEEN_LEAST_MS - 1, 2**60):
        with pytest.raises(DataError, match="was on screen for 150 ms or more"):
            store.record([NewLabel("r1", "benign", client_id="a", how="key", seen_ms=seen)])
    store.record([NewLabel("r1", "benign", client_id="b", how="key", seen_ms=SEEN_LEAST_MS)])
    store.record([NewLabel("r2", "benign", client_id="c", how="replay")])  # an oracle looks at no screen
    assert store.history()["seen_ms"].to_list() == [150, pd.NA]
