"""A scoring run → the queue, the event in words and one-key labelling: the page Hunt, for any run, model and strategy."""

from __future__ import annotations

import streamlit as st
from frame import Place, apart, open_page
from labelling import triage_view

from socml.project import Words

QUEUES = ("mixed", "most-anomalous", "uncertain", "diverse", "random-audit")


def _hunt(place: Place) -> None:
    strategy = _choose_queue(place.say)
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


open_page(_hunt)
