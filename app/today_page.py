"""The daily list of a dataset → whom to look at today, and why: the first page."""

from __future__ import annotations

import streamlit as st
from daylist import today_view
from frame import Visit, apart, open_day_page, say_how_to_begin

from socml.jobs import MODEL
from socml.project import recipe_names


def _today(visit: Visit) -> None:
    if not visit.dataset:
        say_how_to_begin(visit.say)
        return
    if MODEL not in recipe_names("models", visit.project):
        st.subheader(visit.say("today.empty.no_list"))
        st.text(visit.say("today.empty.no_list_about"))
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
