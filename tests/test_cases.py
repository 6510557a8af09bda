"""Cases: folded from the journal, never changed, and like each other by what they share."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from socml.labels.store import LabelStore
from socml.project.errors import ConfigurationError, DataError, UnknownName
from socml.respond.cases import CaseRow, Cases

ROW = CaseRow("r1", "2026-03-03", "10.0.0.1", "source inside", "138 addresses tried in vain", ("scan",))


def test_a_case_tells_who_did_what_in_order() -> None:
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        case = cases.open("Scan", by="ana", dataset="office")
        cases.add_row(case.id, ROW, by="ana")
        cases.note(case.id, "asked the owner", by="bo")
        cases.change(case.id, by="bo", state="contained", techniques=["T1046"], outcome="malicious")
        cases.check(case.id, "contain", done=True, by="bo")
        found = cases.remove_row(case.id, "r1", by="ana")
    assert [(entry.by, entry.kind) for entry in found.timeline] == [
        ("ana", "case.opened"), ("ana", "case.row_added"), ("bo", "case.noted"), ("bo", "case.changed"),
        ("bo", "case.checked"), ("ana", "case.row_removed"),
    ]  # fmt: skip
    assert (found.state, found.outcome, found.techniques, found.done) == (
        "contained", "malicious", ("T1046",), frozenset({"contain"}),
    )  # fmt: skip
    assert found.rows == ()
    assert found.entities == ("10.0.0.1",)
    assert found.notes[0].text == "asked the owner"


def test_what_is_sent_twice_is_stored_once() -> None:
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        first = cases.open("Scan", by="ana", client_id="a")
        again = cases.open("Scan", by="ana", client_id="a")
        cases.note(first.id, "n", by="ana", client_id="b")
        assert len(cases.note(first.id, "n", by="ana", client_id="b").notes) == 1
        assert first.id == again.id
        assert len(cases.all()) == 1


def test_wrong_fields_are_refused_and_name_what_is_known() -> None:
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        case = cases.open("Scan", by="ana")
        with pytest.raises(UnknownName, match="contained"):
            cases.change(case.id, by="ana", state="containd")
        with pytest.raises(UnknownName):
            cases.change(case.id, by="ana", tlp="pink")
        with pytest.raises(UnknownName):
            cases.change(case.id, by="ana", rows=[])
        with pytest.raises(DataError, match="T1046"):
            cases.change(case.id, by="ana", techniques=["scan"])
        with pytest.raises(DataError, match="severity"):
            cases.change(case.id, by="ana", severity=9)
        with pytest.raises(DataError, match="title"):
            cases.open("", by="ana")
        with pytest.raises(UnknownName, match="C1"):
            cases.get("C7")


def test_cases_are_like_each_other_by_what_they_share() -> None:
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        one, other, third = (cases.open(title, by="ana") for title in ("one", "other", "third"))
        cases.add_row(one.id, ROW, by="ana")
        cases.add_row(other.id, CaseRow("r2", "2026-03-04", "10.0.0.1", "source inside", "x", ("scan",)), by="ana")
        cases.add_entity(third.id, "web1", by="ana")
        similar = cases.similar(cases.get(one.id))
    assert [(case.id, share) for case, share in similar] == [(other.id, 1.0)]


def test_one_case_is_read_alone_and_is_what_the_list_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        first, second = (cases.open(title, by="ana").id for title in ("One", "Other"))
        for case_id in (first, second, first):
            cases.note(case_id, f"about {case_id}", by="bo")
            cases.add_entity(case_id, "10.0.0.1", by="bo")
            body = {"responder": "webhook", "target": "there", "reference": "7", "digest": ""}
            store.journal.add("response.sent", case_id, body, by="bo")
        store.journal.add("rule.made", first, {}, by="bo")
        assert {case.id: case for case in cases.all()} == {one: cases.get(one) for one in (first, second)}
        assert [len(cases.get(one).sent) for one in (first, second)] == [2, 1]
        read: list[int] = []
        entries = store.journal.entries
        monkeypatch.setattr(
            store.journal, "entries", lambda *a, **k: read.append(len(found := entries(*a, **k))) or found
        )
        cases.note(second, "one more", by="bo")
        assert max(read) == 5, "opened, noted, an entity, sent, noted"
        assert cases.find("") is None is cases.find("C9")


def test_the_journal_can_only_be_added_to() -> None:
    with LabelStore("sqlite://") as store:
        Cases(store).open("Scan", by="ana")
        for statement in ("delete from journal", "update journal set by = 'eve'"):
            with (
                pytest.raises(sa.exc.DatabaseError, match="append-only"),
                store._connections.engine.begin() as connection,
            ):
                connection.exec_driver_sql(statement)


def test_a_viewers_store_writes_nothing(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'labels.sqlite'}"
    with LabelStore(url) as store:
        case = Cases(store).open("Scan", by="ana")
    with LabelStore(url, read_only=True) as looking:
        cases = Cases(looking)
        assert cases.get(case.id).title == "Scan"
        for attempt in (
            lambda: cases.open("x", by="eve"),
            lambda: cases.note(case.id, "x", by="eve"),
            lambda: looking.undo(by="ana", client_id="x"),
            lambda: looking.reasons.give("r", "scan", "benign", by="eve", client_id="y", dataset="d"),
            lambda: looking.accounts.make("eve", "lead", "a long password", by="eve"),
        ):
            with pytest.raises(ConfigurationError, match="viewer"):
                attempt()


@pytest.mark.parametrize("made_up", ["", "C2", "c1", "%", "C1\0", "\0", "C1\ud800"])
def test_an_id_that_no_case_has_is_none_whatever_it_holds(made_up):
    with LabelStore("sqlite://") as store:
        cases = Cases(store)
        assert cases.open("Scan", by="alice").id == "C1"
        assert cases.find(made_up) is None
        with pytest.raises(UnknownName, match="There is no case called"):
            cases.get(made_up)
