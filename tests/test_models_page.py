"""The page Runs without a browser: what it draws of a run, and who may change what scores every night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from app_text import APP
from builders import BuiltRun, make_project, make_run
from patience import PATIENCE_S

from socml.project import Project, words


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = make_project(tmp_path / "lab")
    monkeypatch.setenv("SOCML_PROJECT", str(made.root))
    for name in ("SOCML_ANALYST", "SOCML_WORKSPACE", "SOCML_LABELS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(str(APP))
    return made


@pytest.fixture
def built(project: Project) -> BuiltRun:
    return make_run(project)


def opened() -> Any:
    testing = pytest.importorskip("streamlit.testing.v1")
    return testing.AppTest.from_file(str(APP / "run_overview.py"), default_timeout=PATIENCE_S).run()


def test_a_run_is_compared_with_another_over_the_same_rows(built: BuiltRun, project: Project) -> None:
    make_run(project, run_id="other", seed=0)
    app = opened()
    assert not app.exception
    app.button(key="compare_do").click().run()
    assert not app.exception
    assert next(metric.label for metric in app.metric) == words("en")("app.runs.rank_correlation")


def test_a_single_run_says_that_there_is_nothing_to_compare_with(built: BuiltRun) -> None:
    app = opened()
    assert not app.exception
    assert any(caption.value == words("en")("app.runs.compare_none") for caption in app.caption)
