"""The page Hunt in a real browser → how long its first event and a key take, cold and warm, and what a label costs."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from socml.project import Project

WHOLE = ".event[data-row-id][aria-busy=false]"
DRAWN = ".event[data-row-id]"
KEYS, A_SECOND = 100, 5.0
PATIENCE_MS = 300_000
TICKS = os.sysconf("SC_CLK_TCK")

# When each key went down, whether the event on screen was there in full and seen for long enough, and when which was drawn.
_WATCH = """() => {
  const root = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
  window.keysAt = []; window.shownAt = []; window.early = 0; window.lacking = 0;
  window.addEventListener('keydown', (e) => {
    window.keysAt.push(e.timeStamp);
    const event = root.querySelector('.event');
    if (event?.getAttribute('aria-busy') === 'false') return;
    if (!event?.dataset.rowId || event.querySelector('.column > .loading')) window.lacking += 1;
    else window.early += 1;
  }, true);
  let last = '';
  const look = () => {
    const event = root.querySelector('.event');
    const id = event?.dataset.rowId ?? '';
    if (id && id !== last) { last = id; window.shownAt.push([performance.now(), id]); }
  };
  look();
  new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true });
}"""


@dataclass(frozen=True)
class Measured:
    """One figure: what, how much, in which unit, from how many."""

    measure: str
    value: float
    unit: str
    n: int | None = None


def measure_hunt(browser: Browser, project: Project, serve: Callable[[Path], object]) -> list[Measured]:
    """Serve a project anew, open Hunt cold, again in the same browser, give keys, go to other pages; return the figures."""
    with serve(project.root) as (home, process):  # type: ignore[attr-defined]
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        found = [*_opened(page, f"{home}hunt", "cold")]
        quiet(process)
        found += _opened(page, f"{home}hunt", "warm")
        quiet(process)
        found += [*_keys(page, process.pid), *_switches(page)]
        found.append(Measured("memory of the server, largest", memory_mb(process.pid, "VmHWM"), "MB"))
        context.close()
    return found


def _opened(page: Page, url: str, how: str) -> list[Measured]:
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(DRAWN)
    drawn = time.perf_counter()
    page.wait_for_selector(WHOLE)
    return [
        Measured(f"first event on screen, {how}", drawn - started, "s", 1),
        Measured(f"its evidence after it, {how}", time.perf_counter() - drawn, "s", 1),
    ]


def _keys(page: Page, pid: int) -> list[Measured]:
    page.evaluate(_WATCH)
    before, started = cpu_s(pid), time.perf_counter()
    for key in range(KEYS):
        page.keyboard.press("m" if key % 5 == 0 else "b")
        time.sleep(max(0.0, started + (key + 1) / A_SECOND - time.perf_counter()))
    page.wait_for_selector(".unsaved", state="hidden")
    page.wait_for_timeout(2_000)
    keys, shown, lacking, early = page.evaluate("() => [window.keysAt, window.shownAt, window.lacking, window.early]")
    taken = waits(keys, shown)
    return [
        Measured("key to next event, p50", statistics.median(taken), "ms", len(taken)),
        Measured("key to next event, p95", sorted(taken)[int(0.95 * len(taken)) - 1], "ms", len(taken)),
        Measured("keys refused for want of an event", float(lacking), "", KEYS),
        Measured("keys refused since the event was on screen for less than 150 ms", float(early), "", KEYS),
        Measured("CPU of the server a label", (cpu_s(pid) - before) / max(1, len(taken)), "s", len(taken)),
    ]


def waits(keys: list[float], shown: list[tuple[float, str]]) -> list[float]:
    """Return how many ms after its key each next event came; a key that nothing followed before the next is left out."""
    found = []
    for key, until in zip(keys, [*keys[1:], float("inf")], strict=True):
        after = [at for at, _ in shown if key <= at < until]
        found += [after[0] - key] if after else []
    return found


def _switches(page: Page) -> list[Measured]:
    """Go to Labels and back, as a person who clicks."""
    found = []
    for name, wait in (("labels", "[data-testid=stDataFrame]"), ("hunt", DRAWN)):
        started = time.perf_counter()
        page.locator(f"a[href$='/{name}'], a[href*='/{name}?']").first.click()
        page.wait_for_selector(wait)
        found.append(Measured(f"switch to the page {name.capitalize()}", time.perf_counter() - started, "s", 1))
    return found


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, which: str = "VmRSS") -> float:
    """Return the memory of a process now (VmRSS) or at its largest (VmHWM), in MB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def quiet(process: subprocess.Popen[bytes], *, for_s: float = 2.0) -> None:
    """Wait until a server does nothing, so that one figure's work is not counted in the next."""
    before = cpu_s(process.pid)
    while True:
        time.sleep(for_s)
        now = cpu_s(process.pid)
        if now - before < 0.05 * for_s:
            return
        before = now
