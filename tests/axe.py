"""A page → what axe-core finds that keeps people from using it, shadow roots included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
SERIOUS = ("serious", "critical")
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((one) => [one.id, one.impact ?? "", one.nodes.map((node) => node.target.flat(9).join(" "))]);
}"""


@dataclass(frozen=True)
class Violation:
    """A rule of axe that a page breaks: its name, how bad that is, and where."""

    rule: str
    impact: str
    where: tuple[str, ...]


def axe_script() -> Path | None:
    """Return where `make browser` put axe-core; None if it is not there."""
    return max((ROOT / ".venv" / "axe-core").glob("*/package/axe.min.js"), default=None)


def violations(page: Page, script: Path) -> list[Violation]:
    """Return what axe finds on a page that is drawn."""
    page.evaluate(script.read_text(encoding="utf-8"))
    return [Violation(rule, impact, tuple(where)) for rule, impact, where in page.evaluate(_RUN)]
