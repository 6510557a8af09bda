"""The app: every page and the line of them at the top; Today is at `/`.

Served by `server.py`, which `socml app` starts.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from ahead import import_ahead
from frame import page_title
from pages import PAGES, Page

ICON = Path(__file__).with_name("icon.svg")  # a named icon would be fetched from a server on the internet


def _page(page: Page) -> st.Page:
    return st.Page(
        page.file,
        title=page_title(page.title),
        icon=f":material/{page.icon}:",
        url_path=page.path or None,
        default=not page.path,
        visibility="visible" if page.listed else "hidden",
    )


st.set_page_config(page_title="socml", page_icon=ICON, layout="wide")
st.navigation([_page(page) for page in PAGES], position="top").run()
import_ahead()
