"""The app's server: the pages, and the route that keeps who is signed in. Started by `socml app`."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

import streamlit as st
from ahead import OpensHuntAhead
from front_door import FrontDoor
from pages import page_routes
from session_cookie import ROUTE, keep
from single_sign_on import auth_secrets
from starlette.middleware import Middleware
from starlette.routing import Route

from socml.project import SocmlError

try:
    _SECRETS = auth_secrets()
except SocmlError as error:
    sys.exit(f"socml: {error}")

SWITCH_S = 0.0005  # a tenth of what Python gives a thread: a page is not kept waiting by what is read ahead of it
sys.setswitchinterval(SWITCH_S)
for part in ("frame", "labelling", "daylist"):  # before anybody waits for a page
    import_module(part)
inspect.stack()  # Streamlit asks for it at its first element; what Python learns of all modules by it is kept

app = st.App(
    Path(__file__).with_name("home.py"),
    secrets=_SECRETS,
    routes=[Route(ROUTE, keep, methods=["POST"]), *page_routes()],
    middleware=[Middleware(FrontDoor), Middleware(OpensHuntAhead)],
)
