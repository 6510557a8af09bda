"""The documentation site builds strictly, and the Python on its pages runs from top to bottom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from socml.project import unregister

ROOT = Path(__file__).resolve().parents[1]
RUN = ("tutorial.md", "how-to.md")
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize("page", RUN)
def test_the_python_of_a_page_runs(page):
    blocks = _PYTHON.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {"__name__": "page"}
    try:
        for block in blocks:
            exec(compile(block, page, "exec"), names)  # our own page
    finally:
        unregister("detectors", "far-out")


def test_every_recipe_on_a_page_is_one():
    from socml.project.recipes import ModelRecipe, parse_recipe

    text = (ROOT / "docs" / "how-to.md").read_text(encoding="utf-8")
    recipes = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    assert len(recipes) == 2
    for recipe in recipes:
        assert parse_recipe(ModelRecipe, recipe, path=Path("models/page.toml")).steps


@pytest.mark.slow
def test_the_site_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    assert "OutlierDetector" in page
    assert "fonts.googleapis" not in page
