"""Sessions whose tab was closed → the events before them are free for others within seconds, not when their leases end.

A tab that only lost its connection for longer takes what is left of them again with its next report.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Protocol

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

LOOK_S = 3.0
AWAY_S = 9.0  # without a connection, after which a tab counts as closed; a reload takes less


class Leaver(Protocol):
    """Who has events before them and can give them back."""

    def leave(self) -> None:
        """Give back every event."""


class OpenTabs:
    """Who has a tab open, by session, and since how many looks a session was away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._desks: dict[str, Leaver] = {}
        self._away: dict[str, int] = {}

    def opened(self, session: str, desk: Leaver) -> None:
        """Remember who is before a session."""
        with self._lock:
            self._desks[session] = desk
            self._away[session] = 0

    def look(self, active: set[str]) -> None:
        """Let those leave whose session has been away for long enough."""
        with self._lock:
            for session in self._away:
                self._away[session] = 0 if session in active else self._away[session] + 1
            gone = [session for session, looks in self._away.items() if looks * LOOK_S >= AWAY_S]
            left = [self._desks.pop(session) for session in gone]
            for session in gone:
                del self._away[session]
        for desk in left:
            desk.leave()

    def sessions(self) -> list[str]:
        """Return the sessions that are watched."""
        with self._lock:
            return list(self._desks)


def leave_when_closed(desk: Leaver) -> None:
    """Let a desk leave when the tab of this session is closed."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _watched().opened(context.session_id, desk)


@st.cache_resource(show_spinner=False)
def _watched() -> OpenTabs:
    tabs = OpenTabs()
    threading.Thread(target=_watch, args=(tabs, threading.Event()), name="socml-open-tabs", daemon=True).start()
    return tabs


def _watch(tabs: OpenTabs, never: threading.Event) -> None:
    while not never.wait(LOOK_S):
        with suppress(RuntimeError):  # the server is on its way out
            server = runtime.get_instance()
            tabs.look({session for session in tabs.sessions() if server.is_active_session(session)})
