"""A part of a page that is drawn by itself asks each time whether the person before it is still the same."""

from __future__ import annotations

import pytest
from patience import PATIENCE_S

from socml.labels.recording import open_labels
from socml.project.project import Project

SECRET = "a long enough one"


def _page() -> None:
    import streamlit as st
    from people import Visitor, is_still

    from socml.project import find_project

    person = Visitor(*st.session_state["drawn_for"])
    st.text(str(is_still(person, find_project())))


def test_a_session_that_ended_or_a_role_that_changed_is_noticed(app_project: Project) -> None:
    testing = pytest.importorskip("streamlit.testing.v1")
    app = testing.AppTest.from_function(_page, default_timeout=PATIENCE_S)

    def is_still(name: str, role: str, *, may_write: bool) -> bool:
        app.session_state["drawn_for"] = (name, role, may_write)
        return str(app.run().text[0].value) == "True"

    with open_labels(app_project) as store:
        assert is_still("", "analyst", may_write=True), "there are no accounts, and names are typed"
        store.accounts.make("ana", "analyst", SECRET, by="setup")
        assert not is_still("", "analyst", may_write=True), "now there are accounts"
        app.session_state["socml_session"] = store.accounts.sign_in("ana", SECRET)
        assert is_still("ana", "analyst", may_write=True)
        assert not is_still("bo", "analyst", may_write=True)
        store.accounts.make("ana", "viewer", SECRET, by="setup")
        app.session_state["socml_session"] = store.accounts.sign_in("ana", SECRET)
        assert not is_still("ana", "analyst", may_write=True), "a viewer writes nothing any more"
        store.accounts.close("ana", by="setup")
        assert not is_still("ana", "viewer", may_write=False)
