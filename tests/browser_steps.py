"""What an analyst does on the triage page in a browser, and what a test then sees."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
from builders import BuiltRun

from socml.labels.recording import read_label_events
from socml.labels.verdicts import SEEN_LEAST_MS
from socml.project.project import Project

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
        """before => {
            const root = document.querySelector("[data-testid=stBidiComponentIsolated]")?.shadowRoot;
            const row = root?.querySelector(".event")?.dataset.rowId;
            return row && row !== before;
        }""",
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


def cut_off(page: Any, chosen: str) -> list[str]:
    """Return the texts of what a component draws and the window, or its own box, does not show whole."""
    found: list[str] = page.evaluate(
        """chosen => {
            const { shadowRoot } = document.querySelector("[data-testid=stBidiComponentIsolated]");
            const isCut = (node) => {
                const { left, right } = node.getBoundingClientRect();
                return left < 0 || right > innerWidth || node.scrollWidth > node.clientWidth + 1;
            };
            const shown = [...shadowRoot.querySelectorAll(chosen)].filter((node) => node.clientWidth);
            return shown.filter(isCut).map((node) => node.textContent);
        }""",
        chosen,
    )
    return found
