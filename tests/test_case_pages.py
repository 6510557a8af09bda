"""A case on its page without a browser: two people at once, words of the reader, links, and what is offered when."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from app_pages import APP, all_text, open_app_on, opened
from builders import make_project
from small_days import small_days

from socml.jobs import Today
from socml.labels import open_labels
from socml.project import Project, words
from socml.respond import Case, CaseRow, Cases

__all__ = ["open_app_on"]
LINES = {"en": "90 addresses tried in vain", "fr": "90 adresses essayées en vain"}
ROW = CaseRow("r1", "2026-03-04", "10.0.0.4", "source inside", LINES["en"], ("scan",), LINES)


@pytest.fixture
def project(tmp_path: Path, open_app_on: Callable[[Project], None]) -> Project:
    made = make_project(tmp_path / "lab")
    open_app_on(made)
    with open_labels(made) as store:
        cases = Cases(store)
        cases.add_row(cases.open("Scan", by="ana", dataset="office").id, ROW, by="ana")
    return made


def change(project: Project, do: Callable[[Cases], object]) -> Case:
    with open_labels(project) as store:
        do(Cases(store))
        return Cases(store).get("C1")


def stored(project: Project) -> Case:
    return change(project, lambda cases: None)


def page(project: Project, **address: str) -> Any:
    app = opened("cases.py", **{"case": "C1", "lang": "en", "by": "ana", **address})
    assert not app.exception
    return app


def press(app: Any, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def note_of(app: Any) -> Any:
    return next(area for area in app.text_area if area.key.startswith("draft_text_C1_"))


def field(widgets: Any, name: str) -> Any:
    """Return the field of a case that is called so: its key ends with how often it was changed."""
    keys = (f"{name}_C1_", f"draft_{name}_C1_")
    [found] = [widget for widget in widgets if (widget.key or "").startswith(keys)]
    return found


def test_what_a_colleague_ticked_stays_when_one_does_something_else(project: Project) -> None:
    app = page(project)
    change(project, lambda cases: cases.check("C1", "scope", done=True, by="bo"))
    app.checkbox(key="C1_contain").check().run()
    assert stored(project).done == {"scope", "contain"}
    assert app.checkbox(key="C1_scope").value
    change(project, lambda cases: cases.check("C1", "contain", done=False, by="bo"))
    app.run()
    assert stored(project).done == {"scope"}
    assert not app.checkbox(key="C1_contain").value


def test_two_people_change_fields_and_neither_is_undone_in_silence(project: Project) -> None:
    app = page(project, lang="fr")
    change(project, lambda cases: cases.change("C1", by="bo", owner="bo", state="working"))
    field(app.text_input, "owner").set_value("cy")
    field(app.text_input, "techniques").set_value("T1046, T1021.004")
    press(app, "Enregistrer")
    case = stored(project)
    assert (case.owner, case.state, case.techniques) == ("bo", "working", ())
    assert "Entre-temps, un collègue a écrit : Responsable bo." in all_text(app).replace("\u00a0", " ")
    assert (field(app.text_input, "owner").value, field(app.selectbox, "state").value) == ("cy", "working")
    press(app, "Enregistrer")
    case = stored(project)
    assert (case.owner, case.state, case.techniques) == ("cy", "working", ("T1046", "T1021.004"))


def test_what_a_colleague_wrote_is_shown_whatever_this_browser_still_says(
    project: Project,
) -> None:
    app = page(project)
    before = field(app.text_input, "owner").key
    change(project, lambda cases: cases.change("C1", by="bo", owner="bo"))
    app.run()  # the browser sends the field as it stood, as it does when a drawing was interrupted
    assert field(app.text_input, "owner").key != before
    assert field(app.text_input, "owner").value == "bo"
    change(project, lambda cases: cases.change("C1", by="bo", owner=""))
    app.run()
    assert field(app.text_input, "owner").value == ""
    press(app, "Save")
    assert stored(project).owner == ""
    assert not stored(project).timeline[-1].body["owner"]  # and nothing was written once more


def test_a_field_that_two_people_gave_the_same_value_is_changed_once(project: Project) -> None:
    app = page(project)
    change(project, lambda cases: cases.change("C1", by="bo", owner="cy"))
    field(app.text_input, "owner").set_value("cy")
    press(app, "Save")
    assert [entry.by for entry in stored(project).timeline if entry.kind == "case.changed"] == ["bo"]


def test_what_is_refused_stays_in_its_field(project: Project) -> None:
    app = page(project)
    field(app.text_input, "title").set_value("A scan of the servers")
    field(app.text_input, "techniques").set_value("scan")
    press(app, "Save")
    assert "no ATT&CK technique" in all_text(app)
    assert field(app.text_input, "title").value == "A scan of the servers"
    field(app.text_input, "techniques").set_value("T1046")
    press(app, "Save")
    assert (stored(project).title, stored(project).techniques) == ("A scan of the servers", ("T1046",))
    assert "C1 · A scan of the servers" in all_text(app)


def test_a_row_is_taken_out_once_and_the_time_line_says_which(project: Project) -> None:
    app = page(project)
    change(project, lambda cases: cases.remove_row("C1", "r1", by="bo"))
    app.button(key="remove_r1").click().run()
    assert "row taken out: 10\\.0\\.0\\.4" in "\n".join(str(one.value) for one in app.caption)
    assert [entry.by for entry in stored(project).timeline if entry.kind == "case.row_removed"] == ["bo"]


def test_a_note_that_is_sent_twice_is_there_once(project: Project) -> None:
    app = page(project)
    for _ in range(2):
        note_of(app).set_value("asked the owner")
        press(app, "Add")
    assert [note.text for note in stored(project).notes] == ["asked the owner"]
    assert note_of(app).value == ""


def test_what_each_person_types_is_kept_under_a_class_of_its_own(project: Project) -> None:
    people = ("ana", "王芳", "李明", "a b", "a-b")
    keys = [note_of(page(project, by=who)).key for who in people]
    classes = {re.sub(r"[^a-zA-Z0-9_-]", "-", key) for key in keys}  # as Streamlit makes them
    assert len(classes) == len(people)


def test_nothing_is_written_for_somebody_who_is_not_before_the_page_any_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(project)
    monkeypatch.setattr("case_forms.is_still", lambda *_: False)
    app.checkbox(key="C1_scope").check().run()
    assert stored(project).done == frozenset()


@pytest.mark.parametrize(("language", "says"), [("en", "Wed 4 Mar 2026 · host"), ("fr", "mer. 4 mars 2026 · machine")])
def test_a_row_opens_its_day_and_is_told_in_the_language_of_the_reader(
    language: str, says: str, project: Project
) -> None:
    app = page(project, lang=language)
    said = all_text(app)
    assert says in said
    assert LINES[language] in said
    assert not set(LINES.values()) - {LINES[language]} & set(said.splitlines())
    (row,) = [str(one.value) for one in app.caption if str(one.value).startswith("[**10")]
    address = urlsplit(row.split("](")[1].split(")")[0])
    assert address.path == "entity"
    wanted = {"dataset": "office", "entity": "10.0.0.4", "role": "source inside", "day": "2026-03-04"}
    assert {name: [value] for name, value in {**wanted, "lang": language, "by": "ana"}.items()} == parse_qs(
        address.query
    )
    assert LINES[language] in all_text(opened("cases.py", lang=language, by="ana"))


def test_the_report_is_of_one_language_whoever_put_the_row_there(project: Project) -> None:
    (project.root / "socml.toml").write_text('workspace = "workspace"\nlanguage = "fr"\n', encoding="utf-8")
    app = page(project, lang="en")
    app.selectbox(key="responder_C1").set_value("markdown-report").run()
    report = app.code[0].value.replace("\u00a0", " ")
    for part in (
        "- État : ouvert, responsable : ana, gravité 2 sur 4",
        "## Ce qui a été vu",
        LINES["fr"],
        "ligne ajoutée",
    ):
        assert part in report
    assert LINES["en"] not in report


def test_a_file_that_left_is_there_to_take_and_nobody_is_asked_about_it(project: Project) -> None:
    app = page(project)
    app.selectbox(key="responder_C1").set_value("json-case").run()
    assert not app.get("download_button")
    next(box for box in app.checkbox if box.label.startswith("I have read it")).check().run()
    press(app, "Let it leave")
    assert [button.proto.label for button in app.get("download_button")] == ["C1.json"]
    assert "files of this project" in app.caption[-1].value or "files of this project" in all_text(app)
    assert not [button for button in app.button if button.label.startswith("Ask what it turned out")]


def test_a_way_that_has_nothing_to_say_says_so(project: Project) -> None:
    app = page(project)
    app.selectbox(key="responder_C1").set_value("nftables").run()
    assert "nothing that could leave this way" in all_text(app)
    assert not [box for box in app.checkbox if box.label.startswith("I have read it")]


def test_a_case_that_is_not_there_is_said_and_all_of_a_state_can_be_seen(project: Project) -> None:
    change(project, lambda cases: [cases.open(f"Case {n}", by="ana") for n in range(21)])
    app = page(project, case="C99")
    assert "There is no case C99." in all_text(app)
    assert len([b for b in app.button if (b.key or "").startswith("show_")]) == 20
    assert "Open · 22" in all_text(app)
    press(app, "Show all 22")
    assert len([b for b in app.button if (b.key or "").startswith("show_")]) == 22


def test_a_row_goes_into_a_case_called_by_its_entity_with_its_words_in_every_language(
    tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    office = small_days(tmp_path / "days")
    open_app_on(office)
    with open_labels(office) as store:
        row = next(row for row in Today("office", project=office).of(store).rows if row.entity == "10.0.0.4")
    address = {"row": row.row_id, "new": "1", "dataset": "office", "case": "", "lang": "fr"}
    app = page(office, **address)
    assert [field.value for field in app.text_input if field.label == "Objet"] == ["10.0.0.4"]
    press(app, "Mettre dans le dossier")
    case = stored(office)
    assert case.title == "10.0.0.4"
    assert "adresses" in case.rows[0].line_in("fr")
    assert "addresses" in case.rows[0].line_in("en")
    again = page(office, **address)
    assert "Cette ligne est déjà dans un dossier" in all_text(again)


def test_a_row_that_was_taken_out_goes_in_again_and_into_a_second_new_case(
    tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    office = small_days(tmp_path / "days")
    open_app_on(office)
    with open_labels(office) as store:
        row = next(row for row in Today("office", project=office).of(store).rows if row.entity == "10.0.0.4")

    def put(app: Any, into: str) -> list[Case]:
        app.query_params.update({"row": row.row_id, "new": "1"})
        app.query_params.pop("case", None)
        app.run()
        app.selectbox(key=f"into_{row.row_id}").set_value(into).run()
        press(app, "Put it into the case")
        with open_labels(office) as store:
            return sorted(Cases(store).all(), key=lambda case: case.id)

    app = page(office, row=row.row_id, new="1", dataset="office", case="")
    assert [len(case.rows) for case in put(app, "")] == [1]
    change(office, lambda cases: cases.remove_row("C1", row.row_id, by="ana"))
    assert [len(case.rows) for case in put(app, "C1")] == [1]
    assert [len(case.rows) for case in put(app, "")] == [1, 1]


def test_the_curve_of_families_has_an_axis_though_none_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("streamlit")
    monkeypatch.syspath_prepend(str(APP))
    curve = importlib.import_module("labelling.trust")._curve
    for found, domain in (([0, 0], [0, 1]), ([1, 3], [0, 3])):
        families = pd.DataFrame({"labels": [1, 2], "families": found})
        drawn = curve(SimpleNamespace(families=families), words("fr")).to_dict()
        assert drawn["encoding"]["y"]["scale"]["domain"] == domain
