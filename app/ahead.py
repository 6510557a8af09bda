"""What other pages will import → imported once the first page has all it needs, so that nobody waits for it at a click."""

from __future__ import annotations

import importlib
import threading
from functools import cache

_MODULES = ("altair",)  # 2 s, for all pages with a chart
_AFTER_S = 15.0  # the page that is drawn reads its evidence and its model first


@cache
def import_ahead() -> None:
    """Begin, once a process; a module that is not there is the matter of the page that needs it."""
    timer = threading.Timer(_AFTER_S, _import)
    timer.daemon = True
    timer.start()


def _import() -> None:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
