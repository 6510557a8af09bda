"""The app: every page and the line of them at the top; Today is at `/`.

Served by `server.py`, which `socml app` starts.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from ahead import import_ahead
from frame import page_title

ICON = Path(__file__).with_name("icon.svg")  # a named icon would be fetched from a server on the internet

st.set_page_config(page_title="socml", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page("today_page.py", title=page_title("today"), icon=":material/today:", default=True),
        st.Page("hunt.py", title=page_title("hunt"), icon=":material/troubleshoot:", url_path="hunt"),
        st.Page("features_page.py", title=page_title("looking"), icon=":material/bar_chart:", url_path="features"),
        st.Page("cases.py", title=page_title("cases"), icon=":material/work:", url_path="cases"),
        st.Page("label_history.py", title=page_title("labels"), icon=":material/history:", url_path="labels"),
        st.Page("run_overview.py", title=page_title("runs"), icon=":material/monitoring:", url_path="runs"),
        st.Page("data.py", title=page_title("data"), icon=":material/database:", url_path="data"),
        st.Page("entity.py", title=page_title("entity"), icon=":material/lan:", url_path="entity", visibility="hidden"),
        st.Page("tools.py", title=page_title("tools"), icon=":material/handyman:", url_path="tools"),
    ],
    position="top",
).run()
import_ahead()
