"""The named views of Hunt's queue and filter → a menu beside the filter: open one, save what is on screen, delete an own one."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from frame import Place
from people import kept_store

from socml.labels import SavedView, SavedViews
from socml.project import SocmlError, Words, visible_line

PAGE = "hunt"


def views_menu(place: Place, state: Mapping[str, str]) -> None:
    """Draw the menu; `state` is what a view saved now would hold. Opening one writes the fields `queue` and `filter`."""
    say, run = place.say, place.run or {}
    views = kept_store(place.project, read_only=not place.may_write).views
    dataset = str(run["dataset"])
    with st.popover(say("today.views.title"), icon=":material/bookmark:"):
        there = {view.id: view for view in views.seen_by(place.analyst, dataset=dataset, page=PAGE)}
        if there:
            _open(there, say)
        else:
            st.caption(say("today.views.none"))
        if place.may_write:
            _save(views, place.analyst, dataset, state, say)
            chosen = there.get(str(st.session_state.get("view")))
            if chosen and chosen.by == place.analyst:
                st.button(say("today.views.delete"), on_click=_delete, args=[views, chosen], icon=":material/delete:")
    if problem := st.session_state.pop("view_problem", ""):
        st.toast(visible_line(problem), icon=":material/error:")


def _open(there: Mapping[str, SavedView], say: Words) -> None:
    if st.session_state.get("view") not in there:
        st.session_state.pop("view", None)

    def named(view_id: str) -> str:
        view = there[view_id]
        whose = f" · {say('today.views.shared')}, {say('today.views.of', who=view.by)}" if view.shared else ""
        return visible_line(view.name + whose)

    def opened() -> None:
        state = there[st.session_state["view"]].state if st.session_state.get("view") in there else {}
        st.session_state["queue"] = st.session_state["kept_queue"] = state.get("queue") or "mixed"
        st.session_state["filter"] = state.get("q", "")

    title = say("today.views.title")
    st.selectbox(
        title, list(there), key="view", index=None, format_func=named, on_change=opened, label_visibility="collapsed"
    )


def _save(views: SavedViews, by: str, dataset: str, state: Mapping[str, str], say: Words) -> None:
    with st.form("view_form", clear_on_submit=True, border=False):
        name = st.text_input(say("today.views.name"), max_chars=80)
        shared = st.checkbox(say("today.views.share"))
        if st.form_submit_button(say("today.views.save")):
            try:
                views.save(name, state, by=by, dataset=dataset, shared=shared)
            except SocmlError as error:
                st.session_state["view_problem"] = str(error)
            st.rerun()


def _delete(views: SavedViews, view: SavedView) -> None:
    try:
        views.delete(view.id, by=view.by)
    except SocmlError as error:
        st.session_state["view_problem"] = str(error)
    st.session_state.pop("view", None)
