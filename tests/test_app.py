"""Each page of the app, in both languages, without a browser: it runs, and says what to do when there is nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from app_pages import APP, all_text, opened
from builders import BuiltRun, make_run
from fitted import ESTIMATED, FOREST, estimated_and_exact

from socml.explanations.of_run import explain_run
from socml.explanations.sentences import why_table
from socml.labels.recording import open_labels
from socml.project.project import Project
from socml.project.stored import read_table, write_table
from socml.project.wording import words
from socml.project.workspace import run_folder
from socml.review.loop import Triage
from socml.review.queues import is_drawn

PAGES = {"triage": "hunt.py", "labels": "label_history.py", "runs": "run_overview.py"}


@pytest.fixture
def built(app_project: Project) -> BuiltRun:
    return make_run(app_project)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("page", PAGES)
def test_page_runs_in_each_language(page: str, language: str, built: BuiltRun, app_project: Project) -> None:
    Triage(built.run_id, project=app_project).label(built.hostile, "malicious", note="=1+1 <b>x</b>")
    app = opened(PAGES[page], lang=language)
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="run").value == built.run_id
    assert app.selectbox(key="run").label == words(language)("app.run")
    assert app.query_params["run"] == built.run_id


@pytest.mark.parametrize("page", PAGES)
def test_page_without_a_run_says_what_to_type(page: str, app_project: Project) -> None:
    app = opened(PAGES[page], lang="fr")
    assert not app.exception
    assert words("fr")("app.empty.title") in all_text(app)
    assert "socml demo" in all_text(app)


def test_language_comes_from_the_address_else_from_the_project(app_project: Project) -> None:
    (app_project.root / "socml.toml").write_text('language = "fr"\n', encoding="utf-8")
    assert words("fr")("app.empty.title") in all_text(opened(PAGES["triage"]))
    assert words("en")("app.empty.title") in all_text(opened(PAGES["triage"], lang="en"))
    assert words("fr")("app.empty.title") in all_text(opened(PAGES["triage"], lang="<script>"))


def test_an_error_of_socml_is_a_message_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(APP))
    monkeypatch.setenv("SOCML_PROJECT", str(tmp_path))
    app = opened(PAGES["triage"])
    assert not app.exception
    assert "there is no socml.toml there" in all_text(app)


def test_analyst_comes_from_the_address_then_the_environment(built: BuiltRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCML_ANALYST", "noor")
    assert opened(PAGES["triage"]).text_input(key="analyst").value == "noor"
    assert opened(PAGES["triage"], by="ana").text_input(key="analyst").value == "ana"


def test_an_event_that_is_not_in_the_run_is_said_so(built: BuiltRun) -> None:
    app = opened(PAGES["triage"], event="0" * 32)
    assert not app.exception
    assert words("en")("app.triage.no_such_event") in all_text(app)


def test_a_label_given_in_another_run_says_whom_it_is_about(built: BuiltRun, app_project: Project) -> None:
    folder, other = (run_folder(app_project, run_id) for run_id in (built.run_id, "0" * 16))
    shutil.copytree(folder, other)
    rows = read_table(folder / "scores.parquet").to_pandas()
    rows.loc[0, ["row_id", "entity"]] = ["f" * 32, "far.example"]
    write_table(other / "scores.parquet", pa.Table.from_pandas(rows, preserve_index=False))
    run = (folder / "run.json").read_text(encoding="utf-8")
    (other / "run.json").write_text(run.replace(built.run_id, "0" * 16), encoding="utf-8")
    Triage("0" * 16, project=app_project).label("f" * 32, "malicious")
    Triage(built.run_id, project=app_project).label(built.hostile, "benign")
    table = opened(PAGES["labels"], run=built.run_id).dataframe[0].value
    assert table["Entity"].to_list()[1] == "far.example"
    assert table["Entity"].to_list()[0] not in ("", "far.example")


def test_hostile_text_in_the_label_history_is_inert(built: BuiltRun, app_project: Project) -> None:
    Triage(built.run_id, project=app_project).label(built.hostile, "malicious", note="\x1b[31m <img src=x> \u202etxt")
    table = opened(PAGES["labels"]).dataframe[0].value
    assert table["Note"].to_list() == ["␛[31m <img src=x> ⟨U+202E⟩txt"]
    assert "\x1b" not in table["Entity"].iloc[0]


def test_families_are_edited_on_the_labels_page_and_taken_back(built: BuiltRun, app_project: Project) -> None:
    with Triage(built.run_id, project=app_project, by="ana") as triage:
        rows = list(triage.queue(3)["row_id"])
        for row_id in rows:
            triage.label(row_id, "malicious", family="scan")
        app = opened(PAGES["labels"], by="ana", lang="fr")
        assert app.dataframe[1].value["Famille"].to_list() == [words("fr")("app.family.scan")]
        app.selectbox(key="family_kind").select("rename").run()
        app.text_input(key="family_name").input("*slow* <b>scan</b>").run()
        app.button(key="family_do").click().run()
        assert not app.exception
        assert set(triage.labels()["family"]) == {"*slow* <b>scan</b>"}
        app.selectbox(key="family_kind").select("swap").run()
        app.button(key="family_do").click().run()
        assert set(triage.labels()["verdict"]) == {"benign"}
        app.button(key="family_undo_2").click().run()
        app.button(key="family_undo_1").click().run()
        assert set(triage.labels()["family"]) == {"scan"}
        assert set(triage.labels()["verdict"]) == {"malicious"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_labels_page_says_how_far_labels_can_be_trusted(
    built: BuiltRun, app_project: Project, language: str
) -> None:
    Triage(built.run_id, project=app_project).label(built.hostile, "malicious", family="scan")
    assert len(opened(PAGES["labels"], lang=language).dataframe) == 2, "it is worked out when its tab is opened"
    app = opened(PAGES["labels"], lang=language, tab="report")
    say = words(language)
    told = app.dataframe[2].value
    assert say("campaign.kappa.name") in told[say("app.labels.report.column.name")].to_list()


def test_labels_are_exported_and_charts_are_imported_only_when_asked_for(
    built: BuiltRun, app_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    Triage(built.run_id, project=app_project).label(built.hostile, "malicious")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import labelling.trust; print('altair' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(APP)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
    written: list[Path] = []
    monkeypatch.setattr("socml.labels.write_labels", lambda rows, path: written.append(path))
    assert not opened(PAGES["labels"]).exception
    assert written == []


def test_a_second_opinion_is_asked_for_without_saying_the_first(
    built: BuiltRun, app_project: Project, app_modules: Any
) -> None:
    desk, report = app_modules
    drawn = next(row_id for row_id in built.scores.index if is_drawn(row_id))
    Triage(built.run_id, project=app_project, by="ana").label(drawn, "malicious")
    bob = desk.Desk(app_project, built.run_id, "bob", open_labels(app_project))
    answer = bob.payload(report(), words("en"), open_row="")
    assert answer["again"] == [drawn]
    assert drawn not in answer["labels"]
    assert answer["items"][drawn]["reason"] == words("en")("queue.reason.second-opinion")


def test_events_stay_leased_until_the_browser_has_merged_a_later_answer(
    built: BuiltRun, app_project: Project, app_modules: Any
) -> None:
    desk, report = app_modules
    ana = desk.Desk(app_project, built.run_id, "ana", open_labels(app_project))
    first = ana.payload(report(scope=ana.scope, tick="1"), words("en"), open_row="")["order"]
    with Triage(built.run_id, project=app_project, by="bob") as bob:
        theirs = bob.offer(5)["row_id"]
        assert not set(theirs) & set(first)
        second = ana.payload(report(scope=ana.scope, tick="2"), words("en"), open_row="")["order"]
        assert len(second) < len(first), "several share the queue now"
        assert set(first) <= set(bob.held_by_others()), "the browser may still show the first answer"
        ana.payload(report(scope=ana.scope, tick="3", merged="2", on_screen=first[30]), words("en"), open_row="")
        held = set(bob.held_by_others())
        assert first[30] in held
        assert held <= {*second, first[30]}
        ana.leave()
        assert not bob.held_by_others()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_estimated_explanation_says_how_far_off_each_share_may_be(
    app_project: Project, app_modules: Any, language: str
) -> None:
    desk, report = app_modules
    say, told = words(language), estimated_and_exact(app_project.root)
    for model, is_estimated in ((ESTIMATED, True), (FOREST, False)):
        run_id = told.made[model.name][1]["run_id"]
        rows = explain_run(run_id, top=1, project=app_project)  # stored, so that the page has it at once
        ana = desk.Desk(app_project, run_id, "ana", open_labels(app_project))
        item = ana.payload(report(), say, open_row=rows["row_id"].iloc[0])["items"][rows["row_id"].iloc[0]]
        assert item["estimated"] == (say("app.triage.why.estimated") if is_estimated else "")
        assert item["why"]
        shares = why_table(rows, features_metadata={}, language=language, top=7).iloc[:, 2]
        for line, share in zip(item["why"], shares, strict=True):
            assert share.partition("% ")[2] == line["error_text"], "the page says what `socml explain` does"
            assert line["error_text"].startswith("±") == is_estimated


def test_a_report_is_recorded_once_in_order_and_answered(
    built: BuiltRun, app_project: Project, app_modules: Any
) -> None:
    desk, report = app_modules
    one = desk.Desk(app_project, built.run_id, "ana", open_labels(app_project))
    first, second = list(one.triage.queue(2)["row_id"])
    messages = [
        {"client_id": "c1", "kind": "label", "row_id": first, "verdict": "benign", "seen_ms": 900, "note": "n"},
        {"client_id": "c2", "kind": "label", "row_id": second, "verdict": "malicious", "seen_ms": 150.9},
        {"client_id": "c3", "kind": "undo", "row_id": first, "undo_of": "c1"},
        {"client_id": "c4", "kind": "label", "row_id": second, "verdict": "no verdict", "seen_ms": 900},
        {"client_id": "c5", "kind": "label", "row_id": "no row", "verdict": "benign", "seen_ms": 900},
    ]
    sent = report.read({"messages": messages, "scope": one.scope, "lang": "en"})
    assert one.receive(sent)
    assert not one.receive(sent)
    answer = one.payload(sent, words("en"), open_row="")
    assert answer["acked"] == ["c1", "c2", "c3", "c4", "c5"]
    assert [label["client_id"] for label in answer["history"]] == ["c2"]
    assert len(one.take_problems(words("en"))) == 2
    again = desk.Desk(app_project, built.run_id, "ana", open_labels(app_project))
    again.receive(sent)
    assert [label["client_id"] for label in again.payload(sent, words("en"), open_row="")["history"]] == ["c2"]
    assert len(again.triage.labels()) == 1


@pytest.mark.parametrize("seen", [None, 0, 149, 149.9, -1, True, "900", [], float("nan")])
def test_a_verdict_on_what_was_not_seen_is_refused_with_a_reason(
    built: BuiltRun, app_project: Project, app_modules: Any, seen: object
) -> None:
    desk, report = app_modules
    one = desk.Desk(app_project, built.run_id, "ana", open_labels(app_project))
    first, second, third = one.triage.queue(3)["row_id"]
    fields = {"kind": "label", "verdict": "benign"}
    messages = [
        {"client_id": "c1", "row_id": first, "seen_ms": seen, **fields},
        {"client_id": "c2", "row_id": second, "seen_ms": 150, **fields},
        {"client_id": "c3", "row_id": second, "kind": "propagate", "row_ids": [third], "seen_ms": seen},
    ]
    assert one.receive(report.read({"messages": messages, "scope": one.scope, "lang": "en"}))
    assert list(one.triage.labels().index) == [second]
    [problem] = {text.partition(":")[0] for text in one.take_problems(words("en"))}
    assert problem == "Not recorded"
    last = {"client_id": "c4", "row_id": second, "kind": "propagate", "row_ids": [third], "seen_ms": 150}
    one.receive(report.read({"messages": [last], "scope": one.scope, "lang": "en"}))
    assert set(one.triage.labels().index) == {second, third}


def test_a_report_for_another_run_or_analyst_is_not_recorded(
    built: BuiltRun, app_project: Project, app_modules: Any
) -> None:
    desk, report = app_modules
    one = desk.Desk(app_project, built.run_id, "ana", open_labels(app_project))
    row_id = one.triage.queue(1)["row_id"].iloc[0]
    message = {"client_id": "c1", "kind": "label", "row_id": row_id, "verdict": "benign"}
    assert not one.receive(report.read({"messages": [message], "scope": f"{built.run_id} eve"}))
    assert one.triage.labels().empty


@pytest.mark.parametrize("state", [None, 3, {"messages": 5, "holds": "x"}, {"messages": [None, {}, "a"]}])
def test_a_report_of_the_wrong_shape_is_an_empty_one(state: object, app_modules: Any) -> None:
    assert app_modules[1].read(state).messages == []


@pytest.fixture
def app_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.syspath_prepend(str(APP))
    from labelling import desk

    return desk, desk.Report


def test_component_files_never_insert_markup() -> None:
    for path in APP.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "createContextual"):
            assert way not in text, f"{path.name} uses {way}"
    for path in APP.rglob("*.py"):
        assert "unsafe_allow" not in path.read_text(encoding="utf-8")
        assert "st.markdown" not in path.read_text(encoding="utf-8")
