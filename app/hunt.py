"""A scoring run → the queue, the event in words and one-key labelling: the page Hunt, for any run, model and strategy."""

from __future__ import annotations

import streamlit as st
from frame import Place, apart, open_page
from labelling import triage_view
from views_menu import PAGE, views_menu

from socml.project import Words
from socml.review import LONGEST_FILTER

QUEUES = ("mixed", "most-anomalous", "uncertain", "diverse", "random-audit")


def _hunt(place: Place) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        strategy = _choose_queue(place.say)
        only = _filter(place.say)
        views_menu(place, {"page": PAGE, "queue": strategy if strategy != QUEUES[0] else "", "q": only})
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
        ),
    )


def _choose_queue(say: Words) -> str:
    """Draw how the next events are chosen, and return it; the address says it too, so that it can be sent."""
    wished = str(st.query_params.get("queue") or st.session_state.get("kept_queue") or QUEUES[0])
    # Written each time: Streamlit forgets a field when another page is opened.
    st.session_state["queue"] = st.session_state.get("queue", wished if wished in QUEUES else QUEUES[0])
    chosen = str(
        st.segmented_control(
            say("app.hunt.queue.title"),
            QUEUES,
            key="queue",
            format_func=lambda name: say(f"app.hunt.queue.{name.replace('-', '_')}"),
            label_visibility="collapsed",
            required=True,
            width="content",
        )
    )
    st.session_state["kept_queue"] = chosen
    if st.query_params.get("queue", QUEUES[0]) != chosen:
        st.query_params["queue"] = chosen
    return chosen


def _filter(say: Words) -> str:
    """Draw the filter, and return what was typed into it; the address says it too."""
    # Written each time: Streamlit forgets a field when another page is opened.
    kept = st.query_params.get("q") or st.session_state.get("kept_filter") or ""
    st.session_state["filter"] = st.session_state.get("filter", kept)
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
    st.session_state["kept_filter"] = typed
    if typed:
        st.query_params["q"] = typed
    else:
        st.query_params.pop("q", None)
    return typed


open_page(_hunt)
