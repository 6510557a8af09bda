"""Several analysts and similar events on the triage page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser_steps import on_screen, open_triage, press, stored, wait_until_saved
from builders import BuiltRun

from socml.labels.recording import read_labels
from socml.project.project import Project
from socml.project.wording import words
from socml.review.loop import Triage

pytestmark = pytest.mark.browser


@pytest.fixture
def second_page(new_page: Callable[..., Any]) -> Any:
    """A page of a colleague's browser."""
    return new_page()


def rows_in_queue(page: Any) -> list[str]:
    rows = page.locator(".rows [data-row-id]:not(.said)")
    return [str(row) for row in rows.evaluate_all("rows => rows.map((row) => row.dataset.rowId)")]


def rows_at_one_moment(page: Any, second_page: Any) -> tuple[set[str], set[str]]:
    """Return the rows that both have in their queues; what one gave back in between, the other may have by then."""
    while True:
        hers, his = set(rows_in_queue(page)), set(rows_in_queue(second_page))
        if set(rows_in_queue(page)) == hers:
            return hers, his


def test_two_analysts_never_have_the_same_event_before_them(
    page: Any, second_page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built, by="ana")
    open_triage(second_page, server, built, by="bob")
    for _ in range(6):
        assert on_screen(page) != on_screen(second_page)
        press(page, "b")
        press(second_page, "m")
    wait_until_saved(page)
    wait_until_saved(second_page)
    hers, his = rows_at_one_moment(page, second_page)
    assert not hers & his
    labels = stored(lab, built)
    first = labels[labels["queue_reason"] != "second-opinion"]  # a tenth is asked of two, on purpose
    assert first["row_id"].is_unique
    assert not labels.duplicated(["row_id", "by"]).any()
    assert labels["by"].value_counts().to_dict() == {"ana": 6, "bob": 6}


def test_a_link_to_an_event_that_a_colleague_has_says_so(
    page: Any, second_page: Any, server: Any, built: BuiltRun
) -> None:
    open_triage(page, server, built, by="ana")
    open_triage(second_page, server, built, by="bob", event=on_screen(page))
    assert second_page.locator(".held").inner_text() == words("en")("app.triage.held", who="ana")


def test_a_verdict_is_suggested_for_similar_events_after_a_preview_and_taken_back_in_one_step(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    say = words("fr")
    with Triage(built.run_id, project=lab) as triage:
        ranked = built.scores.sort_values("rank").index
        row_id = next(row for row in ranked if len(triage.similar(row, at_least=0.5).rows) > 12)
        expected = list(triage.similar(row_id, at_least=0.5).rows["row_id"])
    open_triage(page, server, built, by="ana", lang="fr", event=row_id)
    press(page, "b")
    wait_until_saved(page)
    page.keyboard.press("p")
    page.locator(".similar").wait_for()
    page.locator("input[name=reach]").evaluate(
        "input => { input.value = 50; input.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    page.locator(".similar button[name=apply]").wait_for()
    assert page.locator(".similar .count").inner_text() == say("app.triage.similar.count", n=len(expected))
    assert page.locator(".similar li").count() == 10
    page.keyboard.press("m")  # the panel covers the event: no verdict gets through
    page.wait_for_selector(".veil[aria-busy=false] button[name=apply]")
    page.locator(".similar button[name=apply]").click()
    wait_until_saved(page)
    labels = read_labels(dataset=built.dataset, project=lab)
    assert set(labels.index[labels["suggested"]]) == set(expected)
    assert set(labels["verdict"]) == {"benign"}
    assert not set(rows_in_queue(page)) & {row for row in expected if row not in rows_again(built, lab)}
    page.get_by_role("button", name=say("app.triage.similar.undo")).click()
    wait_until_saved(page)
    assert list(read_labels(dataset=built.dataset, project=lab).index) == [row_id]


def rows_again(built: BuiltRun, lab: Project) -> set[str]:
    with Triage(built.run_id, project=lab, by="ana") as triage:
        offered = triage.offer(60)
    return set(offered[offered["reason"] == "check-suggestion"]["row_id"])


def test_the_panel_of_similar_events_can_be_left_without_doing_anything(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    page.keyboard.press("p")
    assert page.locator(".similar").count() == 0, "nothing was said yet"
    press(page, "m")
    wait_until_saved(page)
    page.keyboard.press("p")
    page.locator(".similar").wait_for()
    page.keyboard.press("Escape")
    page.locator(".similar").wait_for(state="detached")
    press(page, "b")
    wait_until_saved(page)
    assert list(stored(lab, built)["verdict"]) == ["malicious", "benign"]


def test_suggestions_that_are_applied_before_their_preview_was_seen_do_nothing(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    press(page, "m")
    wait_until_saved(page)
    page.evaluate("""() => {
        const root = document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot;
        window.clicked = 0;
        new MutationObserver(() => {
            const apply = root.querySelector(".similar button[name=apply]");
            if (apply && !window.clicked) { window.clicked += 1; apply.click(); }
        }).observe(root, { childList: true, subtree: true });
    }""")
    page.keyboard.press("p")
    page.locator(".similar").wait_for()
    page.locator("input[name=reach]").evaluate(
        "input => { input.value = 50; input.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    page.wait_for_function("() => window.clicked === 1")
    page.locator(".last.too-fast").wait_for()
    assert page.locator(".similar").is_visible()
    page.wait_for_selector(".veil[aria-busy=false] button[name=apply]")
    page.wait_for_timeout(600)
    assert len(stored(lab, built)) == 1
    page.locator(".similar button[name=apply]").click()
    wait_until_saved(page)
    assert stored(lab, built)["suggested"].sum() > 0
