"""The notebooks run from top to bottom, as a data scientist would run them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from patience import PATIENCE_S

from socml.evaluate import prepare_dataset
from socml.project import init_project, read_project

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A project in which the shipped dataset is there."""
    root = tmp_path_factory.mktemp("simulated") / "lab"
    init_project(root)
    prepare_dataset("demo", project=read_project(root))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_notebook_runs(path, simulated, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    shutil.copytree(simulated, tmp_path / "lab")
    monkeypatch.delenv("SOCML_PROJECT", raising=False)
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(tmp_path / "lab")}}
    NotebookClient(notebook, timeout=3600, startup_timeout=PATIENCE_S, resources=place).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_kept_without_results(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
