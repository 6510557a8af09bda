"""The filter of Hunt in a real browser: what is typed leaves the rows that fit, has a key, an address and a name."""

from __future__ import annotations

from typing import Any

import pytest
from browser_steps import cut_off, on_screen, open_triage, wait_until_seen
from builders import BuiltRun

from socml.explanations import number_in_words
from socml.project import Project, features_path, read_table, words

pytestmark = pytest.mark.browser
ROWS = ".queue [data-row-id]"


def listed(page: Any) -> list[str]:
    return list(page.locator(ROWS).evaluate_all("rows => rows.map((row) => row.dataset.rowId)"))


def test_what_is_typed_leaves_the_rows_that_fit_and_a_name_brings_them_back(
    page: Any, server: Any, built: BuiltRun
) -> None:
    open_triage(page, server, built)
    entities = built.scores["entity"].astype("str")
    wanted = entities.value_counts().index[0]
    fit = set(entities.index[entities.str.contains(wanted, case=False, regex=False)])
    assert not set(listed(page)) <= fit
    page.keyboard.press("/")
    field = page.get_by_label("Filter", exact=True)
    assert field.evaluate("field => field.getRootNode().activeElement === field")
    page.keyboard.type(wanted)
    page.keyboard.press("Enter")
    page.wait_for_function(
        """fit => {  // the part of the page is away for a moment while it is drawn anew
            const root = document.querySelector("[data-testid=stBidiComponentIsolated]")?.shadowRoot;
            const rows = [...(root?.querySelectorAll(".queue [data-row-id]") ?? [])];
            return rows.length && rows.every((row) => fit.includes(row.dataset.rowId));
        }""",
        arg=list(fit),
    )
    page.get_by_text(f"{len(fit)} events of 400 fit").wait_for()
    assert on_screen(page) in fit
    assert f"filter={wanted}" in page.url
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of this filter").fill("**Busy** <b>host</b>")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").wait_for(state="hidden")

    open_triage(page, server, built)
    page.wait_for_function("() => !new URL(location.href).searchParams.has('filter')")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="**Busy** <b>host</b>").click()
    page.get_by_text(f"{len(fit)} events of 400 fit").wait_for()
    assert f"filter={wanted}" in page.url
    wait_until_seen(page)
    assert set(listed(page)) <= fit


def test_what_nobody_can_read_is_a_sentence_and_the_queue_stays(page: Any, server: Any, built: BuiltRun) -> None:
    open_triage(page, server, built, filter='nothing_of_the_kind>3 "')
    page.get_by_text("not there any more").or_(page.get_by_text("There is no feature")).wait_for()
    assert len(listed(page)) > 10
    field = page.get_by_label("Filter", exact=True)
    field.fill("no such host anywhere")
    field.press("Enter")
    page.get_by_text("No event fits").wait_for()
    page.locator(".queue .empty").wait_for()


def test_going_back_brings_back_the_filter_before_and_leaving_the_page_loses_none(
    page: Any, server: Any, built: BuiltRun
) -> None:
    first, second = built.scores["entity"].astype("str").value_counts().index[:2]
    open_triage(page, server, built)
    field = page.get_by_label("Filter", exact=True)
    for typed in (first, second):
        field.fill(typed)
        field.press("Enter")
        page.wait_for_url(f"**filter={typed}*")
    page.get_by_text("Least certain").click()
    page.wait_for_url("**queue=uncertain*")
    page.go_back()
    page.wait_for_function("() => !new URL(location.href).searchParams.has('queue')")
    page.get_by_role("radio", name="Mixed", checked=True).wait_for()
    for going, typed in (
        (page.go_back, first),
        (page.go_back, ""),
        (page.go_forward, first),
        (page.go_forward, second),
    ):
        going()
        page.wait_for_function(
            "typed => document.querySelector('input[aria-label=Filter]')?.value === typed", arg=typed
        )
        assert (f"filter={typed}" in page.url) == bool(typed)
    page.get_by_role("link", name="Cases").first.click()
    page.get_by_text("New case").wait_for()
    page.get_by_role("link", name="Hunt").first.click()
    page.wait_for_url(f"**filter={second}*")
    page.wait_for_function("typed => document.querySelector('input[aria-label=Filter]')?.value === typed", arg=second)


def test_what_todays_filter_says_is_no_filter_of_hunt(page: Any, server: Any, built: BuiltRun) -> None:
    open_triage(page, server, built, q="verdict:open", queue="second-looks")
    assert page.get_by_label("Filter", exact=True).input_value() == ""
    assert page.locator("[data-testid=stAlert]").count() == 0
    assert len(listed(page)) > 10


def test_features_stand_as_columns_by_keys_alone_and_the_address_keeps_them(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built, columns="no_such_feature")
    assert page.locator(".headings span").count() == 0
    page.get_by_role("button", name="Columns").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    field = page.get_by_role("combobox", name="Features that stand as columns")
    while not field.evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("bytes sent by the source")
    page.get_by_role("option", name="source_bytes").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("source_bytes").first.wait_for()
    while page.get_by_role("dialog").count():  # the first closes the list of features
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)
    page.locator(".headings span", has_text="source_bytes").wait_for()
    assert "columns=source_bytes" in page.url
    wait_until_seen(page)
    features = read_table(features_path(lab, built.dataset, built.feature_set)).to_pandas().set_index("row_id")
    for row_id in listed(page)[:5]:
        sent = number_in_words(float(features["source_bytes"][row_id]), "bytes", words("en"))
        cell = page.locator(f".row[data-row-id='{row_id}'] .cell")
        assert cell.inner_text().split() == ["source_bytes", *sent.split()]


def test_a_filters_words_are_text_in_the_sentence_and_in_the_pages_language(
    page: Any, server: Any, built: BuiltRun
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_triage(page, server, built, lang="fr", filter="source_bytes>![i](http://127.0.0.1:9/i.png)")
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    assert "« ![i](http://127.0.0.1:9/i.png) » n’est pas un nombre" in alert.inner_text()
    assert alert.locator("img").count() == 0
    assert not [url for url in asked if url.startswith("http://127.0.0.1:9/")]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_telephone_nothing_is_cut_off(language: str, page: Any, server: Any, built: BuiltRun) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_triage(page, server, built, lang=language, columns="source_bytes")
    assert cut_off(page, ".say, .tools button, .cell") == []
