"""The app in a real browser, as a person waits for it → docs/results/results-app.

Today on the simulated organisation; Hunt on 33,000 and 1,000,000 rows; ten analysts at once; axe on every page. Each time
is from the key to what is on screen, or to the store's acknowledgement. The machine's load stands beside them: on a busy
machine they are the machine's times, not the app's. SOCML_PARTS names some of the parts, SOCML_MINUTES how long the ten
analysts label.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.app_hunt import Measured, measure_hunt, memory_mb
from benchmarks.app_pages import measure_pages
from benchmarks.app_runs import SIZES, project_of
from benchmarks.app_team import measure_team
from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.project import ScratchFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))
WHOLE = ".detail[data-row-id][aria-busy=false]"
KEYS = 12
PARTS = ("today", "hunt", "team")
ORGANISATION = "simulated organisation, 4 days, 270,000 events"


def main() -> None:
    """Measure the parts that are asked for, and write them beside what was measured before."""
    from pictures import CHROMIUM

    parts = os.environ.get("SOCML_PARTS", " ".join(PARTS)).split()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        if "today" in parts:
            _write(ORGANISATION, lambda: _today(browser))
        for size in SIZES if "hunt" in parts else ():
            _write(
                f"Hunt, {size.name}",
                partial(_on_own_labels, partial(measure_hunt, browser, project_of(size), _served)),
            )
        if "team" in parts:
            size = SIZES[0]
            _write(
                f"ten analysts, {size.name}",
                lambda: _on_own_labels(lambda: measure_team(browser, project_of(size), _served)),
            )
        browser.close()


def _write(case: str, measure: Callable[[], list[Measured]]) -> None:
    """Measure a case and write it; the other cases stay as they were measured last."""
    before = os.getloadavg()[0]
    measured = measure()
    load = (before + os.getloadavg()[0]) / 2
    measured.append(Measured("load of the machine while measuring", load, f"of {os.cpu_count()} cores"))
    versions = versions_of("streamlit", "duckdb", "playwright")
    figures = [Figure(case, one.measure, one.value, one.unit, n=one.n, versions=versions) for one in measured]
    others = [figure for figure in measured_before("results-app") if figure.case != case]
    write_results(
        "results-app",
        "The app, as a person waits for it",
        "Chromium on the same machine as the server; warm is the same browser again. Wanted on Hunt at both sizes: first event 3 s "
        "cold and 1 s warm, its evidence 1 s after it, keys 150 ms (p95) and none refused, 0.1 CPU s a label, 1,200 MB, Labels 1 s.",
        [*others, *figures],
        notes=[],
    )


def _served(root: Path) -> object:
    from pictures import served

    return served(root)


def _on_own_labels(measure: Callable[[], list[Measured]]) -> list[Measured]:
    """Measure with a label store of its own, so that the kept run stays without labels."""
    with ScratchFolder("bench") as folder:
        os.environ["SOCML_LABELS_URL"] = f"sqlite:///{folder}/labels.sqlite"
        try:
            return measure()
        finally:
            del os.environ["SOCML_LABELS_URL"]


def _today(browser: Browser) -> list[Measured]:
    from pictures import prepared_pages, served

    from socml.project import init_project, read_project

    with ScratchFolder("bench") as folder:
        root = Path(folder) / "lab"
        init_project(root)
        subprocess.run([sys.executable, "-m", "socml", "run", "daily"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        with served(root) as (home, process):
            measured = [Measured(*figure) for figure in _measure(browser, home)]
            measured.append(Measured("memory of the server", memory_mb(process.pid), "MB"))
            return measured + measure_pages(browser, home, prepared_pages(read_project(root)))


def _measure(browser: Browser, home: str) -> list[tuple[str, float, str, int | None]]:
    requests: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("request", lambda request: requests.append(request.url))
    cold = _timed(lambda: (page.goto(home), page.wait_for_selector(WHOLE)))
    warm = _timed(lambda: (page.reload(), page.wait_for_selector(WHOLE)))
    shown, stored = [], []
    for _ in range(KEYS):
        page.wait_for_selector(WHOLE)
        row = page.locator(".detail").get_attribute("data-row-id")
        started = time.perf_counter()
        page.keyboard.press("b")
        page.wait_for_function(
            "row => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
            ".querySelector('.detail').dataset.rowId !== row",
            arg=row,
        )
        shown.append(1000 * (time.perf_counter() - started))
        page.wait_for_selector(".unsaved", state="hidden")
        stored.append(1000 * (time.perf_counter() - started))
    date = page.locator(".date").inner_text()

    def one_day_back() -> None:
        page.keyboard.press("Shift+ArrowLeft")
        page.wait_for_function(
            "date => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
            ".querySelector('.date').textContent !== date",
            arg=date,
        )
        page.wait_for_selector(WHOLE)

    day = _timed(one_day_back)
    outside = [url for url in requests if not url.startswith((home, "data:", "blob:"))]
    context.close()
    return [
        ("first row with its events, cold", cold, "s", 1),
        ("first row with its events, warm", warm, "s", 1),
        ("key to next row on screen, p50", statistics.median(shown), "ms", KEYS),
        ("key to next row on screen, largest", max(shown), "ms", KEYS),
        ("key to stored and learned, p50", statistics.median(stored), "ms", KEYS),
        ("key to stored and learned, largest", max(stored), "ms", KEYS),
        ("another day with its first events", day, "s", 1),
        ("requests to other machines", float(len(outside)), "", len(requests)),
    ]


def _timed(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
