"""A project with one of everything, to damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_lab import DATASET, FEATURES, MODEL, Said, copy_lab, first_row, flows, make_lab

from socml.project.project import Project
from socml.project.workspace import list_runs


@pytest.fixture(scope="session")
def whole_lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A lab that went down the line once; nobody changes it."""
    return make_lab(tmp_path_factory.mktemp("whole") / "lab")


@pytest.fixture
def damageable(whole_lab: Project, tmp_path: Path) -> Project:
    """A copy of the lab."""
    return copy_lab(whole_lab, tmp_path / "lab")


def verbs(project: Project) -> dict[str, tuple[str, ...]]:
    """Return a command line of each verb that reads or writes the workspace."""
    row, run = first_row(project), str(list_runs(project)[0]["run_id"])
    (project.root / "labels.csv").write_text(f"row_id,verdict\n{row},malicious\n")
    flows(project.root / "more.log", rows=700)
    return {
        "ingest": ("ingest", "more.log", "--dataset", DATASET),
        "features": ("features", FEATURES, DATASET),
        "fit": ("fit", MODEL, DATASET),
        "score": ("score", MODEL, DATASET),
        "explain": ("explain", row),
        "queue": ("queue", "-n", "3"),
        "label": ("label", row, "malicious"),
        "undo": ("label", "--undo", "--by", "ana"),
        "export": ("labels", "export", "out.csv"),
        "import": ("labels", "import", "labels.csv", "--dataset", DATASET),
        "report": ("labels", "report"),
        "families": ("labels", "family", "list"),
        "compare": ("compare", run, run),
        "run": ("run", "first"),
    }


def check(said: Said, code: int, *texts: str) -> None:
    """The command ended with this code and one sentence, in which the texts are."""
    assert said.code == code, said
    assert "Traceback" not in said.out + said.err
    assert "not foreseen" not in said.err
    last = said.err.rstrip().splitlines()[-1] if said.err.strip() else ""
    if code:
        assert last.startswith("socml: "), said
        assert said.out == ""
    for text in texts:
        assert text in (last if code else said.err), said
