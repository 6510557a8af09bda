"""The page Today in a real browser → how long its first row, a verdict and a day take, and how many requests leave.

Each time is from the key to what is on screen, or to the store's acknowledgement, as a person would wait for it. The machine's
load stands beside them: on a busy machine they are the machine's times, not the app's.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.results import Figure, versions_of, write_results

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))
WHOLE = ".detail[data-row-id][aria-busy=false]"
KEYS = 12
CASE = "simulated organisation, 4 days, 270,000 events"


def main() -> None:
    """Make a project, serve it, measure, and write the results."""
    from pictures import CHROMIUM, served

    from socml.project import init_project

    with tempfile.TemporaryDirectory(prefix="socml-bench-") as folder:
        root = Path(folder) / "lab"
        init_project(root)
        subprocess.run([sys.executable, "-m", "socml", "run", "daily"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        before = os.getloadavg()[0]
        with served(root) as (home, process), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            measured = _measure(browser, home)
            measured.append(("memory of the server", _memory_mb(process.pid), "MB", None))
            browser.close()
    load = (before + os.getloadavg()[0]) / 2
    measured.append(("load of the machine while measuring", load, f"of {os.cpu_count()} cores", None))
    versions = versions_of("streamlit", "duckdb", "playwright")
    figures = [Figure(CASE, name, value, unit, n=n, versions=versions) for name, value, unit, n in measured]
    write_results(
        "results-app",
        "The page Today, as a person waits for it",
        "Chromium on the same machine as the server. Not measured yet: 1,000,000 rows on Hunt, ten analysts at once, axe.",
        figures,
        notes=[],
    )


def _measure(browser: Any, home: str) -> list[tuple[str, float, str, int | None]]:
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("request", lambda request: asked.append(request.url))
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
    day = _timed(
        lambda: (
            page.keyboard.press("Shift+ArrowLeft"),
            page.wait_for_function(
                "date => document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
                ".querySelector('.date').textContent !== date",
                arg=date,
            ),
            page.wait_for_selector(WHOLE),
        )
    )
    outside = [url for url in asked if not url.startswith((home, "data:", "blob:"))]
    context.close()
    return [
        ("first row with its events, cold", cold, "s", 1),
        ("first row with its events, warm", warm, "s", 1),
        ("key to next row on screen, p50", statistics.median(shown), "ms", KEYS),
        ("key to next row on screen, largest", max(shown), "ms", KEYS),
        ("key to stored and learned, p50", statistics.median(stored), "ms", KEYS),
        ("key to stored and learned, largest", max(stored), "ms", KEYS),
        ("another day with its first events", day, "s", 1),
        ("requests to other machines", float(len(outside)), "", len(asked)),
    ]


def _timed(do: Any) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def _memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
