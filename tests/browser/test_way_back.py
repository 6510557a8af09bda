"""The way back: each page is one place in the history, and a link keeps who looks and in which language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from small_days import small_days

pytestmark = pytest.mark.browser
WHOLE = ".detail[data-row-id][aria-busy=false]"
# Who goes back before a page is drawn is sent on to it by Streamlit.
DRAWN = {"cases": "[data-testid=stForm]", "data": "[data-testid=stMetric]", "tools": "textarea"}
NAMED = "name => location.search.includes(`${name}=`)"


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served = serve(small_days(tmp_path_factory.mktemp("way") / "lab"), tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


def said(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_one_step_back_from_a_page_leads_to_the_page_before(page: Any, office: Any) -> None:
    page.goto(office.home)
    page.wait_for_selector(WHOLE)
    page.wait_for_function(NAMED, arg="row")
    before = page.url
    for path, drawn in DRAWN.items():
        page.locator(f"a[href$='/{path}']").first.click()
        page.locator(drawn).first.wait_for()
        page.wait_for_function(NAMED, arg="lang")
    for path in ("data", "cases"):
        page.go_back()
        page.locator(DRAWN[path]).first.wait_for()
        assert urlsplit(page.url).path == f"/{path}"
    page.go_back()
    page.wait_for_url(before)
    page.wait_for_selector(WHOLE)
    page.go_back()
    page.wait_for_url("about:blank")


def test_a_case_and_the_board_are_places_apart(page: Any, office: Any) -> None:
    page.goto(f"{office.home}cases?by=ana&lang=en")
    page.locator("[data-testid=stForm] input").first.fill("Scan of the servers")
    page.keyboard.press("Enter")
    page.wait_for_url("**case=C*")
    page.locator("textarea").wait_for()
    page.go_back()
    page.locator(".st-key-show_C1 button").wait_for()
    assert "case" not in said(page)


@pytest.mark.parametrize("keys", ["gc", "x"])
def test_a_link_keeps_who_looks_and_the_language(keys: str, page: Any, office: Any) -> None:
    page.goto(f"{office.home}?by=alice&lang=fr")
    page.wait_for_selector(WHOLE)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url("**/cases?**")
    page.locator("input[aria-label=Analyste]").wait_for()
    assert page.locator("input[aria-label=Analyste]").input_value() == "alice"
    assert said(page)["by"] == ["alice"]
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.go_back()
    page.wait_for_selector(WHOLE)
    assert said(page)["by"] == ["alice"]


def test_the_page_says_in_which_language_it_is(page: Any, office: Any) -> None:
    page.goto(f"{office.home}tools?lang=fr")
    page.locator("textarea").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.get_by_text("English", exact=True).click()
    page.wait_for_function("() => document.documentElement.lang === 'en'")
