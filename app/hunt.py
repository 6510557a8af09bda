"""A scoring run → the queue, the event in words and one-key labelling: the page Hunt, for any run, model and strategy."""

from __future__ import annotations

import streamlit as st
from frame import Place, open_page
from labelling import triage_view


def _hunt(place: Place) -> None:
    wanted = st.query_params.get("event", "")
    triage_view(place.project, place.run or {}, place.analyst, place.say, open_row=wanted, may_write=place.may_write)


open_page(_hunt)
