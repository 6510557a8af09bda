"""An incident on its pages without a browser: what left and may have left, what changed by whom, and rules as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from app_pages import all_text, open_app_on, opened
from builders import make_project
from shell import socml
from small_days import small_days
from test_responses_hostile import a_case

from socml.jobs import Today
from socml.labels import BenignRule, LabelStore, open_labels
from socml.project import Project
from socml.respond import Cases, can_be_undone, responder_names

__all__ = ["open_app_on"]
LAST = "2026-03-04"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return small_days(tmp_path_factory.mktemp("days") / "lab")


@pytest.fixture
def store(office: Project, open_app_on: Callable[[Project], None]) -> Iterator[LabelStore]:
    """The office's label store; rules that a test made in it are taken back."""
    open_app_on(office)
    with open_labels(office) as store:
        yield store
        for rule in store.rules.all(dataset="office"):
            if rule.state != "undone":
                store.rules.undo(rule.id, by="tidy")


def a_rule(**fields: Any) -> BenignRule:
    given = {"role": "source inside", "high": 9_000.0, "until": date.today() + timedelta(days=9), **fields}
    return BenignRule("", "office", "scan", **given)


def test_a_rule_for_everyone_of_a_role_is_on_the_page_of_each_and_can_be_paused(store: LabelStore) -> None:
    made = store.rules.make(a_rule(why="the scanner"), by="ana")
    page = opened("entity.py", lang="fr", entity="10.0.0.4", role="source inside", day=LAST, by="bo")
    assert "tous ceux du même rôle" in all_text(page)
    assert "the scanner" in all_text(page)
    page.button(key=f"pause_{made.id}").click().run()
    assert not page.exception
    assert store.rules.standing(dataset="office") == []
    assert "(en pause)" in all_text(page)


def test_a_rule_whose_last_day_is_over_says_so(store: LabelStore) -> None:
    store.rules.make(a_rule(entity="10.0.0.4", until=date(2026, 3, 3)), by="ana")
    page = opened("entity.py", lang="en", entity="10.0.0.4", role="source inside", day=LAST)
    assert "until 3 Mar 2026 (over)" in all_text(page)


@pytest.mark.parametrize(("language", "says"), [("en", "Up to (on this day: "), ("fr", "Jusqu’à (ce jour-là : ")])
def test_the_form_of_a_rule_speaks_of_no_column_and_names_what_it_takes(
    language: str, says: str, store: LabelStore, office: Project
) -> None:
    row = next(row for row in Today("office", project=office).of(store).rows if row.entity == "10.0.0.4")
    page = opened("entity.py", lang=language, entity="10.0.0.4", role="source inside", day=LAST, rule="1", by="bo")
    assert not page.exception
    [high] = [field for field in page.number_input if field.label.startswith(says)]
    assert row.reasons[0].reason.column not in high.label
    assert high.value == row.reasons[0].reason.value
    assert "10.0.0.4 (4 " in all_text(page)
    high.set_value(0).run()
    assert ("takes nothing" if language == "en" else "ne retire rien") in all_text(page)
    next(button for button in page.button if button.proto.type == "primary").click().run()
    assert not page.exception
    assert [(r.entity, r.high, r.by) for r in store.rules.standing(dataset="office")] == [("10.0.0.4", 0.0, "bo")]


def test_a_rule_that_was_taken_back_can_be_made_again(store: LabelStore) -> None:
    first = store.rules.make(a_rule(), by="ana")
    assert store.rules.make(a_rule(why="another reason"), by="bo") == first
    store.rules.undo(first.id, by="ana")
    assert store.rules.make(a_rule(), by="bo").id != first.id
    assert store.rules.make(a_rule(high=1.0), by="bo").high == 1.0


def test_only_what_can_be_taken_back_offers_it(tmp_path: Any, open_app_on: Callable[[Project], None]) -> None:
    project = make_project(tmp_path / "lab")
    open_app_on(project)
    case = a_case(project, "7.7.7.7")
    stays = {"mail-message", "patrowl-finding", "splunk", "webhook"}
    assert {name for name in responder_names() if not can_be_undone(name)} == stays
    with open_labels(project) as labels:
        for name in ("webhook", "markdown-report", "my-own"):
            body = {"responder": name, "target": "there", "reference": "r", "digest": "d"}
            labels.journal.add("response.sent", case.id, body, by="ana", client_id=name)
    page = opened("cases.py", lang="fr", case=case.id, by="bo")
    assert not page.exception
    assert not page.error
    assert {button.key for button in page.button if (button.key or "").startswith("undo_")} == {"undo_markdown-report"}
    assert "my-own" in all_text(page)


def test_a_case_warns_of_what_may_have_left_before_a_way_is_chosen(
    tmp_path: Any, open_app_on: Callable[[Project], None]
) -> None:
    project = make_project(tmp_path / "lab")
    open_app_on(project)
    case = a_case(project, "7.7.7.7")
    with open_labels(project) as labels:
        body = {"responder": "webhook", "target": "http://127.0.0.1:9"}
        labels.journal.add("response.begun", case.id, body, by="ana", client_id="b")
        sent = {"responder": "elastic", "target": "there", "reference": "r", "digest": "d"}
        labels.journal.add("response.sent", case.id, sent, by="ana", client_id="s")
        labels.journal.add("response.undo_begun", case.id, {"of": "s", "responder": "elastic"}, by="ana", client_id="u")
    page = opened("cases.py", lang="en", case=case.id, by="bo")
    first, second = [str(one.value) for one in page.warning]
    assert first.startswith("Webhook: ana let this leave on ")
    assert second.startswith("Taking this back began, and whether it is gone is not known.")


@pytest.mark.parametrize("outcome", ["", "malicious"])
def test_what_blocks_says_before_it_is_confirmed_that_nobody_called_the_case_malicious(
    outcome: str, tmp_path: Any, open_app_on: Callable[[Project], None]
) -> None:
    project = make_project(tmp_path / "lab")
    open_app_on(project)
    case = a_case(project, "7.7.7.7")
    with open_labels(project) as labels:
        Cases(labels).change(case.id, by="ana", outcome=outcome)
    page = opened("cases.py", lang="fr", case=case.id, by="bo")
    page = next(box for box in page.selectbox if box.key == f"responder_{case.id}").select("nftables").run()
    said = any("n’est pas jugé malveillant" in str(one.value) for one in page.info)
    offered = any((box.key or "").startswith("sure_") for box in page.checkbox)
    assert (said, offered) == (not outcome, bool(outcome))
    told = socml("respond", "nftables", case.id, cwd=project.root)[1]
    assert ("is not called malicious" in told, "To let it" in told) == (not outcome, bool(outcome))


def test_the_time_line_says_what_became_of_what(tmp_path: Any, open_app_on: Callable[[Project], None]) -> None:
    project = make_project(tmp_path / "lab")
    open_app_on(project)
    case = a_case(project, "7.7.7.7")
    with open_labels(project) as labels:
        cases = Cases(labels)
        cases.change(case.id, by="ana", state="contained", severity=4, techniques=("T1046",), tlp="red", owner="")
        cases.check(case.id, "evidence", done=True, by="ana")
        cases.add_entity(case.id, "web1", by="ana")
    said = all_text(opened("cases.py", lang="fr", case=case.id, by="bo")).replace("\u00a0", " ")
    assert "ana · modifié : " in said
    for became in ("État contenu", "Gravité critique", "ATT&CK T1046", "TLP RED", "Responsable —"):
        assert became in said
    assert "liste de contrôle : ✓ Preuves conservées" in said
    assert "entité ajoutée : web1" in said
