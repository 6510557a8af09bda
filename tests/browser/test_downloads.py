"""Tables of the app: no button of Streamlit's writes text of a log into a file that a spreadsheet opens."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_a_table_offers_no_file_in_which_formulas_of_a_log_would_act(page: Any, server: Any) -> None:
    page.goto(f"{server.home}runs")
    table = page.locator("[data-testid=stDataFrame]").first
    table.wait_for()
    table.hover()
    page.locator("button[aria-label^='Search']").first.wait_for()
    buttons = page.locator("[data-testid=stElementToolbarButton] button[aria-label^='Download']")
    files = buttons.and_(page.locator(":not([aria-label$=' PNG'])"))  # A chart's picture holds no formula.
    assert files.count() > 0, "Streamlit calls it otherwise now: look how"
    for button in files.all():
        button.wait_for(state="hidden")
