"""The language of a page in a real browser: before anybody signs in, kept when it is chosen, and in Streamlit's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders import make_project
from patience import PATIENCE_S
from small_days import small_days

from socml.labels.recording import open_labels

pytestmark = pytest.mark.browser


@pytest.fixture
def new_window(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Return what makes a page of a browser that prefers a language."""
    contexts = []

    def make(locale: str) -> Any:
        contexts.append(browser.new_context(locale=locale))
        contexts[-1].set_default_timeout(1000 * PATIENCE_S)
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


def test_whoever_is_not_signed_in_reads_the_browser_s_language_and_can_choose_another(
    new_window: Callable[[str], Any], serve: Any, tmp_path: Any
) -> None:
    project = make_project(tmp_path / "lab")
    with open_labels(project) as store:
        store.accounts.make("ana", "analyst", "a long enough one", by="setup")
    served = serve(project, tmp_path / "app.log")
    try:
        page = new_window("fr-CA")
        page.goto(served.home)
        page.get_by_text("Mot de passe").wait_for()
        page.locator("button[aria-label='Afficher le mot de passe']").wait_for()
        assert page.evaluate("() => [document.documentElement.lang, navigator.language]") == ["fr", "fr-CA"]
        page.get_by_text("English").click()
        page.get_by_text("Password", exact=True).wait_for()
        page.locator("button[aria-label='Show password']").wait_for()
        page.wait_for_function("() => localStorage.getItem('socml:language') === 'en'")
        page.goto(f"{served.home}cases")
        page.get_by_text("Password", exact=True).wait_for()
        other = new_window("de-DE")
        other.goto(served.home)
        other.get_by_text("Password", exact=True).wait_for()  # the project's language
    finally:
        served.kill()


def test_streamlit_s_menus_tips_and_calendars_speak_french_and_names_stay(
    new_window: Callable[[str], Any], serve: Any, tmp_path: Any
) -> None:
    served = serve(small_days(tmp_path / "lab"), tmp_path / "app.log")
    try:
        page = new_window("en-US")
        page.goto(f"{served.home}data?dataset=office&lang=fr&by=Search")
        table = page.locator("[data-testid=stDataFrame]").first
        table.hover()
        search = page.locator("[data-testid=stElementToolbar] button[aria-label='Rechercher']").first
        search.hover()
        page.locator("[role=tooltip]", has_text="Rechercher").wait_for()
        assert page.locator("input[aria-label=Analyste]").input_value() == "Search"
        page.goto(f"{served.home}tools?lang=fr")
        page.get_by_text("200 Mo au plus par fichier").wait_for()
        page.get_by_text("Choisir un fichier").wait_for()
        page.locator("input[type=file]").set_input_files(
            {"name": "Search.png", "mimeType": "image/png", "buffer": b"x"}
        )
        page.locator("button[aria-label='Retirer Search.png']").wait_for()
        page.get_by_text("English").click()
        page.locator("button[aria-label='Remove Search.png']").wait_for()
        address = "entity?dataset=office&entity=10.0.0.4&role=source+inside&day=2026-03-04&rule=1&lang=fr&by=ana"
        page.goto(f"{served.home}{address}")
        page.locator("button[aria-label='Choisir une date']").click()
        page.locator("[data-testid=stDateInputCalendar] select option", has_text="janvier").first.wait_for(
            state="attached"
        )
    finally:
        served.kill()
