"""The label store on a real PostgreSQL, started by the tests: a team that labels at once, and two who are killed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa
from analysts import label_together, overlapping
from builders import make_project, make_run
from patience import PATIENCE_S, wait_until

from socml.labels import database
from socml.labels.database import HEAD
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import ConfigurationError, DataError, TryLater
from socml.review.loop import Triage


@pytest.fixture
def url(cluster):
    return cluster.new_database()


def label(row_id: str = "r1", verdict: str = "malicious", client_id: str = "c1", **more) -> NewLabel:
    return NewLabel(row_id, verdict, client_id=client_id, **more)


def test_a_writer_that_never_ends_makes_nobody_wait_for_ever(url, monkeypatch):
    import psycopg

    monkeypatch.setattr(database, "BUSY_MS", 200)
    name, host = re.fullmatch(r".*/(\w+)\?host=(.*)", url).groups()
    with LabelStore(url) as store, ThreadPoolExecutor(1) as others:
        with psycopg.connect(host=host, user="socml", dbname=name) as holder:
            holder.execute(f"select pg_advisory_xact_lock({database.LOCK})")
            waiting = others.submit(store.record, [label()])
            try:
                failure = waiting.exception(PATIENCE_S)
            finally:
                holder.rollback()
        assert isinstance(failure, TryLater)
        store.record([label()])
        assert list(store.current().index) == ["r1"]


def test_a_writer_that_was_stopped_in_the_middle_is_let_go_and_stores_nothing(url, monkeypatch):
    monkeypatch.setattr(database, "STUCK_MS", 2_000)
    with LabelStore(url) as stopped, LabelStore(url) as store, ThreadPoolExecutor(1) as others:

        def write_the_other() -> None:
            with stopped._write() as connection:
                connection.execute(sa.text("create table half (n int)"))
                goes_on = others.submit(store.record, [label()])
                try:
                    goes_on.result(PATIENCE_S)
                except TimeoutError:
                    pytest.fail("it waits for who was stopped")

        with pytest.raises(TryLater):
            write_the_other()
        assert list(store.current().index) == ["r1"]
        stopped.record([label("r2", client_id="c2")])  # it goes on where it was let go
        assert list(store.current().index) == ["r1", "r2"]


@pytest.mark.slow
def test_eight_analysts_label_two_hundred_each_and_two_are_killed(url, tmp_path):
    told = label_together(url, tmp_path, analysts=8, labels=200)
    with LabelStore(url) as store:
        history = store.history()
    stored = set(zip(history["row_id"], history["client_id"], strict=True))
    assert set(told.said) <= stored, "an acknowledged label is lost"
    assert len(history) == 1600
    assert history["row_id"].is_unique, "a row was labelled twice"
    assert history["client_id"].is_unique
    assert overlapping(told) == [], "a row was before two analysts at once"
    assert told.stuck
    taken_over = history.set_index("row_id")["by"].loc[told.stuck]
    assert "analyst0" not in set(taken_over), "what the killed analyst held was offered again"
    killed = {"analyst0", "analyst1"}
    assert set(history["by"]) - killed == {f"analyst{n}" for n in range(2, 8)}
    assert (history[~history["by"].isin(killed)]["by"].value_counts() > 200 // 3).all(), "the others went on"


def test_everything_that_was_said_comes_back_as_on_sqlite(url, tmp_path):
    given = label(note="é \x00 '; drop table label_event; --", family="scan", inclusion_probability=0.5, seen_ms=300)
    frames = []
    for address in (url, f"sqlite:///{tmp_path}/labels.sqlite"):
        with LabelStore(address) as store:
            store.record([given, label("r2", "benign", "c2", suggested=True, weight=0.3, batch_id="b")])
            store.record([label("r2", "malicious", "c3", by="bob")])
            store.undo(by="analyst", client_id="z")
            store.families.rename("scan", "port scan", by="ana")
            frames.append([store.current(), store.by_analyst(), store.history()])
    for ours, theirs in zip(*frames, strict=True):
        pd.testing.assert_frame_equal(ours.drop(columns="time"), theirs.drop(columns="time"))
    assert frames[0][0].loc["r1", "family"] == "port scan"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [("a\x00b", DataError, "cannot keep"), ("a\ud800b", ConfigurationError, "holds bytes that are no letters")],
)
def test_a_text_that_no_database_keeps_is_one_sentence_whoever_asks(url, text, kind, said):
    with LabelStore(url) as store:
        asks = [
            lambda: store.accounts.sign_in(text, "a wrong password"),
            lambda: store.accounts.begin(text),
            lambda: store.views.save("A", {}, by="ana", dataset="d", client_id=text),
            lambda: store.views.rename(text, "A", by="ana"),
            lambda: store.reasons.give("r", "scan", "benign", by="ana", client_id=text, dataset="d"),
            lambda: store.undo(of_client_id=text, by="ana", client_id="u"),
            lambda: store.undo_batch(text, by="ana", client_id="u"),
            lambda: store.known([text]),
        ]
        for ask in asks:
            with pytest.raises(kind, match=said):
                ask()
        store.record([label()])
        assert list(store.current().index) == ["r1"], "the store goes on"


@pytest.mark.parametrize(
    "change", ["update label_event set verdict = 'benign'", "delete from label_event", "truncate label_event cascade"]
)
def test_no_statement_changes_a_label(url, change):
    with LabelStore(url) as store:
        store.record([label()])
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), store._engine.begin() as connection:
            connection.exec_driver_sql(change)
        assert store.current()["verdict"].iloc[0] == "malicious"


def test_an_older_store_is_brought_up_to_date_and_keeps_its_labels(url):
    from old_labels import labels_of_the_first_revision

    labels_of_the_first_revision(url)
    with LabelStore(url) as store:
        assert store.current()["verdict"].to_dict() == {"r1": "malicious"}
        assert not store.current()["suggested"].any()
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == HEAD


def test_the_clock_of_a_team_is_the_databases(url, monkeypatch):
    monkeypatch.setattr("socml.labels.database.datetime", _AnHourFast)
    with LabelStore(url) as store:
        before = _a_minute_on(store)
        (lease,) = store.leases.claim(["r1"], by="ana", n=1, seconds=60)
        assert before <= lease.expires <= _a_minute_on(store)


class _AnHourFast(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=1)


def _a_minute_on(store):
    with store._engine.connect() as connection:
        return connection.exec_driver_sql("select clock_timestamp() + interval '60 seconds'").scalar()


def test_a_database_that_went_away_says_try_later_and_the_store_goes_on_when_it_is_back(url, cluster):
    import psycopg

    with LabelStore(url) as store:
        store.record([label()])
        with psycopg.connect(host=str(cluster.folder), user="socml", dbname="postgres", autocommit=True) as other:
            name = url.split("/")[3].split("?")[0]
            other.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            there = "select count(*) from pg_stat_activity where datname = %s"  # a backend ends a little later
            wait_until(lambda: other.execute(there, [name]).fetchone() == (0,))
        with pytest.raises(TryLater):
            store.record([label("r2", client_id="c2")])
        assert not store.record([label("r2", client_id="c2")])[0].stored_before
        with pytest.raises(DataError, match="was used before"):
            store.record([label("r9", client_id="c2")])


def test_a_triage_of_a_team_is_the_same_for_everyone(url, tmp_path):
    project = make_project(tmp_path, labels_url=url)
    run = make_run(project)
    with Triage(project=project, by="ana") as ana, Triage(project=project, by="bob") as bob:
        first = list(ana.queue(3)["row_id"])
        for row_id in first:
            ana.label(row_id, "malicious" if run.truth[row_id] else "benign")
        bob.refresh()
        pd.testing.assert_frame_equal(ana.queue(), bob.queue())
