"""Which language a page speaks: what was chosen in this session, what the address says, else the project's.

An address that names none is given one by the browser before the app begins (`places.js`).
"""

from __future__ import annotations

import streamlit as st

from socml.project import LANGUAGES, Project, SocmlError, Words, find_project

LANGUAGE_NAMES = {"en": "English", "fr": "Français"}


def language_of(project: Project | None) -> str:
    """Return the language of the session; the project's, or English, where nobody named one."""
    said = st.session_state.get("language") or st.query_params.get("lang") or st.session_state.get("kept_lang")
    if said in LANGUAGES:
        return str(said)
    try:
        return (project or find_project()).language
    except SocmlError:
        return LANGUAGES[0]


def choose_language(language: str, say: Words) -> None:
    """Draw the choice of languages, and let the address and the session keep what is chosen."""
    st.session_state["language"] = language
    st.segmented_control(
        say("app.language"),
        LANGUAGES,
        key="language",
        format_func=LANGUAGE_NAMES.__getitem__,
        label_visibility="collapsed",
        required=True,
        width="content",
    )
    st.session_state["kept_lang"] = language
    if st.query_params.get("lang") != language:
        st.query_params["lang"] = language
