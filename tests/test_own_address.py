"""Without accounts the app is this machine's own: who comes from elsewhere, or by a name that only leads here, sees nothing."""

from __future__ import annotations

import pytest
from app_pages import all_text, opened
from builders import make_run

from socml.project.project import Project


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:8501", True),
        ("localhost:8501", True),
        ("LOCALHOST", True),
        ("[::1]:8501", True),
        ("", True),
        ("evil.example:8501", False),  # a page of another site whose name was made to lead here
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:8501", False),
        ("192.0.2.7:8501", False),
        ("[::1", False),
    ],
)
def test_a_page_whose_name_leads_here_is_not_shown_the_app(
    host: str, is_ours: bool, app_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = pytest.importorskip("streamlit.runtime.context")
    make_run(app_project)
    monkeypatch.setattr(context.ContextProxy, "headers", {"Host": host} if host else {})
    app = opened("hunt.py")
    assert ("there is no account" in all_text(app)) != is_ours
    assert bool(app.selectbox) == is_ours


def test_whom_a_proxy_brings_is_not_shown_the_app(app_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    context = pytest.importorskip("streamlit.runtime.context")
    make_run(app_project)
    monkeypatch.setattr(context.ContextProxy, "headers", {"Host": "127.0.0.1:8501", "X-Forwarded-For": "192.0.2.7"})
    app = opened("hunt.py")
    assert "there is no account" in all_text(app)
    assert not app.selectbox
