"""Families are renamed, merged, split and swapped, each one event that can be taken back; labels stay as given."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import sqlalchemy as sa
from builders import make_project, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from shell import socml

from socml.labels.fold import CurrentLabels
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError, UnknownName
from socml.review.loop import Triage


@pytest.fixture
def store(tmp_path):
    with LabelStore(f"sqlite:///{tmp_path}/labels.sqlite") as opened:
        rows = [("r1", "malicious", "scan"), ("r2", "malicious", "scan"), ("r3", "malicious", "dns")]
        rows += [("r4", "benign", "backup"), ("r5", "false_alarm", "backup"), ("r6", "benign", "")]
        opened.record([NewLabel(row, verdict, client_id=row, family=family) for row, verdict, family in rows])
        yield opened


def families(store) -> dict[str, str]:
    return store.current()["family"].dropna().to_dict()


def test_a_rename_holds_for_every_label_given_before(store):
    store.families.rename("scan", "port scan", by="ana")
    assert families(store) == {"r1": "port scan", "r2": "port scan", "r3": "dns", "r4": "backup", "r5": "backup"}
    assert store.families.counts()["port scan"] == {"malicious": 2}
    assert set(store.history()["family"].dropna()) == {"scan", "dns", "backup"}, "what was given stays on record"


def test_who_uses_the_old_name_later_means_the_old_family_again(store):
    store.families.rename("scan", "port scan", by="ana")
    store.record([NewLabel("r9", "malicious", client_id="r9", family="scan")])
    assert families(store)["r9"] == "scan"
    assert families(store)["r1"] == "port scan"


def test_a_merge_makes_two_one(store):
    store.families.merge("scan", "dns", by="ana")
    assert store.families.counts() == {"backup": {"benign": 1, "false_alarm": 1}, "dns": {"malicious": 3}}


def test_a_split_takes_the_named_rows_out(store):
    store.families.split("scan", "slow scan", ["r2"], by="ana")
    assert families(store)["r1"] == "scan"
    assert families(store)["r2"] == "slow scan"


def test_a_swap_changes_sides(store):
    store.families.swap("scan", by="ana")
    store.families.swap("backup", by="ana")
    verdicts = store.current()["verdict"].to_dict()
    assert [verdicts[f"r{i}"] for i in range(1, 7)] == [
        "benign", "benign", "malicious", "malicious", "malicious", "benign"
    ]  # fmt: skip


def test_edits_are_applied_in_the_order_they_were_made(store):
    store.families.rename("scan", "probe", by="ana")
    store.families.merge("dns", "probe", by="bob")
    store.families.split("probe", "tunnel", ["r3"], by="ana")
    store.families.swap("tunnel", by="ana")
    assert families(store) == {"r1": "probe", "r2": "probe", "r3": "tunnel", "r4": "backup", "r5": "backup"}
    assert store.current()["verdict"]["r3"] == "benign"


def test_taking_an_edit_back_restores_exactly_what_was(store):
    before = store.current(), store.by_analyst()
    edits = [
        store.families.rename("scan", "probe", by="ana"),
        store.families.swap("backup", by="ana"),
        store.families.merge("dns", "probe", by="ana"),
    ]
    for edit in reversed(edits):
        store.families.undo(edit.id, by="bob")
    pd.testing.assert_frame_equal(store.current(), before[0])
    pd.testing.assert_frame_equal(store.by_analyst(), before[1])
    assert len(store.families.history()) == 6, "an undo is an event of its own"


def test_an_edit_in_the_middle_can_be_taken_back(store):
    first = store.families.rename("scan", "probe", by="ana")
    store.families.rename("backup", "nightly", by="ana")
    store.families.undo(first.id, by="ana")
    assert families(store)["r1"] == "scan"
    assert families(store)["r4"] == "nightly"


def test_undoing_twice_is_undoing_once_and_without_a_name_the_last(store):
    store.families.rename("scan", "probe", by="ana")
    last = store.families.swap("dns", by="ana")
    first = store.families.undo(by="ana")
    assert first.undo_of == last.id
    assert store.families.undo(last.id, by="ana").id == first.id
    store.families.undo(by="ana")
    with pytest.raises(DataError, match="no edit of a family to undo"):
        store.families.undo(by="ana")
    with pytest.raises(DataError, match="no edit 99"):
        store.families.undo(99, by="ana")


def test_an_edit_sent_twice_is_one_edit(store):
    first = store.families.swap("scan", by="ana", client_id="e1")
    assert store.families.swap("scan", by="ana", client_id="e1") == first
    assert store.current()["verdict"]["r1"] == "benign"
    with pytest.raises(DataError, match="was used before"):
        store.families.swap("dns", by="ana", client_id="e1")


def test_names_are_checked(store):
    with pytest.raises(UnknownName, match="Did you mean 'scan'"):
        store.families.rename("scam", "x", by="ana")
    with pytest.raises(DataError, match="Merge the two instead"):
        store.families.rename("scan", "dns", by="ana")
    with pytest.raises(UnknownName, match="family to merge into"):
        store.families.merge("scan", "elsewhere", by="ana")
    with pytest.raises(UnknownName, match="family to merge into"):
        store.families.merge("scan", "scan", by="ana")
    with pytest.raises(DataError, match="1 of the rows to split off is not in family .scan."):
        store.families.split("scan", "x", ["r1", "r4"], by="ana")
    with pytest.raises(DataError, match="Name the rows"):
        store.families.split("scan", "x", [], by="ana")
    with pytest.raises(DataError, match="has 1 to 500 characters"):
        store.families.rename("scan", " ", by="ana")
    with pytest.raises(DataError, match="needs a by"):
        store.families.swap("scan", by="")
    assert store.families.history() == []


def test_an_edit_can_be_kept_to_one_dataset(tmp_path):
    with LabelStore(f"sqlite:///{tmp_path}/labels.sqlite") as store:
        for dataset in ("x", "y"):
            store.record([NewLabel(dataset, "malicious", client_id=dataset, family="scan", dataset=dataset)])
        store.families.rename("scan", "probe", by="ana", dataset="x")
        assert families(store) == {"x": "probe", "y": "scan"}
        assert store.families.edits(dataset="y") == []


def test_no_statement_changes_an_edit(store):
    store.families.swap("scan", by="ana")
    for change in ("update family_edit set kind = 'merge'", "delete from family_edit"):
        with store._engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
            connection.exec_driver_sql(change)


def test_a_swap_moves_the_ranking_and_taking_it_back_restores_it(tmp_path):
    project = make_project(tmp_path)
    make_run(project)
    with Triage(project=project, by="ana") as triage:
        for row_id in list(triage.queue(6)["row_id"]):
            triage.label(row_id, "benign", family="backup")
        before = triage.ranking()
        edit = triage._store.families.swap("backup", by="ana", dataset="built")
        triage.refresh()
        assert not (triage.ranking() == before).all()
        with Triage(project=project, by="bob") as other:
            assert (other.ranking() == triage.ranking()).all()
        triage._store.families.undo(edit.id, by="ana")
        triage.refresh()
        assert (triage.ranking() == before).all()


steps = st.lists(
    st.tuples(st.sampled_from(["label", "rename", "merge", "swap", "undo"]), st.sampled_from("abc"), st.sampled_from("abc")),
    max_size=14,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(steps)
def test_what_stands_in_memory_is_what_the_store_says_whatever_was_edited(taken):
    with LabelStore("sqlite://") as store:
        for n, (action, one, other) in enumerate(taken):
            try:
                if action == "label":
                    verdict = "malicious" if n % 2 else "benign"
                    store.record([NewLabel(f"r{n % 4}", verdict, client_id=str(n), family=one, by=other)])
                elif action == "swap":
                    store.families.swap(one, by="ana")
                elif action == "undo":
                    store.families.undo(by="ana")
                else:
                    getattr(store.families, action)(one, other, by="ana")
            except (DataError, UnknownName):
                continue
        standing = CurrentLabels()
        standing.add(store.events_since(0))
        standing.edits = store.families.edits()
        current = {row: (label.verdict, label.family) for row, label in standing.current().items()}
        frame = store.current()
        assert current == dict(zip(frame.index, zip(frame["verdict"], frame["family"], strict=True), strict=True))


def test_families_are_edited_from_the_command_line_and_taken_back(tmp_path):
    project = make_project(tmp_path)
    run = make_run(project)
    rows = list(run.scores.sort_values("rank").index[:3])
    with Triage(project=project, by="ana") as triage:
        for row_id in rows:
            triage.label(row_id, "malicious", family="scan")

    def families_now() -> dict:
        return json.loads(socml("labels", "family", "list", "--json", cwd=tmp_path)[0])

    assert "scan → probe" in socml("labels", "family", "rename", "scan", "probe", cwd=tmp_path)[0]
    socml("labels", "family", "split", "probe", "slow", rows[1][:12], cwd=tmp_path)
    socml("labels", "family", "swap", "slow", cwd=tmp_path)
    assert families_now() == {"probe": {"malicious": 2}, "slow": {"benign": 1}}
    socml("labels", "family", "merge", "slow", "probe", cwd=tmp_path)
    assert families_now() == {"probe": {"benign": 1, "malicious": 2}}
    for _ in range(4):
        socml("labels", "family", "undo", cwd=tmp_path)
    assert families_now() == {"scan": {"malicious": 3}}
    assert "Did you mean 'scan'" in socml("labels", "family", "swap", "scam", cwd=tmp_path, code=2)[1]
