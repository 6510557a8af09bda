"""The page Runs in a real browser: drift of a version from run to run, and a lead who promotes a version and rolls back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from small_lab import DATASET, FEATURES, MODEL, flows, make_lab, socml

from socml.labels.recording import open_labels
from socml.models import standing_of
from socml.project.audit_log import audit_path
from socml.project.wording import words

pytestmark = pytest.mark.browser
SECRET = "a long enough one"


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    project = make_lab(tmp_path_factory.mktemp("models") / "lab")
    flows(project.root / "later.log", 1200)
    for command in (
        ("ingest", "later.log", "--dataset", DATASET),
        ("features", FEATURES, DATASET),
        ("score", MODEL, DATASET),
        ("fit", MODEL, DATASET),
    ):
        said = socml(project, *command)
        assert said.code == 0, said
    assert socml(project, "score", MODEL, DATASET, "--version", "2").code == 0
    with open_labels(project) as store:
        store.accounts.make("lea", "lead", SECRET, by="setup")
        store.accounts.make("ana", "analyst", SECRET, by="setup")
    served = serve(project, tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


def signed_in(page: Any, office: Any, name: str) -> Any:
    page.goto(f"{office.home}runs")
    page.locator("input[autocomplete=username]").fill(name)
    page.locator("input[type=password]").fill(SECRET)
    page.locator("[data-testid=stFormSubmitButton] button").click()
    page.get_by_text(words("en")("app.runs.promotion"), exact=True).wait_for()
    return page


def test_a_lead_promotes_a_version_and_puts_the_one_before_back(new_page: Any, office: Any) -> None:
    page = signed_in(new_page(), office, "lea")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name=f"{MODEL}/2").click()
    for button, champion in (("promote", "2"), ("roll_back", "1")):
        page.locator(f".st-key-{button} button").click()
        page.locator("[data-testid=stAlert]", has_text=words("en")("app.runs.promoted", version=champion)).wait_for()
        assert standing_of(MODEL, office.project).champion == champion
    entries = [json.loads(line) for line in audit_path(office.project).read_text(encoding="utf-8").splitlines()]
    assert [(entry["what"], entry["by"]) for entry in entries[-2:]] == [("promoted", "lea"), ("rolled back", "lea")]


def test_an_analyst_sees_who_may_and_no_button(new_page: Any, office: Any) -> None:
    page = signed_in(new_page(), office, "ana")
    page.get_by_text(words("en")("app.runs.promotion_lead")).wait_for()
    assert page.locator(".st-key-promote, .st-key-roll_back").count() == 0


def test_scores_of_a_version_are_drawn_run_after_run(new_page: Any, office: Any) -> None:
    page = signed_in(new_page(), office, "ana")
    page.get_by_text(words("en")("app.runs.drift"), exact=True).wait_for()
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").nth(1).click()
    page.get_by_text(words("en")("app.runs.drift_about")).wait_for()
