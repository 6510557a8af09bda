"""A scoring run → the queue, the event in words and one-key labelling: the page Hunt, for any run, model and strategy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st
from addressed import keep, restore
from figures import error_in_words, plain
from frame import Place, apart, open_page
from labelling import MOST, Columns, triage_view
from people import is_still, kept_store

from socml.labels import SavedView, SavedViews
from socml.project import SocmlError, Words, visible_line
from socml.review import LONGEST_FILTER

PAGE = "hunt"
QUEUES = ("mixed", "most-anomalous", "uncertain", "diverse", "random-audit")


def _hunt(place: Place) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        strategy = _choose_queue(place.say)
        only = _filter(place.say)
        columns = _choose_columns(place)
        usual = {"page": PAGE, "queue": strategy if strategy != QUEUES[0] else ""}
        views_menu(place, {**usual, "filter": only, "columns": "\n".join(columns)})
    apart(
        place,
        lambda: triage_view(
            place.project,
            place.run,
            place.analyst,
            place.say,
            open_row=st.query_params.get("event", ""),
            may_write=place.may_write,
            strategy=strategy,
            only=only,
            columns=columns,
        ),
    )


def _choose_queue(say: Words) -> str:
    """Draw how the next events are chosen, and return it."""
    restore("queue", lambda said: said[0] if said and said[0] in QUEUES else QUEUES[0])
    chosen = str(
        st.segmented_control(
            say("app.hunt.queue.title"),
            QUEUES,
            key="queue",
            format_func=lambda name: say(f"app.hunt.queue.{name.replace('-', '_')}"),
            label_visibility="collapsed",
            required=True,
            width="content",
            wrap=True,
        )
    )
    keep("queue", [chosen] if chosen != QUEUES[0] else [])
    return chosen


def _filter(say: Words) -> str:
    """Draw the filter, and return what was typed into it."""
    restore("filter", lambda said: said[0][:LONGEST_FILTER] if said else "")
    typed = st.text_input(
        say("app.triage.filter.title"),
        key="filter",
        placeholder=say("app.triage.filter.placeholder"),
        help=say("app.triage.help.filter_about"),
        label_visibility="collapsed",
        icon=":material/filter_alt:",
        max_chars=LONGEST_FILTER,
        width=420,
    ).strip()
    keep("filter", [typed] if typed else [])
    return typed


def _choose_columns(place: Place) -> list[str]:
    """Draw the menu of the features that stand as columns of the list, and return those that were chosen."""
    say, run = place.say, place.run
    of_run = Columns(place.project, run)
    known = of_run.known()
    restore("columns", lambda said: said)
    chosen = [name for name in st.session_state["columns"] if name in known][:MOST]
    st.session_state["columns"] = chosen
    if st.button(say("app.hunt.columns.title"), icon=":material/view_column:"):
        # A dialog and no popover, which keys cannot reach; when it is closed, the list is drawn anew.
        dialog = st.dialog(say("app.hunt.columns.title"), on_dismiss="rerun", width="large")
        dialog(partial(_columns_menu, of_run, known, say))()
    keep("columns", chosen)
    return chosen


def _columns_menu(of_run: Columns, known: list[str], say: Words) -> None:
    if not known:
        st.caption(say("app.looking.gone"))
    st.multiselect(
        say("app.hunt.columns.about", n=MOST),
        known,
        key="columns",
        max_selections=MOST,
        format_func=lambda name: visible_line(f"{name} · {of_run.meaning(name, say)}"),
        disabled=not known,
        select_all=False,
        placeholder=say("app.hunt.columns.choose"),
    )


def views_menu(place: Place, state: Mapping[str, str]) -> None:
    """Draw the button; `state` is what a view saved now would hold. Opening one writes these fields."""
    if st.button(place.say("today.views.title"), icon=":material/bookmark:"):
        st.dialog(place.say("today.views.title"))(partial(_menu, place, state))()
    if problem := st.session_state.pop("view_problem", None):
        st.toast(plain(error_in_words(problem, place.say)), icon=":material/error:")


def _menu(place: Place, state: Mapping[str, str]) -> None:
    say, dataset = place.say, str(place.run["dataset"])
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


open_page(_hunt)
