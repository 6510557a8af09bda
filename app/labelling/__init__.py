"""A run and an analyst → the triage view on the page: a component that labels at the speed of a key.

The browser holds the next events and advances at once; Python records, re-ranks and answers. Neither waits
for the other, and no label depends on a message that could be lost: what is not acknowledged is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from figures import error_in_words, plain
from scripts import bundle

from labelling.columns import MOST, Columns
from labelling.desk import STRATEGY, open_desk
from labelling.exchange import Report
from socml.project import Project, Run, Words
from socml.review import FilterError

__all__ = ["MOST", "Columns", "triage_view"]

_KEY = "triage"


def triage_view(
    project: Project,
    run: Run,
    analyst: str,
    say: Words,
    *,
    open_row: str = "",
    may_write: bool = True,
    strategy: str = STRATEGY,
    only: str = "",
    columns: Sequence[str] = (),
) -> None:
    """Draw the triage view of a run; record what the component sends, and answer it.

    Parameters
    ----------
    open_row : the row that the address asks for; the first of the queue if empty
    strategy : how the queue is chosen
    only : what was typed into the filter
    columns : features that stand as columns of the list
    """
    try:
        desk = open_desk(project, str(run["run_id"]), analyst, may_write=may_write, strategy=strategy, only=only)
    except FilterError as error:
        st.warning(plain(error_in_words(error, say)))
        desk = open_desk(project, str(run["run_id"]), analyst, may_write=may_write, strategy=strategy)
    if desk.fit is not None:
        counts = {"shown": say.number(desk.fit), "of": say.number(run.get("rows", 0))}
        st.caption(say("app.triage.filter.fit", n=desk.fit, **counts) if desk.fit else say("app.triage.filter.none"))
    desk.receive(_report())  # what a callback would do, but also on the first run after a restart
    if open_row and not desk.has(open_row):
        st.warning(say("app.triage.no_such_event"))
        open_row = ""
    payload = desk.payload(_report(), say, open_row=open_row, columns=columns)
    result = _component()(key=_KEY, data=payload, height="content", on_outbox_change=_changed)
    late = Report.read(result.get("outbox"))
    if desk.receive(late):
        st.rerun()
    for message in desk.take_problems(say):
        st.toast(plain(message), icon=":material/error:")


def _changed() -> None:
    """Let Streamlit know that this state is read; the page reads it before it draws."""


def _report() -> Report:
    return Report.read((st.session_state.get(_KEY) or {}).get("outbox"))


def _component() -> Any:
    js, css = bundle("labelling/main.js", "labelling/triage.css")
    return st.components.v2.component("socml.review", js=js, css=css)
