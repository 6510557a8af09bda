"""The label store under many: processes, kills, a busy store, threads, contradicting analysts."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_writers import label
from patience import PATIENCE_S

from socml.labels.database import HEAD, MIGRATIONS
from socml.labels.fold import CurrentLabels
from socml.labels.store import LabelStore
from socml.labels.verdicts import VERDICTS, NewLabel
from socml.project.errors import SocmlError, TryLater

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


def start_writer(url: str, who: str, n: int) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, who, str(n)], stdout=subprocess.PIPE, text=True, env=environment
    )


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
