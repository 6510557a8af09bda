"""A scoring run → the queue, the event in words and one-key labelling: the page Hunt, for any run, model and strategy."""

from __future__ import annotations

from functools import partial

import streamlit as st
from addressed import keep, restore
from frame import Place, apart, open_page
from labelling import MOST, Columns, triage_view
from views_menu import PAGE, views_menu

from socml.project import Words, visible_line
from socml.review import LONGEST_FILTER

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
            place.run or {},
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
    say, run = place.say, place.run or {}
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


open_page(_hunt)
