"""What other pages will import → imported while nobody asks for anything, so that nobody waits for it at a click or at a key."""

from __future__ import annotations

import importlib
import sys
import threading

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
