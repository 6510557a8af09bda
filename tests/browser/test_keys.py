"""A person's own keys in a real browser: other letters, letters with Alt, and none at all (WCAG 2.1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_steps import on_screen, open_triage, stored, wait_until_next, wait_until_saved, wait_until_seen
from builders import BuiltRun
from small_days import small_days

from socml.labels.recording import open_labels
from socml.project.project import Project

pytestmark = pytest.mark.browser
WHOLE = ".detail[data-row-id][aria-busy=false]"


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served = serve(small_days(tmp_path_factory.mktemp("keys") / "lab"), tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


def verdicts(office: Any) -> list[str]:
    with open_labels(office.project) as store:
        return list(store.history(dataset="office")["verdict"])


def test_another_letter_gives_the_verdict_on_hunt_and_today_and_stays(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built, by="ana")
    page.keyboard.press("h")
    page.locator("[name=change]").click()
    page.locator("[name=key-M]").fill("y")
    page.keyboard.press("Escape")
    page.locator(".say.malicious kbd", has_text="Y").wait_for()
    for reloaded in (False, True):
        if reloaded:
            open_triage(page, server, built, by="ana")
        wait_until_seen(page)
        first = on_screen(page)
        page.keyboard.press("m")
        page.wait_for_timeout(200)
        assert on_screen(page) == first, "the letter that was given away does nothing"
        page.keyboard.press("y")
        wait_until_next(page, first)
        wait_until_saved(page)
    assert stored(lab, built)["verdict"].to_list() == ["malicious", "malicious"]
    open_triage(page, server, built, by="bo")
    assert page.locator(".say.malicious kbd").inner_text() == "M", "the choice is ana's"


def test_without_letters_buttons_give_verdicts_from_the_keyboard(page: Any, office: Any) -> None:
    page.goto(f"{office.home}?by=ana")
    page.wait_for_selector(WHOLE)
    page.keyboard.press("?")
    page.locator("[name=mode][value=off]").check()
    page.keyboard.press("Escape")
    page.wait_for_selector(WHOLE)
    before = page.locator(".detail").get_attribute("data-row-id")
    for key in "mbfuszjkhx/":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.locator(".detail").get_attribute("data-row-id") == before
    assert verdicts(office) == []
    assert page.locator(".veil").is_hidden()
    page.locator(".detail").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.shadowRoot.activeElement.className.includes('benign')"):
            break
    page.keyboard.down("Enter")
    for _ in range(5):  # a key that is held repeats
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.wait_for_selector(".unsaved", state="hidden")
    assert set(verdicts(office)) == {"benign"}
    assert page.locator(".row.said").count() == 1


def test_with_alt_a_letter_alone_is_text_to_nobody(page: Any, office: Any) -> None:
    page.goto(f"{office.home}?by=cy")
    page.wait_for_selector(WHOLE)
    n = len(verdicts(office))
    page.keyboard.press("?")
    page.locator("[name=mode][value=alt]").check()
    page.keyboard.press("Escape")
    page.wait_for_selector(WHOLE)
    page.keyboard.press("m")
    page.keyboard.press("Alt+u")
    page.locator(".last", has_text="unsure").wait_for()
    page.wait_for_selector(".unsaved", state="hidden")
    assert set(verdicts(office)[n:]) == {"unsure"}
