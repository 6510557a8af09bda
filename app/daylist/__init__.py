"""A dataset and an analyst → the page Today: one list a day, judged at the speed of a key.

The browser holds the day; Python records, learns and answers. What is not acknowledged is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from figures import plain
from scripts import bundle

from daylist.desk import DayReport, open_day_desk

if TYPE_CHECKING:
    from frame import Visit

__all__ = ["today_view"]

_KEY = "today"


def today_view(visit: Visit) -> None:
    """Draw the list of the day that the address names; record what the component sends, and answer it."""
    say, asked = visit.say, st.query_params
    desk = open_day_desk(visit)
    desk.receive(_report(), say)
    payload = desk.payload(_report(), say, day=asked.get("day", ""), queue=asked.get("queue", ""))
    result = _component()(key=_KEY, data=payload, height="content", on_outbox_change=_changed)
    if desk.receive(DayReport.read(result.get("outbox")), say):
        st.rerun()
    for message in desk.take_problems(say):
        st.toast(plain(message), icon=":material/error:")


def _changed() -> None:
    """Let Streamlit know that this state is read; the page reads it before it draws."""


def _report() -> DayReport:
    return DayReport.read((st.session_state.get(_KEY) or {}).get("outbox"))


def _component() -> Any:
    js, css = bundle("daylist/main.js", "labelling/triage.css daylist/today.css")
    return st.components.v2.component("socml.today", js=js, css=css)
