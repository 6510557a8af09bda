"""The app on a simulated organisation → a picture of every page, in both languages and themes: docs/pictures/.

Made by `make pictures`; needs Debian's Chromium. Nothing but this machine is asked for anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from socml.cli.project import MEMORY
from socml.jobs import Today, daily_list, row_in_words, store_day
from socml.labels import NewLabel, open_labels
from socml.project import LANGUAGES, Project, init_project, read_project, words
from socml.respond import CaseRow, Cases

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
CHROMIUM = os.environ.get("SOCML_CHROMIUM", "/usr/bin/chromium")
PORT = int(os.environ.get("SOCML_PORT", "8597"))
WIDTH, HEIGHT = 1440, 900
DAY = "2026-03-04"


def main() -> None:
    """Make a project, serve it, and take the pictures: all, or those of the pages named on the command line."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="socml-pictures-") as folder:
        root = Path(folder) / "lab"
        init_project(root)
        socml = [sys.executable, "-m", "socml", "run", "daily"]
        subprocess.run(socml, cwd=root, check=True, stdout=subprocess.DEVNULL)
        project = read_project(root)
        pages = {
            name: page for name, page in prepared_pages(project).items() if name in sys.argv[1:] or not sys.argv[1:]
        }
        with served(root) as (home, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for theme in ("light", "dark"):
                for language in ("en", "fr"):
                    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
                    for name, (path, wait) in pages.items():
                        _take(
                            context,
                            f"{home}{path}",
                            {"lang": language},
                            wait,
                            FOLDER / f"{name}-{language}-{theme}.png",
                        )
                    context.close()
            browser.close()


def prepared_pages(project: Project) -> dict[str, tuple[str, str]]:
    """Say a few things as an analyst would, and return each page's path and what to wait for."""
    listed = daily_list("demo", project=project)
    run = store_day(listed, listed.of(DAY), project=project)
    with open_labels(project) as store:
        today = Today("demo", project=project)
        before = today.of(store, "2026-03-03").rows
        store.record([NewLabel(before[0].row_id, "malicious", client_id="p1", dataset="demo", by="ana")])
        rows = today.of(store, DAY).rows
        store.record([NewLabel(rows[4].row_id, "benign", client_id="p2", dataset="demo", by="ana", reason="planned")])
        cases = Cases(store)
        case = cases.open(rows[0].entity, by="ana", dataset="demo", severity=3)
        families = tuple(reason.reason.family for reason in rows[0].reasons)
        lines = {language: row_in_words(rows[0], words(language)) for language in LANGUAGES}
        row = CaseRow(rows[0].row_id, DAY, rows[0].entity, rows[0].role, lines["en"], families, lines)
        cases.add_row(case.id, row, by="ana")
        cases.add_entity(case.id, "198.51.100.23", by="ana")
        cases.note(case.id, "Owner asked; the machine is taken off the network.", by="bo")
        cases.change(case.id, by="bo", state="working", techniques=["T1021"], owner="bo")
        other = cases.open("Weekly scan of the vulnerability scanner", by="ana", dataset="demo", severity=1)
        cases.change(other.id, by="ana", state="closed", outcome="benign")
    about = urlencode({"dataset": "demo", "day": DAY})
    entity = urlencode({"entity": rows[0].entity})
    return {
        "today": (f"?{about}", ".detail[data-row-id][aria-busy=false]"),
        "hunt": (f"hunt?run={run['run_id']}", ".event[data-row-id][aria-busy=false]"),
        "features": (f"features?run={run['run_id']}", "[data-testid=stVegaLiteChart]"),
        "map": (f"features?run={run['run_id']}&view=map", "[data-testid=stVegaLiteChart]"),
        "entity": (f"entity?{about}&{entity}", "canvas"),
        "cases": ("cases?dataset=demo", "[data-testid=stForm]"),
        "case": (f"cases?dataset=demo&case={case.id}", "[data-testid=stForm]"),
        "labels": (f"labels?run={run['run_id']}", "[data-testid=stDataFrame]"),
        "models": (f"runs?run={run['run_id']}", "[data-testid=stDataFrame]"),
        "data": ("data?dataset=demo", "[data-testid=stDataFrame]"),
        "tools": ("tools", "textarea"),
    }


def _take(context: Any, url: str, query: dict[str, str], wait: str, path: Path) -> None:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}")
    page.wait_for_selector(wait)
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(1_500)  # charts and tables draw themselves after they are there
    page.screenshot(path=str(path))
    page.close()


@contextmanager
def served(root: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the app on a project until the block ends; yield its address and its process."""
    home = f"http://127.0.0.1:{PORT}/"
    options = [
        f"--server.port={PORT}",
        "--server.address=127.0.0.1",
        "--server.headless=true",
        "--client.toolbarMode=minimal",
        "--server.fileWatcherType=none",  # as `socml app` serves it
    ]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py"), *options]
    environment = {**MEMORY, **os.environ, "SOCML_PROJECT": str(root), "SOCML_ANALYST": "ana"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"{home}_stcore/health", timeout=2):  # noqa: S310  this machine
                    break
            except OSError:
                time.sleep(0.5)
        yield home, process
    finally:
        process.kill()  # work that nobody waits for any more would be ended first
        process.wait(60)


if __name__ == "__main__":
    main()
