"""What imports leave behind → set apart from the garbage collector, which Streamlit calls after every run of a page.

Called as a run begins: Streamlit has just collected what the last one left, so that nothing is set apart that is garbage.

Half a million objects of imported packages are never garbage; looking at each of them after every key costs 0.2 CPU s.
"""

from __future__ import annotations

import gc
import sys
import threading

_LOCK = threading.Lock()
_MODULES = [0]  # how many were imported when it was done last
_MANY = 20  # imported since, from which it is worth doing again


def set_imports_apart() -> None:
    """Set apart what is there now, if packages were imported since the last time."""
    with _LOCK:
        if len(sys.modules) < _MODULES[0] + _MANY:
            return
        _MODULES[0] = len(sys.modules)
        gc.freeze()
