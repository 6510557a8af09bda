"""Every page for everybody: what axe-core finds in both languages and themes, the keyboard alone, and 200 % zoom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe import SERIOUS, axe_script, violations
from builders import make_run
from small_days import small_days

pytestmark = pytest.mark.browser
ROW = ".detail[data-row-id][aria-busy=false]"
EVENT = ".event[data-row-id][aria-busy=false]"
PAGES = {
    "today": ("?dataset=office", ROW),
    "hunt": ("hunt?", EVENT),
    "features": ("features?", "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"),
    "map": ("features?view=map", "[data-testid=stVegaLiteChart]"),
    "groups": ("features?view=groups", "[data-testid=stDataFrame]"),
    "cases": ("cases?dataset=office", "[data-testid=stForm]"),
    "labels": ("labels?", "[data-testid=stAlert], [data-testid=stTabs]"),
    "runs": ("runs?", "[data-testid=stDataFrame]"),
    "data": ("data?dataset=office", "[data-testid=stDataFrame]"),
    "entity": ("entity?dataset=office&entity=10.0.0.4", "[data-testid=stDataFrame]"),
    "tools": ("tools?", "textarea"),
}
SEEN = [(name, "dark", "fr") for name in PAGES] + [("today", "light", "en"), ("hunt", "light", "en")]
SMALL = {"width": 640, "height": 430}  # what 200 % leaves of 1280 × 860


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    project = small_days(tmp_path_factory.mktemp("days") / "lab")
    make_run(project)
    served = serve(project, tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


def opened(page: Any, office: Any, name: str, language: str = "en") -> None:
    path, wait = PAGES[name]
    page.goto(f"{office.home}{path}&lang={language}".replace("?&", "?"))
    page.locator(wait).first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def assert_nothing_serious(page: Any) -> None:
    script = axe_script()
    if script is None:
        pytest.skip("axe-core is not here: make browser")
    assert [found for found in violations(page, script) if found.impact in SERIOUS] == []


@pytest.mark.parametrize(("name", "theme", "language"), SEEN)
def test_axe_finds_nothing_serious(name: str, theme: str, language: str, office: Any, new_page: Any) -> None:
    page = new_page(color_scheme=theme)
    opened(page, office, name, language)
    assert_nothing_serious(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_opens(theme: str, office: Any, new_page: Any) -> None:
    page = new_page(color_scheme=theme)
    opened(page, office, "today", "fr")
    page.keyboard.press("v")
    page.locator(".views [name=view-name]").wait_for()
    assert_nothing_serious(page)
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.locator("[name=change]").click()
    page.locator("[name=key-M]").wait_for()
    assert_nothing_serious(page)


@pytest.mark.parametrize("name", ["today", "hunt"])
def test_the_keys_of_verdicts_are_in_the_window_at_twice_the_size(name: str, office: Any, new_page: Any) -> None:
    page = new_page()
    page.set_viewport_size(SMALL)
    opened(page, office, name, "fr")
    for verdict in ("malicious", "benign", "false_alarm", "unsure", "skip"):
        box = page.locator(f".say.{verdict}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= SMALL["width"]
        assert box["y"] + box["height"] <= SMALL["height"]
    assert page.evaluate("() => document.documentElement.scrollWidth") <= SMALL["width"], "nothing lies aside"


def test_today_is_walked_and_its_events_filtered_from_the_keyboard(office: Any, page: Any) -> None:
    opened(page, office, "today")
    page.keyboard.press("ArrowUp")
    page.locator(".row[aria-selected=true] .place", has_text="1").wait_for()
    before = page.locator(".detail").get_attribute("data-row-id")
    page.locator(".events .scroll").focus()
    page.keyboard.press("Tab")
    focused = "() => document.activeElement.shadowRoot?.activeElement?.textContent"
    first = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.locator(".detail").get_attribute("data-row-id") == before, "arrows in a table stay in it"
    assert page.evaluate(focused) != first
    page.keyboard.press("Enter")
    page.locator(".menu [role=menuitem]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".chip.exclude").wait_for()


def test_hunt_is_walked_with_arrows_in_its_list(office: Any, page: Any) -> None:
    opened(page, office, "hunt")
    before = page.locator(".event").get_attribute("data-row-id")
    page.locator(".queue .rows").focus()
    page.keyboard.press("ArrowDown")
    page.locator(f".event[data-row-id]:not([data-row-id='{before}'])").wait_for()


def test_a_case_is_opened_and_worked_on_from_the_keyboard(office: Any, page: Any) -> None:
    opened(page, office, "cases")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.closest('[data-testid=stForm]') !== null"):
            break
    page.keyboard.type("Scan of 10.0.0.4")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('case=')")
    page.get_by_text("Scan of 10.0.0.4").first.wait_for()


def test_an_entity_is_reached_from_today_with_tab_and_enter(office: Any, page: Any) -> None:
    opened(page, office, "today")
    page.locator(".detail").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity?**")
    page.locator("[data-testid=stDataFrame]").wait_for()
