"""Keys, focus and saving on the triage page, in a real browser: what an analyst's hand would do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from builders import BuiltRun, make_run

from socml.labels import read_label_events, read_labels
from socml.project import Project
from socml.words import words

pytestmark = pytest.mark.browser

VERDICTS = {"m": "malicious", "b": "benign", "f": "false_alarm", "u": "unsure", "s": "skip"}
SHORTCUTS = "mbfuszjknwehpx"


def open_triage(page: Any, server: Any, built: BuiltRun | None = None, **query: str) -> None:
    query = {**query, **({"run": built.run_id} if built else {})}
    page.goto(f"{server.url}?{urlencode(query)}")
    page.wait_for_selector(".event[data-row-id] .verdicts")


def on_screen(page: Any) -> str:
    return str(page.locator(".event").get_attribute("data-row-id"))


def watch_what_is_shown(page: Any) -> None:
    page.evaluate("""() => {
        const host = document.querySelector("[data-testid=stBidiComponentIsolated]");
        const event = host.shadowRoot.querySelector(".event");
        window.shown = [event.dataset.rowId];
        new MutationObserver(() => {
            if (event.dataset.rowId !== window.shown.at(-1)) window.shown.push(event.dataset.rowId);
        }).observe(event, { attributes: true, attributeFilter: ["data-row-id"] });
    }""")


def wait_until_saved(page: Any) -> None:
    page.wait_for_selector(".unsaved", state="hidden")


def press(page: Any, letter: str) -> None:
    before = on_screen(page)
    page.keyboard.press(letter)
    wait_until_next(page, before)


def wait_until_next(page: Any, before: str) -> None:
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('.event').dataset.rowId !== before",
        arg=before,
    )


def stored(project: Project, built: BuiltRun | None = None) -> pd.DataFrame:
    return read_label_events(dataset=built.dataset if built else "", project=project)


def test_twenty_presses_at_forty_milliseconds_label_the_twenty_events_shown_in_turn(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    open_triage(page, server, built)
    watch_what_is_shown(page)
    letters = "mbfus" * 4
    page.keyboard.type(letters, delay=40)
    page.wait_for_function("() => window.shown.length > 20")
    wait_until_saved(page)
    shown = page.evaluate("() => window.shown")
    assert len(set(shown)) == 21
    labels = stored(lab, built)
    given = list(zip(labels["row_id"], labels["verdict"], strict=True))
    assert given == list(zip(shown[:20], (VERDICTS[letter] for letter in letters), strict=True))
    assert on_screen(page) == shown[20]
    assert (labels["seen_ms"] >= 0).all()


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


def test_labels_given_while_the_server_is_dead_are_kept_and_stored_once(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    press(page, "b")
    wait_until_saved(page)
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
        page.goto(f"{server.url}{there}?run={built.run_id}")
        page.get_by_test_id("stDataFrame").first.wait_for()
    assert page.title() != "owned"
    assert not dialogs
    assert all(url.startswith((server.url, "blob:", "data:", f"ws://127.0.0.1:{server.port}/")) for url in asked)


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
    page.locator("button.say.malicious").dblclick()  # the second click of a double one is not a second verdict
    wait_until_next(page, first)
    wait_until_saved(page)
    columns = ["row_id", "verdict", "reason", "family", "technique", "how"]
    assert stored(lab, built)[columns].to_numpy().tolist() == [[first, "malicious", "attack", "scan", "T1046", "click"]]


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
    page.get_by_role("link", name="Triage").first.click()
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
    assert page.get_by_text(words("en")("app.labels.about")).is_visible()
    page.get_by_role("link", name="Triage").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    wait_until_saved(page)
    assert len(stored(mortal.project)) == 1


def test_run_analyst_and_language_stay_when_another_page_is_opened(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    make_run(lab, dataset="another")  # newer, so that it is what a page without a choice would open
    open_triage(page, server, built, by="ana", lang="fr")
    for title, told in (("Verdicts", "app.labels.about"), ("Exécutions", "app.runs.about")):
        page.get_by_role("link", name=title).first.click()
        page.get_by_text(words("fr")(told)).wait_for()
    page.get_by_role("link", name="Triage").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    assert page.get_by_role("textbox", name="Analyste").input_value() == "ana"
    page.wait_for_url(f"**run={built.run_id}*")
    press(page, "b")
    wait_until_saved(page)
    assert stored(lab, built)["by"].to_list() == ["ana"]
