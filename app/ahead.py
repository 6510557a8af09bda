"""What pages will need → there before anybody waits for it at a click or at a key: modules, and the run that Hunt opens."""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from labelling.desk import kept_ranking

from socml.project import SocmlError, find_project, list_runs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MODULES = ("altair",)  # 2 s, for all pages with a chart
_AFTER_S = 15.0  # since a page, or a part of one, was drawn last
_LOCK = threading.Lock()
_WAITING: list[threading.Timer] = []


def import_ahead() -> None:
    """Begin once nothing was drawn for a while; called whenever a page is drawn."""
    with _LOCK:
        _cancel()
        if not all(name in sys.modules for name in _MODULES):
            _WAITING.append(threading.Timer(_AFTER_S, _import))
            _WAITING[0].daemon = True
            _WAITING[0].start()


def put_off() -> None:
    """Wait anew, if it has not begun: a part of a page was drawn."""
    if _WAITING:
        import_ahead()


def _cancel() -> None:
    for timer in _WAITING:
        timer.cancel()
    _WAITING.clear()


def _import() -> None:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


class OpensHuntAhead:
    """Reads the run that the page Hunt shows while the browser still loads the page: a million rows take a second.

    Only the first time a process is asked for Hunt, so that no address can make it read run after run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._asked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if not self._asked and scope["type"] == "http" and scope["path"].endswith("/hunt"):
            self._asked = True
            wished = parse_qs(scope["query_string"].decode("latin-1")).get("run", [""])[0]
            threading.Thread(target=_open, args=[wished], daemon=True).start()
        await self._app(scope, receive, send)


def _open(wished: str) -> None:
    with suppress(SocmlError, OSError):  # the page says what is wrong
        project = find_project()
        runs = [str(run["run_id"]) for run in list_runs(project)]
        if runs:
            kept_ranking(project, wished if wished in runs else runs[0])
