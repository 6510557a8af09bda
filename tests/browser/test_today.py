"""The page Today in a real browser: a morning as an analyst's hand would do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from browser_steps import cut_off
from small_days import small_days

from socml.labels.recording import open_labels
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.wording import words

pytestmark = pytest.mark.browser
WHOLE = ".detail[data-row-id][aria-busy=false]"


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served = serve(small_days(tmp_path_factory.mktemp("days") / "lab"), tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


@pytest.fixture
def labels(office: Any) -> Iterator[LabelStore]:
    """The office's label store; what a test said in it is taken back."""
    with open_labels(office.project) as store:
        yield store
        for label in store.by_analyst(dataset="office").to_dict("records"):
            store.undo(int(label["label_id"]), by=str(label["by"]), client_id=f"tidy{label['label_id']}")
        for verdict in store.reasons.current(dataset="office").values():
            store.reasons.undo(verdict.client_id, by=verdict.by, client_id=f"tidy{verdict.client_id}")


def open_today(page: Any, office: Any, **query: str) -> None:
    page.goto(f"{office.home}?{urlencode(query)}")
    page.wait_for_selector(WHOLE)


def on_screen(page: Any) -> str:
    return str(page.locator(".detail a.entity").inner_text())


def press(page: Any, key: str) -> None:
    page.wait_for_selector(WHOLE)
    page.keyboard.press(key)


def saved(page: Any) -> None:
    page.wait_for_selector(".unsaved", state="hidden")


def test_a_verdict_is_stored_says_what_it_changes_and_is_taken_back(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    first = on_screen(page)
    press(page, "n")
    page.keyboard.type("our scanner, zzz")
    page.keyboard.press("Escape")
    press(page, "b")
    page.wait_for_function("() => window.location.search.includes('row=')")
    saved(page)
    page.locator(".effect", has_text="counts less").wait_for()
    current = labels.current(dataset="office")
    assert current["verdict"].to_list() == ["benign"]
    assert current["note"].to_list() == ["our scanner, zzz"]
    assert on_screen(page) != first
    page.keyboard.press("z")
    saved(page)
    page.locator(".effect", has_text="counts less").wait_for(state="hidden")
    page.wait_for_selector(WHOLE)
    assert on_screen(page) == first
    assert labels.current(dataset="office").empty


def test_a_group_is_judged_with_one_key_and_undone_with_one(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    press(page, "j")
    page.locator(".verdicts .about").wait_for()
    press(page, "f")
    saved(page)
    page.locator(".last", has_text="+ 1").wait_for()
    assert labels.current(dataset="office")["verdict"].to_list() == ["false_alarm"] * 2
    page.keyboard.press("z")
    saved(page)
    page.locator(".last", has_text="+ 1").wait_for()
    assert labels.current(dataset="office").empty


def test_one_reason_is_judged_alone(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    press(page, "r")
    page.locator(".reason.chosen").wait_for()
    press(page, "b")
    saved(page)
    page.locator(".reason .verdict.benign").wait_for()
    assert labels.current(dataset="office").empty
    assert [v.verdict for v in labels.reasons.current(dataset="office").values()] == ["benign"]


def test_days_filter_and_tabs_are_in_the_address_and_back_works(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    page.keyboard.press("Shift+ArrowLeft")
    page.locator(".date", has_text=re.compile("3 Mar")).wait_for()
    page.wait_for_function("() => location.search.includes('day=2026-03-03')")
    page.keyboard.press("/")
    page.keyboard.type("no such row mbf")
    page.locator(".list .empty").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('q=no')")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.locator(".list .empty").wait_for()
    assert page.locator(".filter").input_value() == "no such row mbf"
    assert labels.current(dataset="office").empty, "letters in the filter are text"


def test_values_of_events_filter_them(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    before = page.locator(".events-head .faint").inner_text()
    page.locator(".events tbody tr").first.locator(".value").nth(1).click()
    page.locator(".menu button").nth(1).click()
    page.locator(".chip.exclude").wait_for()
    page.wait_for_function(
        """before => {
            const root = document.querySelector("[data-testid=stBidiComponentIsolated]")?.shadowRoot;
            const said = root?.querySelector(".events-head .faint")?.textContent;
            return said && said !== before;
        }""",
        arg=before,
    )
    page.locator(".chip.exclude").click()
    page.locator(".chip.exclude").wait_for(state="detached")


def test_hostile_names_are_text_and_nothing_is_fetched_from_elsewhere(
    page: Any, office: Any, labels: LabelStore
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for language in ("en", "fr"):
        open_today(page, office, lang=language)
        press(page, "j")
        page.locator(".events td", has_text="<img").first.wait_for()
        assert page.title().strip() != "1"
        assert page.locator(".detail img, .detail script").count() == 0
        assert words(language)("today.strip.day") in page.locator(".strips").inner_text()
    assert [url for url in asked if not url.startswith((office.home, "data:", "blob:"))] == []


def test_a_click_counts_that_began_before_the_events_were_drawn_anew(
    page: Any, office: Any, labels: LabelStore
) -> None:
    open_today(page, office, by="ana")
    first = on_screen(page)
    page.locator(".say.benign").hover()
    page.mouse.down()
    page.locator(".events .value").first.evaluate("value => value.click()")
    page.locator(".menu [role=menuitem]").nth(1).evaluate("item => item.click()")
    page.locator(".chip.exclude").wait_for()
    page.locator(WHOLE).wait_for()
    page.mouse.up()
    page.locator(f".detail a.entity:not(:text-is('{first}'))").wait_for()
    saved(page)
    assert labels.by_analyst(dataset="office")["verdict"].to_list() == ["benign"]


def test_a_viewer_sees_the_list_and_cannot_write(new_page: Any, serve: Any, tmp_path: Any) -> None:
    project = small_days(tmp_path / "lab")
    with open_labels(project) as store:
        store.accounts.make("vic", "viewer", "a long enough one", by="setup")
    served = serve(project, tmp_path / "app.log")
    try:
        page = new_page()
        page.goto(served.home)
        page.locator("input[autocomplete=username]").fill("vic")
        page.locator("input[type=password]").fill("a long enough one")
        page.locator("[data-testid=stFormSubmitButton] button").click()
        page.wait_for_selector(WHOLE)
        assert page.locator(".say").count() == 0
        for key in "mbfusz":
            page.keyboard.press(key)
        page.wait_for_timeout(600)
        page.reload()
        page.wait_for_selector(WHOLE)
        with open_labels(project) as store:
            assert store.history(dataset="office").empty
    finally:
        served.kill()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_telephone_nothing_is_cut_off(language: str, page: Any, office: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_today(page, office, lang=language)
    assert cut_off(page, ".say, .tabs button, .tools button, .filter, .date") == []


def test_a_long_filter_is_named_by_its_beginning_in_an_empty_list(page: Any, office: Any) -> None:
    open_today(page, office)
    page.keyboard.press("/")
    page.keyboard.insert_text("x" * 500)
    empty = page.locator(".list .empty")
    empty.wait_for()
    assert "x" * 60 + "…»" in empty.inner_text()
    assert empty.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_a_verdict_of_a_colleague_says_whose_it_is(page: Any, office: Any, labels: LabelStore) -> None:
    open_today(page, office, by="ana")
    row = str(page.locator(".detail").get_attribute("data-row-id"))
    labels.record([NewLabel(row, "benign", client_id="colleague", dataset="office", by="bo")])
    open_today(page, office, by="ana")
    page.locator(f"#row-{row} .who", has_text="by bo").wait_for()
    open_today(page, office, by="bo")
    page.locator(f"#row-{row} .who .verdict.benign").wait_for()
    assert "by bo" not in page.locator(f"#row-{row} .who").inner_text()


@pytest.mark.parametrize(("language", "mark"), [("en", "opinions differ"), ("fr", "avis divergents")])
def test_two_who_disagree_are_both_said_and_nobody_once_they_agree(
    language: str, mark: str, page: Any, office: Any, labels: LabelStore
) -> None:
    open_today(page, office, by="ana", lang=language)
    row = str(page.locator(".detail").get_attribute("data-row-id"))
    for by, verdict in (("bo", "benign"), ("cy", "malicious"), ("dee", "skip")):
        labels.record([NewLabel(row, verdict, client_id=f"{by} {language}", dataset="office", by=by)])
    open_today(page, office, by="ana", lang=language, row=row)
    page.locator(f"#row-{row} .differ", has_text=mark).wait_for()
    said = page.locator(".detail header .differ").inner_text()
    say = words(language)
    assert (
        said.index("bo") < said.index(say("verdict.benign")) < said.index("cy") < said.index(say("verdict.malicious"))
    )
    assert "dee" not in said
    labels.record([NewLabel(row, "malicious", client_id=f"bo agrees {language}", dataset="office", by="bo")])
    open_today(page, office, by="ana", lang=language, row=row)
    page.locator(f"#row-{row} .verdict.malicious").wait_for()
    page.locator(".differ").first.wait_for(state="detached")
