"""Keys, focus and saving on the triage page, in a real browser: what an analyst's hand would do."""

from __future__ import annotations

from typing import Any

import pytest
from browser_steps import (
    SHORTCUTS,
    VERDICTS,
    on_screen,
    open_triage,
    press,
    press_at_once,
    shown_in_turn,
    stored,
    wait_until_next,
    wait_until_saved,
    wait_until_seen,
    watch_what_is_shown,
)
from builders import BuiltRun

from socml.labels.recording import read_labels
from socml.labels.verdicts import SEEN_LEAST_MS
from socml.project.project import Project
from socml.project.wording import words

pytestmark = pytest.mark.browser


def test_ten_events_are_labelled_in_turn_by_one_key_each(page: Any, server: Any, built: BuiltRun, lab: Project) -> None:
    open_triage(page, server, built)
    watch_what_is_shown(page)
    letters = "mbfus" * 2
    for letter in letters:
        press(page, letter)
    wait_until_saved(page)
    labels = stored(lab, built)
    shown = shown_in_turn(page, labels)
    assert len(set(shown)) == 11
    assert labels["verdict"].to_list() == [VERDICTS[letter] for letter in letters]
    assert on_screen(page) == shown[10]


@pytest.mark.parametrize("delays", [[1] * 60, [40] * 40, [100] * 20, [160, 30] * 12, [400, 1, 250, 90, 149, 151] * 4])
def test_a_verdict_key_counts_only_for_an_event_that_was_seen(
    page: Any, server: Any, built: BuiltRun, lab: Project, delays: list[int]
) -> None:
    open_triage(page, server, built)
    watch_what_is_shown(page)
    for delay in delays:
        page.keyboard.press("b")
        page.wait_for_timeout(delay)
    wait_until_seen(page)
    wait_until_saved(page)
    labels = stored(lab, built)
    shown_in_turn(page, labels)
    assert len(labels) >= 1


def test_a_click_counts_that_began_before_a_part_of_the_event_was_drawn_anew(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    wait_until_seen(page)
    first = on_screen(page)
    page.locator(".say.benign").hover()
    page.mouse.down()
    page.keyboard.press("w")
    page.locator(".why .fold[aria-expanded=false]").wait_for()
    page.mouse.up()
    wait_until_next(page, first)
    wait_until_saved(page)
    assert stored(lab, built)[["row_id", "verdict"]].to_numpy().tolist() == [[first, "benign"]]


def test_a_key_that_comes_too_early_says_so_in_words_and_does_nothing(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    for language in ("en", "fr"):
        open_triage(page, server, built, lang=language)
        before = len(stored(lab, built))
        press_at_once(page, "bbbbb")
        assert page.locator(".last.too-fast").inner_text() == words(language)("app.triage.said.too_fast")
        press(page, "m")
        page.locator(".last:not(.too-fast)").wait_for()
        wait_until_saved(page)
        assert stored(lab, built)["verdict"].to_list()[before:] == ["benign", "malicious"]


def test_what_lay_behind_another_tab_was_not_seen(page: Any, server: Any, built: BuiltRun, lab: Project) -> None:
    open_triage(page, server, built)
    turn = """hidden => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(turn, True)
    page.wait_for_timeout(3 * SEEN_LEAST_MS)
    page.keyboard.press("m")
    page.locator(".last.too-fast").wait_for()
    page.evaluate(turn, False)
    press(page, "b")
    wait_until_saved(page)
    assert stored(lab, built)["verdict"].to_list() == ["benign"]


def test_an_undo_right_after_a_verdict_counts_and_what_comes_back_must_be_seen_again(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    press_at_once(page, "mzb")
    assert on_screen(page) == first
    page.locator(".last.too-fast").wait_for()
    wait_until_saved(page)
    assert read_labels(dataset=built.dataset, project=lab).empty
    press(page, "u")
    wait_until_saved(page)
    assert read_labels(dataset=built.dataset, project=lab)["verdict"].to_list() == ["unsure"]


def test_a_key_held_for_a_second_is_one_label(page: Any, server: Any, built: BuiltRun, lab: Project) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    for _ in range(25):  # the browser marks all but the first as repeated, as a keyboard does
        page.keyboard.down("b")
        page.wait_for_timeout(40)
    page.keyboard.up("b")
    wait_until_next(page, first)
    wait_until_saved(page)
    assert stored(lab, built)["row_id"].to_list() == [first]
    press(page, "b")
    wait_until_saved(page)
    assert len(stored(lab, built)) == 2


def test_letters_typed_into_the_note_are_text_and_go_with_the_verdict(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    page.keyboard.press("n")
    page.keyboard.type(SHORTCUTS + SHORTCUTS.upper())
    assert page.locator("textarea[name=note]").input_value() == SHORTCUTS + SHORTCUTS.upper()
    assert on_screen(page) == first
    page.wait_for_timeout(600)
    assert stored(lab, built).empty
    page.keyboard.press("Escape")
    press(page, "m")
    wait_until_saved(page)
    assert stored(lab, built)[["row_id", "verdict", "note"]].to_numpy().tolist() == [
        [first, "malicious", SHORTCUTS + SHORTCUTS.upper()]
    ]


def test_letters_typed_into_a_field_of_the_frame_are_text(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    page.get_by_role("textbox", name="Analyst").click()
    page.keyboard.type(SHORTCUTS)
    page.wait_for_timeout(600)
    assert stored(lab, built).empty
    open_triage(page, server, built)  # what was not sent yet is sent now
    press(page, "m")
    wait_until_saved(page)
    assert len(stored(lab, built)) == 1


def test_enter_space_backspace_and_modified_letters_give_no_verdict(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    page.locator("button.say.benign").hover()
    for key in ("Enter", "Space", "Backspace", "Shift+M", "Alt+b", "Control+b", "p", "x", "1"):
        page.keyboard.press(key)
    page.keyboard.press("h")
    page.keyboard.press("m")  # the help covers the event
    page.wait_for_timeout(600)
    assert stored(lab, built).empty
    page.keyboard.press("h")
    press(page, "m")
    wait_until_saved(page)
    assert len(stored(lab, built)) == 1


def test_hostile_text_is_shown_and_does_nothing(page: Any, server: Any, built: BuiltRun) -> None:
    asked: list[str] = []
    dialogs: list[str] = []

    def note_dialog(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", note_dialog)
    open_triage(page, server, built, event=built.hostile)
    raw = page.locator(".raw pre").inner_text()
    assert '<img src=x onerror="' in raw
    assert "[click](javascript:alert(1))" in raw
    assert "␛[31mred" in raw
    assert "⟨U+202E⟩txt.exe⟨U+202C⟩" in raw
    assert "<img src=x" in page.locator(".event .facts .entity").inner_text()
    assert page.locator(".triage img, .triage a, .triage script").count() == 0
    press(page, "u")
    wait_until_saved(page)
    for there in ("labels", "runs"):
        page.goto(f"{server.home}{there}?run={built.run_id}")
        page.get_by_test_id("stDataFrame").first.wait_for()
    assert page.title() != "owned"
    assert not dialogs
    assert all(url.startswith((server.home, "blob:", "data:", f"ws://127.0.0.1:{server.port}/")) for url in asked)


def test_undo_takes_back_labels_of_now_and_of_before(page: Any, server: Any, built: BuiltRun, lab: Project) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    press(page, "m")
    second = on_screen(page)
    press(page, "b")
    page.keyboard.press("z")  # perhaps not sent yet
    page.wait_for_selector(f".event[data-row-id='{second}']")
    wait_until_saved(page)
    assert list(read_labels(dataset=built.dataset, project=lab).index) == [first]
    page.reload()
    page.wait_for_selector(".event[data-row-id]")
    page.keyboard.press("z")
    page.wait_for_selector(f".event[data-row-id='{first}']")
    wait_until_saved(page)
    assert read_labels(dataset=built.dataset, project=lab).empty


def test_the_next_event_does_not_change_when_the_ranking_does(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    for letter in "mmb":
        press(page, letter)
        shown = on_screen(page)
        wait_until_saved(page)
        page.wait_for_timeout(300)
        assert on_screen(page) == shown
    assert page.locator(".effect").inner_text()
    assert len(stored(lab, built)) == 3


def test_reason_family_and_a_click_go_with_the_label(page: Any, server: Any, built: BuiltRun, lab: Project) -> None:
    open_triage(page, server, built)
    first = on_screen(page)
    page.locator("select[name=reason]").select_option("attack")
    page.locator("select[name=family]").select_option("scan")
    wait_until_seen(page)
    page.locator("button.say.malicious").dblclick()  # the second click of a double one is not a second verdict
    wait_until_next(page, first)
    wait_until_saved(page)
    columns = ["row_id", "verdict", "reason", "family", "technique", "how"]
    assert stored(lab, built)[columns].to_numpy().tolist() == [[first, "malicious", "attack", "scan", "T1046", "click"]]
