"""An explanation that is estimated says so on the triage page, in a real browser; an exact one looks as it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser_steps import open_triage
from fitted import ESTIMATED, FOREST, EstimatedAndExact, estimated_and_exact

from socml.explanations.of_run import explain_run
from socml.project.project import Project
from socml.project.wording import words

pytestmark = pytest.mark.browser

WIDE, NARROW = 1280, 600
SPILLS = """names => {
    const root = document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot;
    return names.filter((name) => {
        const node = root.querySelector(name);
        return node.scrollWidth > node.clientWidth || node.getBoundingClientRect().right > innerWidth;
    });
}"""


@pytest.fixture(scope="module")
def explained(lab: Project) -> EstimatedAndExact:
    """Runs in the shared project, one explained by drawn orders and one exactly."""
    return estimated_and_exact(lab.root)


@pytest.fixture(params=["light", "dark"])
def themed_page(new_page: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    """A page that is asked for in light, then in dark."""
    return new_page(color_scheme=request.param)


def open_first(page: Any, server: Any, explained: EstimatedAndExact, model: str, language: str) -> None:
    run_id = explained.made[model][1]["run_id"]
    first = explain_run(run_id, top=1, project=explained.project)["row_id"].iloc[0]
    open_triage(page, server, run=run_id, lang=language, event=first)
    page.locator(".why tbody tr").first.wait_for()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_estimated_share_has_its_error_beside_it_and_a_sentence_below(
    themed_page: Any, shared_server: Any, explained: EstimatedAndExact, language: str
) -> None:
    page = themed_page
    open_first(page, shared_server, explained, ESTIMATED.name, language)
    shares = page.locator(".why td.share")
    assert shares.count() == page.locator(".why td.share .error").count() > 0
    assert all("%" in text and "±" in text for text in shares.all_inner_texts())
    assert page.locator(".why .estimated").inner_text() == words(language)("app.triage.why.estimated")
    faint, plain = (
        page.locator(f".why td.share {part}").first.evaluate("node => getComputedStyle(node).color")
        for part in (".error", "span:nth-child(2)")
    )
    assert faint != plain, "quieter than the share itself"
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate(SPILLS, [".body", ".why", ".why .scroll", ".why .estimated"]) == []


def test_an_exact_share_stands_alone(page: Any, shared_server: Any, explained: EstimatedAndExact) -> None:
    open_first(page, shared_server, explained, FOREST.name, "en")
    assert all("%" in text and "±" not in text for text in page.locator(".why td.share").all_inner_texts())
    assert page.locator(".why .error, .why .estimated").count() == 0
