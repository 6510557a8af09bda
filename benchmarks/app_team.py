"""Ten analysts who label one run at once, each in a browser of their own → what was lost, doubled, or asked for twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app_hunt import PATIENCE_MS, WHOLE, Measured, memory_mb
from socml.labels import open_labels

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from socml.project import Project

ANALYSTS = 10
MINUTES = float(os.environ.get("SOCML_MINUTES", "10"))
PAUSE_S = 0.1
SECOND = ("second-opinion", "likely-error", "check-suggestion")  # reasons for which a row is rightly labelled again


def measure_team(browser: Browser, project: Project, serve: Callable[[Path], object]) -> list[Measured]:
    """Let ten analysts give keys for some minutes; every key that moved their page on must be one label in the store."""
    with serve(project.root) as (home, process):  # type: ignore[attr-defined]
        pages = [_opened(browser, home, f"analyst{number}") for number in range(ANALYSTS)]
        given = [0] * ANALYSTS
        until = time.monotonic() + 60 * MINUTES
        while time.monotonic() < until:
            for number, page in enumerate(pages):
                given[number] += _key(page, number + given[number])
            time.sleep(PAUSE_S)
        for page in pages:
            page.wait_for_selector(".unsaved", state="hidden")
        memory = memory_mb(process.pid, "VmHWM")
        for page in pages:
            page.context.close()
    with open_labels(project) as store:
        history = store.history()
    ours = history[history["by"].str.startswith("analyst")]
    first = ours[~ours["queue_reason"].isin(SECOND)]
    doubled = len(first) - first["row_id"].nunique()
    return [
        Measured("labels of ten analysts", float(len(ours)), "", ANALYSTS),
        Measured("minutes that they labelled", MINUTES, "min"),
        Measured("labels lost", float(sum(given) - len(ours)), "", sum(given)),
        Measured("labels stored twice", float(len(ours) - ours["client_id"].nunique()), "", len(ours)),
        Measured("rows labelled by two who were not asked to", float(doubled), "", len(first)),
        Measured("memory of the server with ten analysts", memory, "MB"),
    ]


def _opened(browser: Browser, home: str, name: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{home}hunt?by={name}")
    page.wait_for_selector(WHOLE)
    return page


def _key(page: Page, turn: int) -> int:
    """Give one key if the event on screen can be judged; return whether the page took it."""
    event = page.locator(".event[data-row-id]")
    if event.get_attribute("aria-busy") != "false":
        return 0
    before = event.get_attribute("data-row-id")
    page.keyboard.press("m" if turn % 5 == 0 else "b")
    return int(event.get_attribute("data-row-id") != before)
