"""Where the app lies, one of its pages without a browser, its text, and the project that pages are opened on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from socml.project.project import Project

APP = Path(__file__).resolve().parents[1] / "app"


def opened(page: str, **address: str) -> Any:
    """Return the page of that file, drawn, as its address with these parameters opens it."""
    testing = pytest.importorskip("streamlit.testing.v1")
    app = testing.AppTest.from_file(str(APP / page), default_timeout=PATIENCE_S)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def all_text(app: Any) -> str:
    """Return what stands on the page, as a person reads it: Streamlit takes a backslash before a sign away."""
    markdown = (app.caption, app.subheader, app.info, app.error, app.warning)
    seen = [re.sub(r"\\([^\w\s]|_)", r"\1", str(element.value)) for kind in markdown for element in kind]
    return "\n".join([*seen, *(str(element.value) for kind in (app.text, app.code) for element in kind)])


@pytest.fixture
def open_app_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Project], None]:
    """Return what lets pages be opened on a project, whatever the environment says."""

    def set_up(project: Project) -> None:
        monkeypatch.setenv("SOCML_PROJECT", str(project.root))
        for name in ("SOCML_ANALYST", "SOCML_WORKSPACE", "SOCML_LABELS_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.syspath_prepend(str(APP))

    return set_up


@pytest.fixture
def app_project(tmp_path: Path, open_app_on: Callable[[Project], None]) -> Project:
    """A project without a run, on which pages are opened."""
    from builders import make_project

    made = make_project(tmp_path / "lab")
    open_app_on(made)
    return made
