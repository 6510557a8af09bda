"""The documentation site builds strictly, and the Python on its pages runs from top to bottom."""

from __future__ import annotations

import json
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
    read = [parse_recipe(ModelRecipe, recipe, path=Path("models/page.toml")) for recipe in recipes]
    assert [bool(recipe.steps) for recipe in read] == [True, True, False]


def test_every_model_that_a_page_scores_with_is_shipped_or_written_on_that_page():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "fr").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        named = set(
            re.findall(r"^ +socml (?:fit|score|retrain|shadow|promote|rollback|validate) ([a-z][a-z0-9-]*)", text, re.M)
        )
        there = {path.stem for path in (ROOT / "models").glob("*.toml")} | set(
            re.findall(r"`models/([a-z0-9-]+)\.toml`", text)
        )
        assert named - there == set(), page


# Line of the README's table, from its start → results file, case, measure, digits; None is the figure, a name is that peer's.
FIGURES = [
    ("simulated attacks", "results-daily", "all cases", "attacks in the first 20 rows of their day", 0, None),
    ("simulated attacks", "results-daily", "all cases", "attacks in the first 20 rows of their day", 0, "source-5min, isolation forest"),
    ("malicious rows", "results-learning", "mean of 32 tables", "found in 100 labels", 1, None),
    ("malicious rows", "results-learning", "mean of 32 tables", "found in 100 labels", 1, "AADForest"),
    ("malicious rows", "results-learning", "mean of 32 tables", "found in 100 labels", 1, "static"),
    ("F1 after", "results-learning", "nsl20-10, 220 labels", "F1", 3, None),
    ("F1 after", "results-learning", "nsl20-10, 220 labels", "F1", 3, "SecuML"),
    ("CPU s from", "results-learning", "1,000,000 rows, 100 trees", "re-ranked after a label", 2, None),
    ("CPU s from", "results-learning", "1,000,000 rows, 100 trees", "re-ranked after a label", 2, "AADForest"),
    ("average precision", "results-detectors", "ensemble, leave-one-group-out", "mean average precision", 3, None),
    ("average precision", "results-detectors", "ensemble, leave-one-group-out", "mean average precision", 3, "scikit-learn IsolationForest"),
    ("average precision", "results-detectors", "ensemble, leave-one-group-out", "mean average precision", 3, "PyOD ECOD"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "results", "case", "measure", "digits", "peer"), FIGURES)
def test_the_figures_of_the_readme_are_the_measured_ones(line, results, case, measure, digits, peer):
    figures = json.loads((ROOT / "docs" / "results" / f"{results}.json").read_text(encoding="utf-8"))
    found = [one for one in figures if (one["case"], one["measure"]) == (case, measure)]
    values = (
        [one["peer_value"] for one in found if one.get("peer") == peer] if peer else [one["value"] for one in found]
    )
    [row] = [
        row for row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if row.startswith(f"| {line}")
    ]
    cell = row.split("|")[3 if peer else 2]
    assert {f"{value:.{digits}f}" for value in values} <= set(re.findall(r"\d[\d.]*", cell.replace(",", "")))
    assert values


@pytest.mark.slow
def test_the_site_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    assert "OutlierDetector" in page
    assert "fonts.googleapis" not in page
