"""What axe-core finds on the pages of labelling, in both themes: nothing that keeps a person from using them."""

from __future__ import annotations

from typing import Any

import pytest
from builders import BuiltRun

pytestmark = pytest.mark.browser

PAGES = {
    "hunt": ".event[data-row-id][aria-busy=false]",
    "features": "[data-testid=stVegaLiteChart]",
    "runs": "[data-testid=stDataFrame]",
    "tools": "textarea",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(theme: str, server: Any, built: BuiltRun, new_page: Any) -> None:
    axe = pytest.importorskip("axe")
    script = axe.axe_script()
    if script is None:
        pytest.skip("axe-core is not here: make browser")
    for name, wait in PAGES.items():
        page = new_page(color_scheme=theme)
        page.goto(f"{server.home}{name}?run={built.run_id}")
        page.wait_for_selector(wait)
        serious = [found for found in axe.violations(page, script) if found.impact in axe.SERIOUS]
        assert not serious, f"{name}: {serious}"
