"""What skops trusts is the same, however it was imported."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import pytest

from socml.models.version_files import import_skops

TRUSTED = "from skops.io._trusted_types import SCIPY_UFUNC_TYPE_NAMES as names; import json; print(json.dumps(names))"


def trusted_names(first: str) -> list[str]:
    """Return the functions of SciPy that skops trusts in a process that imports `first` before it."""
    done = subprocess.run([sys.executable, "-c", f"{first}; {TRUSTED}"], check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout))


def test_the_quick_way_to_import_skops_trusts_the_same_functions():
    quick = trusted_names("from socml.models.version_files import import_skops; import_skops()")
    assert quick == trusted_names("import skops.io")
    assert any(name.endswith(".expit") for name in quick)


def test_a_module_that_another_thread_still_fills_does_not_stop_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    growing = ModuleType("scipy.special.growing")

    class Filling:
        """What another thread adds while this one is looked at."""

        @property
        def __class__(self):
            growing.added = 1
            return Filling

    growing.first, growing.second = Filling(), 2
    monkeypatch.setitem(sys.modules, growing.__name__, growing)
    import_skops()
    assert growing.added
