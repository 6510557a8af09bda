"""The pages of a day without a browser, and the verbs of an incident: they run, in both languages, and refuse in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_pages import all_text, opened
from builders import make_project
from daily_events import store
from small_days import small_days
from typer.testing import CliRunner

from socml.cli import app as command_line
from socml.jobs import daily_list, store_day
from socml.labels.recording import open_labels
from socml.labels.verdicts import NewLabel
from socml.project.project import Project
from socml.project.wording import words
from socml.respond.cases import CaseRow, Cases


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_days(tmp_path_factory.mktemp("days") / "lab")
    with open_labels(project) as store:
        cases = Cases(store)
        case = cases.open("<b>Scan</b> [a](javascript:1)", by="ana", dataset="office")
        cases.add_row(case.id, CaseRow("r1", "2026-03-04", "10.0.0.4", "source inside", "x", ("scan",)), by="ana")
    return project


@pytest.fixture
def here(office: Project, open_app_on: Callable[[Project], None]) -> Project:
    open_app_on(office)
    return office


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("page", "address", "says"),
    [
        ("today_page.py", {}, ""),
        ("cases.py", {}, "C1"),
        ("cases.py", {"case": "C1"}, "Scan"),
        ("entity.py", {"entity": "10.0.0.4", "day": "2026-03-04"}, ""),
        ("entity.py", {"entity": "10.9.9.9"}, ""),
        ("entity.py", {}, ""),
        ("data.py", {}, ""),
    ],
)
def test_a_page_of_the_day_runs(page: str, address: dict[str, str], says: str, language: str, here: Project) -> None:
    app = opened(page, lang=language, **address)
    assert not app.exception
    assert not app.error
    assert says in "\n".join([all_text(app), *(button.label for button in app.button)])


def test_a_case_is_changed_on_its_page_and_a_draft_leaves_only_when_confirmed(here: Project) -> None:
    app = opened("cases.py", case="C1", lang="en")
    app.selectbox(key="responder_C1").set_value("markdown-report").run()
    assert "# C1" in app.code[0].value
    assert not list((here.workspace / "responses").glob("**/*.md"))
    send = next(button for button in app.button if button.label == words("en")("app.cases.send"))
    assert send.disabled
    next(box for box in app.checkbox if box.label == words("en")("app.cases.sure")).check().run()
    next(button for button in app.button if button.label == words("en")("app.cases.send")).click().run()
    assert not app.exception
    assert list((here.workspace / "responses").glob("**/*.md"))


@pytest.mark.parametrize(("language", "says"), [("en", "it may leave twice"), ("fr", "il pourrait partir deux fois")])
def test_a_response_that_may_have_left_is_told_of_before_it_leaves_again(
    language: str, says: str, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here.root / "respond.toml").write_text(
        '[webhook]\nurl = "https://soar.example/hook"\nkey_variable = "RESPOND_KEY"\n'
    )
    monkeypatch.setenv("RESPOND_KEY", "k")
    with open_labels(here) as store:
        case = Cases(store).open("Beacon", by="ana", dataset="office")
        body = {"responder": "webhook", "target": "![x](https://soar.example/hook)"}
        store.journal.add("response.begun", case.id, body, by="ana", dataset="office")
    app = opened("cases.py", case=case.id, lang=language)
    app.selectbox(key=f"responder_{case.id}").set_value("webhook").run()
    (told,) = [str(one.value) for one in app.warning if says in str(one.value)]
    assert "![x](" not in told
    app.selectbox(key=f"responder_{case.id}").set_value("markdown-report").run()
    assert not any(says in str(one.value) for one in app.warning)


def test_where_a_draft_goes_is_said_in_the_pages_language(here: Project) -> None:
    app = opened("cases.py", case="C1", lang="fr")
    app.selectbox(key="responder_C1").set_value("markdown-report").run()
    assert "Ceci irait à : des fichiers de ce projet" in all_text(app)


def test_a_case_goes_all_the_way_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "lab")
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))

    def said(*arguments: str) -> str:
        return CliRunner().invoke(command_line, list(arguments), catch_exceptions=False).output

    assert "C1" in said("case", "open", "Scan", "-e", "9.9.9.9", "--by", "ana")
    said("case", "note", "C1", "owner asked", "--by", "bo")
    assert "contained" in said(
        "case", "set", "C1", "--state", "contained", "--outcome", "malicious", "--done", "contain"
    )
    assert "Scan" in said("case", "list")
    shown = json.loads(said("respond", "nftables", "C1", "--json"))
    assert "9.9.9.9" in shown["files"]["C1.nft"]
    assert not (project.workspace / "responses").exists()
    sent = json.loads(said("respond", "nftables", "C1", "--confirm", shown["digest"], "--json"))
    folder = project.workspace / "responses" / "C1"
    assert {path.name for path in folder.iterdir()} == {"C1.nft", "C1.undo.nft"}
    assert "taken back" in said("respond", "nftables", "C1", "--undo", sent["id"])
    assert not list(folder.iterdir())
    assert "bo  case.noted" in said("case", "show", "C1")
    assert "the-hive" in said("respond")


def test_other_machines_are_listened_to_only_with_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "lab")
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    served: list[list[str]] = []
    environments: list[dict[str, str]] = []

    def serve(program: str, command: list[str], environment: dict[str, str]) -> None:
        served.append(command)
        environments.append(environment)

    monkeypatch.setattr("socml.cli.project.os.execve", serve)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    runner = CliRunner()
    refused = runner.invoke(command_line, ["app", "--address", "0.0.0.0", "--port", "18599"])
    assert "no account" in str(refused.exception)
    assert not served
    made = runner.invoke(command_line, ["people", "add", "ana", "--password-file", "-"], input="a long enough one\n")
    assert made.output == "ana: analyst\n"
    runner.invoke(command_line, ["app", "--address", "0.0.0.0", "--port", "18599"])
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    runner.invoke(command_line, ["app", "--port", "18599"])
    assert [environment["MALLOC_ARENA_MAX"] for environment in environments] == ["2", "8"], "the environment goes first"
    assert all(environment["ARROW_DEFAULT_MEMORY_POOL"] == "system" for environment in environments)
    addresses = [next(part for part in command if part.startswith("--server.address")) for command in served]
    assert addresses == ["--server.address=0.0.0.0", "--server.address=127.0.0.1"]
    assert "last account" in str(runner.invoke(command_line, ["people", "close", "ana"]).exception)


def test_a_family_is_absent_only_where_all_its_feature_sets_are(here: Project) -> None:
    listed = replace(daily_list("office", project=here), absent=("daily-scan", "daily-logon"))
    assert listed.absent_families == ("scan", "logon")
    alike = tuple(replace(column, family="logon") for column in listed.columns)
    assert replace(listed, columns=alike).absent_families == ()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("page", ["run_overview.py", "features_page.py"])
def test_a_dataset_without_rows_is_said_so_in_words(
    page: str, language: str, tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    project = small_days(tmp_path / "lab")
    store(project, [{"time": "2026-03-01T09:00:00Z", "host_name": "solo"}], dataset="quiet")
    listed = daily_list("quiet", project=project)
    store_day(listed, listed.of(), project=project)
    open_app_on(project)
    say = words(language)
    app = opened(page, lang=language)
    assert not app.exception
    assert say("app.no_rows") in [info.value for info in app.info]
    families = ", ".join(say(f"daily.family.{family}") for family in ("scan", "upload", "logon"))
    told = [caption.value for caption in opened("data.py", lang=language, dataset="quiet").caption]
    assert say("today.empty.absent", families=families) in told


@pytest.mark.parametrize(("language", "says"), [("en", "no daily list"), ("fr", "pas de liste du jour")])
@pytest.mark.parametrize(("page", "address"), [("data.py", {}), ("entity.py", {"entity": "10.0.0.4"})])
def test_without_the_daily_model_a_page_says_so_in_its_language(
    page: str, address: dict[str, str], language: str, says: str, tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    project = small_days(tmp_path / "lab")
    (project.root / "models" / "daily.toml").unlink()
    open_app_on(project)
    app = opened(page, lang=language, **address)
    assert not app.exception
    assert not app.error
    assert says in all_text(app)


def test_a_chart_of_days_without_rows_has_an_axis_and_speaks_the_pages_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    project = small_days(tmp_path / "lab")
    store(project, [{"time": "2026-03-01T09:00:00Z", "host_name": "solo"}], dataset="quiet")
    open_app_on(project)
    charts: list[Any] = []
    monkeypatch.setattr("streamlit.altair_chart", lambda chart, **_: charts.append(chart.to_dict()))
    opened("data.py", lang="fr", dataset="quiet")
    (chart,) = charts
    assert [row["rows"] for row in next(iter(chart["datasets"].values()))] == [0]
    assert chart["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert [tip["title"] for tip in chart["encoding"]["tooltip"]] == ["Jour", "Lignes", "Entités"]


def test_a_label_given_on_today_says_whom_it_is_about_whatever_run_is_open(
    tmp_path: Path, open_app_on: Callable[[Project], None]
) -> None:
    project = small_days(tmp_path / "lab")
    open_app_on(project)
    listed = daily_list("office", project=project)
    store_day(listed, listed.of("2026-03-04"), project=project)
    scan = listed.of("2026-03-03")
    with open_labels(project) as labels:
        row_id = str(scan.row_id[scan.order[0]])
        labels.record([NewLabel(row_id, "malicious", client_id="c1", dataset="office", by="ana")])
        labels.record([NewLabel("f" * 32, "benign", client_id="c2", dataset="office", by="ana")])
    app = opened("label_history.py", lang="en", by="ana")
    assert not app.exception
    assert app.dataframe[0].value["Entity"].to_list() == ["", "10.0.0.4"]
