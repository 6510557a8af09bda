"""The daily list of a dataset → whom to look at today, and why: the first page."""

from __future__ import annotations

import streamlit as st
from daylist import today_view
from daylist.desk import has_list
from frame import Visit, apart, open_day_page, say_how_to_begin


def _today(visit: Visit) -> None:
    if not visit.dataset:
        say_how_to_begin(visit.say)
        return
    if not has_list(visit):
        return
    apart(
        visit,
        lambda: today_view(
            visit.project,
            visit.dataset,
            visit.analyst,
            visit.say,
            store=visit.store,
            may_write=visit.may_write,
            day=st.query_params.get("day", ""),
            queue=st.query_params.get("queue", ""),
        ),
    )


open_day_page(_today)
