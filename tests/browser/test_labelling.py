"""Keys, focus and saving on the triage page, in a real browser: what an analyst's hand would do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from builders import BuiltRun, make_run

from socml.labels.recording import read_label_events, read_labels
from socml.labels.verdicts import SEEN_LEAST_MS
from socml.project.project import Project
from socml.project.wording import words

pytestmark = pytest.mark.browser

VERDICTS = {"m": "malicious", "b": "benign", "f": "false_alarm", "u": "unsure", "s": "skip"}
SHORTCUTS = "mbfuszjknwehpx"


def open_triage(page: Any, server: Any, built: BuiltRun | None = None, **query: str) -> None:
    query = {**query, **({"run": built.run_id} if built else {})}
    page.goto(f"{server.url}?{urlencode(query)}")
    wait_until_seen(page)


def wait_until_seen(page: Any) -> None:
    """Wait until the event on screen has been there, in full, for as long as a verdict needs."""
    page.wait_for_selector(".event[data-row-id][aria-busy=false] .verdicts")


def see_ahead(page: Any, events: int) -> None:
    """Walk over the next events and back, so that the page has what it needs to show them."""
    for letter in "j" * events + "k" * events:
        before = on_screen(page)
        page.keyboard.press(letter)
        wait_until_next(page, before)
        wait_until_seen(page)


def on_screen(page: Any) -> str:
    return str(page.locator(".event").get_attribute("data-row-id"))


def watch_what_is_shown(page: Any) -> None:
    page.evaluate("""() => {
        const host = document.querySelector("[data-testid=stBidiComponentIsolated]");
        const event = host.shadowRoot.querySelector(".event");
        window.shown = [event.dataset.rowId];
        window.keys = [];  // {row: on screen at the key, after: milliseconds since it came there}
        let since = 0;  // the first event has been there since the page was opened, or nearly
        window.addEventListener("keydown", (key) => {
            if (!key.repeat) window.keys.push({ row: event.dataset.rowId, after: key.timeStamp - since });
        }, true);
        new MutationObserver(() => {
            if (event.dataset.rowId === window.shown.at(-1)) return;
            window.shown.push(event.dataset.rowId);
            since = performance.now();
        }).observe(event, { attributes: true, attributeFilter: ["data-row-id"] });
    }""")


def wait_until_saved(page: Any) -> None:
    page.wait_for_selector(".unsaved", state="hidden")


def press(page: Any, letter: str) -> None:
    wait_until_seen(page)
    before = on_screen(page)
    page.keyboard.press(letter)
    wait_until_next(page, before)


def press_at_once(page: Any, letters: str) -> None:
    """Press keys with no time between them, however slow the machine is: no frame is painted in between."""
    page.evaluate(
        """letters => { for (const key of letters) for (const type of ["keydown", "keyup"]) {
            const made = { key, code: `Key${key.toUpperCase()}`, bubbles: true, cancelable: true, composed: true };
            document.body.dispatchEvent(new KeyboardEvent(type, made));
        } }""",
        letters,
    )


def wait_until_next(page: Any, before: str) -> None:
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('.event').dataset.rowId !== before",
        arg=before,
    )


def stored(project: Project, built: BuiltRun | None = None) -> pd.DataFrame:
    return read_label_events(dataset=built.dataset if built else "", project=project)


def shown_in_turn(page: Any, labels: pd.DataFrame) -> list[str]:
    """Check that labels are those of the events shown, in turn, each seen for long enough; return what was shown."""
    shown = [str(row) for row in page.evaluate("() => window.shown")]
    assert labels["row_id"].to_list() == shown[: len(labels)]
    assert (labels["seen_ms"] >= SEEN_LEAST_MS).all()
    late = [key for key in page.evaluate("() => window.keys") if key["after"] >= SEEN_LEAST_MS]
    assert len(labels) <= len(late), "no label without a key that came late enough"
    longest = pd.DataFrame(late).groupby("row")["after"].max()
    assert (labels["seen_ms"] <= longest.loc[labels["row_id"]].to_numpy()).all()
    return shown


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


def test_an_event_without_its_records_takes_no_verdict(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    mortal.stand_still()
    page.keyboard.type("j" * 45)  # further than what is fetched ahead
    page.locator(".event .loading").first.wait_for()
    page.wait_for_timeout(3 * SEEN_LEAST_MS)
    there = on_screen(page)
    page.keyboard.press("m")
    page.locator(".last.too-fast").wait_for()
    mortal.go_on()
    wait_until_seen(page)
    assert on_screen(page) == there
    assert stored(mortal.project).empty
    press(page, "m")
    wait_until_saved(page)
    assert stored(mortal.project)["row_id"].to_list() == [there]


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


def test_labels_given_while_the_server_is_dead_are_kept_and_stored_once(page: Any, mortal: Any) -> None:
    open_triage(page, mortal)
    press(page, "b")
    wait_until_saved(page)
    see_ahead(page, 3)
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
    wait_until_seen(page)
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
    page.get_by_role("link", name="Hunt").first.click()
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
    page.get_by_role("link", name="Hunt").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    wait_until_saved(page)
    assert len(stored(mortal.project)) == 1


def test_run_analyst_and_language_stay_when_another_page_is_opened(
    page: Any, server: Any, built: BuiltRun, lab: Project
) -> None:
    make_run(lab, dataset="another")  # newer, so that it is what a page without a choice would open
    open_triage(page, server, built, by="ana", lang="fr")
    for title, told in (("Verdicts", "app.labels.about"), ("Analyses", "app.runs.about")):
        page.get_by_role("link", name=title).first.click()
        page.get_by_text(words("fr")(told)).wait_for()
    page.get_by_role("link", name="Chasse").first.click()
    page.wait_for_selector(".event[data-row-id] .verdicts")
    assert page.get_by_role("textbox", name="Analyste").input_value() == "ana"
    page.wait_for_url(f"**run={built.run_id}*")
    press(page, "b")
    wait_until_saved(page)
    assert stored(lab, built)["by"].to_list() == ["ana"]
