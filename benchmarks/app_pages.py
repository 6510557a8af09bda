"""Every page of the app in both themes → what axe-core finds serious, page by page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.app_hunt import PATIENCE_MS, Measured

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # where axe's findings are read
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def measure_pages(browser: Browser, home: str, pages: dict[str, tuple[str, str]]) -> list[Measured]:
    """Return, for each theme, how many pages axe finds something serious on; nothing if axe-core is not there.

    Parameters
    ----------
    pages : name → path with its query, and what to wait for
    """
    from axe import SERIOUS, axe_script, violations

    script = axe_script()
    found = []
    for theme in THEMES if script is not None else ():
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme)
        serious = 0
        for name, (path, wait) in pages.items():
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{home}{path}")
            page.wait_for_selector(wait)
            page.wait_for_timeout(1_500)  # charts and tables draw themselves after they are there
            broken = [one for one in violations(page, script) if one.impact in SERIOUS]
            serious += sum(len(one.where) for one in broken)
            for one in broken:
                print(f"{theme} {name}: {one.rule} at {one.where[0]}", file=sys.stderr)
            page.close()
        found.append(Measured(f"serious or critical findings of axe, {theme}", float(serious), "", len(pages)))
        context.close()
    return found
