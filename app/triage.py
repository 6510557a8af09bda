"""The app: a scoring run → the queue, the event in words and one-key labelling, at `/`; other pages beside it.

Started by `socml app`, which is `streamlit run app/triage.py`.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from frame import Place, open_page, page_title
from labelling import triage_view


def triage_page() -> None:
    """Draw the default page."""
    open_page(_triage)


def _triage(place: Place) -> None:
    triage_view(place.project, place.run or {}, place.analyst, place.say, open_row=st.query_params.get("event", ""))


ICON = Path(__file__).with_name("icon.svg")  # a named icon would be fetched from a server on the internet

st.set_page_config(page_title="socml", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page(triage_page, title=page_title("triage"), icon=":material/troubleshoot:", default=True),
        st.Page("label_history.py", title=page_title("labels"), icon=":material/history:", url_path="labels"),
        st.Page("run_overview.py", title=page_title("runs"), icon=":material/monitoring:", url_path="runs"),
        st.Page("tools.py", title=page_title("tools"), icon=":material/handyman:", url_path="tools"),
    ],
    position="top",
).run()
