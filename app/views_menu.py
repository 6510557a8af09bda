"""The named views of Hunt's queue, filter and columns → a dialog: open one, save what is on screen, delete an own one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st
from figures import error_in_words, plain
from frame import Place
from people import is_still, kept_store

from socml.labels import SavedView, SavedViews
from socml.project import SocmlError, Words, visible_line

PAGE = "hunt"


def views_menu(place: Place, state: Mapping[str, str]) -> None:
    """Draw the button; `state` is what a view saved now would hold. Opening one writes these fields."""
    if st.button(place.say("today.views.title"), icon=":material/bookmark:"):
        st.dialog(place.say("today.views.title"))(partial(_menu, place, state))()
    if problem := st.session_state.pop("view_problem", None):
        st.toast(plain(error_in_words(problem, place.say)), icon=":material/error:")


def _menu(place: Place, state: Mapping[str, str]) -> None:
    say, dataset = place.say, str((place.run or {})["dataset"])
    views = kept_store(place.project, read_only=not place.may_write).views
    there = views.seen_by(place.analyst, dataset=dataset, page=PAGE)
    for view in there:
        _line(views, view, place)
    if not there:
        st.caption(say("today.views.none"))
    if place.may_write:
        _save(views, place.analyst, dataset, state, say)


def _line(views: SavedViews, view: SavedView, place: Place) -> None:
    """Draw a view: what opens it, whose it is, and what deletes one's own."""
    say, name = place.say, visible_line(view.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(plain(name), key=f"open_{view.id}", on_click=_opened, args=[view.state], width="stretch"):
            st.rerun()
        if view.shared:
            st.caption(
                plain(say("today.views.shared") if view.by == place.analyst else say("today.views.of", who=view.by))
            )
        if place.may_write and view.by == place.analyst:
            delete = say("today.views.delete")
            about = [place, views, view]
            st.button(delete, key=f"delete_{view.id}", on_click=_delete, args=about, icon=":material/delete:")


def _opened(state: Mapping[str, str]) -> None:
    st.session_state["queue"] = state.get("queue") or "mixed"
    st.session_state["filter"] = state.get("filter", "")
    st.session_state["columns"] = state.get("columns", "").splitlines()


def _save(views: SavedViews, by: str, dataset: str, state: Mapping[str, str], say: Words) -> None:
    with st.form("view_form", clear_on_submit=True, border=False):
        name = st.text_input(say("today.views.name"), max_chars=80)
        shared = st.checkbox(say("today.views.share"))
        if st.form_submit_button(say("today.views.save")):
            try:
                views.save(name, state, by=by, dataset=dataset, shared=shared)
            except SocmlError as error:
                st.session_state["view_problem"] = error
            st.rerun()


def _delete(place: Place, views: SavedViews, view: SavedView) -> None:
    if not is_still(place.person, place.project):
        return
    try:
        views.delete(view.id, by=view.by)
    except SocmlError as error:
        st.session_state["view_problem"] = error
