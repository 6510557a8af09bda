"""What skops trusts is the same, however it was imported."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import pytest
import sklearn

from socml.models import version_files
from socml.models.version_files import import_skops

TRUSTED = (
    "import json, skops.io._trusted_types as t; "
    "print(json.dumps({n: sorted(v) for n, v in vars(t).items() if n.endswith('TYPE_NAMES')}))"
)
QUICKLY = "from socml.models.version_files import import_skops; import_skops()"


def trusted_names(first: str) -> dict[str, list[str]]:
    """Return all lists of types that skops trusts in a process that runs `first` before it."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{first}; {TRUSTED}"], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


def test_the_quick_way_to_import_skops_trusts_the_same_types():
    """Where this fails after an upgrade of scikit-learn: its version, then SKLEARN_ESTIMATOR_TYPE_NAMES, are estimators.txt."""
    quick = trusted_names(f"{QUICKLY}; import sys; assert 'sklearn.gaussian_process' not in sys.modules")
    assert quick == trusted_names("import skops.io")
    assert any(name.endswith(".expit") for name in quick["SCIPY_UFUNC_TYPE_NAMES"])
    assert "sklearn.ensemble._iforest.IsolationForest" in quick["SKLEARN_ESTIMATOR_TYPE_NAMES"]


def test_another_version_of_scikit_learn_is_searched():
    assert list(version_files._listed(sklearn.__version__))
    assert not list(version_files._listed("0.0"))


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
    version_files._name_functions()
    import_skops()
    assert growing.added
