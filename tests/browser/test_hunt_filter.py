"""The filter of Hunt in a real browser: what is typed leaves the rows that fit, has a key, an address and a name."""

from __future__ import annotations

from typing import Any

import pytest
from browser_steps import on_screen, open_triage, wait_until_seen
from builders import BuiltRun

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
        "fit => [...document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
        ".querySelectorAll('.queue [data-row-id]')].every((row) => fit.includes(row.dataset.rowId))",
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
