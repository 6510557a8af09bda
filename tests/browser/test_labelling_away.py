"""Labelling while the server is dead or stands still, and going from page to page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from browser_steps import (
    VERDICTS,
    on_screen,
    open_triage,
    press,
    see_ahead,
    stored,
    wait_until_saved,
    wait_until_seen,
)
from builders import BuiltRun, make_run
from patience import PATIENCE_S, wait_until

from socml.labels.verdicts import SEEN_LEAST_MS
from socml.project.project import Project
from socml.project.wording import words

pytestmark = pytest.mark.browser


def test_an_event_without_its_records_takes_no_verdict(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    mortal.stand_still()
    page.keyboard.type("j" * 45)  # further than what is fetched ahead
    page.locator(".event .loading").first.wait_for()
    page.wait_for_timeout(3 * SEEN_LEAST_MS)
    there = on_screen(page)
    page.keyboard.press("m")
    page.locator(".last.too-fast").wait_for()
    mortal.go_on()
    wait_until_seen(page)
    assert on_screen(page) == there
    assert stored(mortal.project).empty
    press(page, "m")
    wait_until_saved(page)
    assert stored(mortal.project)["row_id"].to_list() == [there]


def test_labels_given_while_the_server_is_dead_are_kept_and_stored_once(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    press(page, "b")
    wait_until_saved(page)
    see_ahead(page, 3)
    mortal.kill()
    page.wait_for_selector(".unsaved.away")  # Streamlit's own notice has come and is closed
    page.get_by_role("dialog").wait_for(state="detached")
    given = []
    for letter in "mbu":
        given.append((on_screen(page), VERDICTS[letter]))
        press(page, letter)
    assert page.locator(".unsaved").inner_text().startswith("3 unsaved")
    page.wait_for_timeout(8000)
    assert page.locator(".unsaved").inner_text().startswith("3 unsaved")
    assert len(stored(mortal.project)) == 1
    mortal.start()
    wait_until_saved(page)
    labels = stored(mortal.project)
    assert list(zip(labels["row_id"], labels["verdict"], strict=True))[1:] == given
    page.wait_for_timeout(5000)  # whatever is sent again adds nothing
    assert len(stored(mortal.project)) == 4


def test_labels_unsent_when_the_page_closes_are_sent_when_it_opens_again(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    mortal.kill()
    first = on_screen(page)
    press(page, "f")
    page.goto("about:blank")
    mortal.start()
    open_triage(page, mortal)
    wait_until_saved(page)
    assert stored(mortal.project)[["row_id", "verdict"]].to_numpy().tolist() == [[first, "false_alarm"]]
    assert on_screen(page) != first


def test_an_address_opens_its_event_in_its_language_and_follows_the_analyst(
    page: Any, server: Any, built: BuiltRun
) -> None:
    far = str(built.scores.sort_values("rank").index[120])
    open_triage(page, server, built, event=far, lang="fr")
    assert on_screen(page) == far
    assert page.locator("button.say.benign").inner_text().split() == ["B", "Bénin"]
    press(page, "u")
    shown = on_screen(page)
    page.wait_for_url(f"**event={shown}*")
    page.get_by_text("English", exact=True).click()
    page.wait_for_selector("button.say.benign:has-text('Benign')")
    assert on_screen(page) == shown
    page.wait_for_url("**lang=en*")


def test_a_page_stays_open_though_a_verdict_leaves_just_after_the_click_that_opened_it(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    page.wait_for_timeout(2000)
    press(page, "b")  # it leaves 60 ms later, with the name of the page it comes from
    page.get_by_role("link", name=words("en")("app.labels.title")).first.click()
    page.get_by_text(words("en")("app.labels.about")).wait_for()
    page.wait_for_timeout(1000)
    assert page.locator(".event").count() == 0
    page.get_by_role("link", name="Hunt").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    wait_until_saved(page)
    assert stored(lab, built)["row_id"].to_list() == [first]


def test_a_page_stays_open_though_the_server_stands_still_at_the_click_that_opened_it(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    mortal.stand_still()
    press(page, "b")
    page.get_by_role("link", name=words("en")("app.labels.title")).first.click()
    page.wait_for_timeout(5000)
    mortal.go_on()
    page.get_by_text(words("en")("app.labels.about")).wait_for()
    page.wait_for_timeout(5000)
    assert page.locator(".event").count() == 0
    page.get_by_text(words("en")("app.labels.about")).wait_for()
    page.get_by_role("link", name="Hunt").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    wait_until_saved(page)
    assert len(stored(mortal.project)) == 1


def test_run_analyst_and_language_stay_when_another_page_is_opened(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    make_run(lab, dataset="another")  # newer, so that it is what a page without a choice would open
    open_triage(page, server, built, by="ana", lang="fr")
    for title, told in (("Verdicts", "app.labels.about"), ("Analyses", "app.runs.about")):
        about = page.get_by_text(words("fr")(told))
        for patience_s in (60, 60, PATIENCE_S):
            page.get_by_role("link", name=title).first.click()
            with suppress(AssertionError):  # a link that is drawn anew between press and release is clicked again
                wait_until(about.is_visible, patience_s=patience_s)
                break
        assert about.is_visible()
    page.get_by_role("link", name="Chasse").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    assert page.get_by_role("textbox", name="Analyste").input_value() == "ana"
    page.wait_for_url(f"**run={built.run_id}*")
    press(page, "b")
    wait_until_saved(page)
    assert stored(lab, built)["by"].to_list() == ["ana"]


@pytest.mark.parametrize(
    ("language", "says"), [("fr", "Le serveur ne répond pas"), ("en", "The server does not answer")]
)
def test_a_page_without_a_list_says_in_its_language_that_the_server_is_away(
    language: str, says: str, page: Any, mortal: Any
) -> None:
    page.goto(f"{mortal.home}tools?lang={language}")
    page.locator("textarea").fill("10.0.0.1")
    mortal.kill()
    page.get_by_role("dialog").get_by_text(says).wait_for()
    assert "Streamlit" not in page.get_by_role("dialog").inner_text()
    mortal.start()
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.locator("textarea").input_value() == "10.0.0.1"
