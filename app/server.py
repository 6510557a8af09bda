"""The app's server: the pages, and the route that keeps who is signed in. Started by `socml app`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from session_cookie import ROUTE, keep
from starlette.routing import Route

app = st.App(Path(__file__).with_name("home.py"), routes=[Route(ROUTE, keep, methods=["POST"])])
