"""Nothing → skops, imported in a tenth of the time that it takes by itself."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from importlib import import_module, resources
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

ESTIMATORS = "estimators.txt"  # scikit-learn's version, then the full name of each estimator in it
_ONE_AT_A_TIME = threading.Lock()  # else the second would take what stands in for the search for the search


def import_skops() -> None:
    """Import skops without the two searches that take it longest; what it trusts afterwards is the same.

    It looks for the module of each of SciPy's functions among all modules that are loaded: that module, the first that has the
    function, is named here. And it imports all of scikit-learn to list the names of its estimators: the names of the version in
    the lock file are in `estimators.txt`, and any other version is searched as ever.
    """
    with _ONE_AT_A_TIME:
        if "skops.io" not in sys.modules:
            _import()


def _import() -> None:
    _name_functions()
    listed = list(_listed(import_module("sklearn").__version__))
    utils: Any = import_module("sklearn.utils")
    search = utils.all_estimators
    if listed:
        utils.all_estimators = lambda type_filter=None: listed
    try:
        import_module("skops.io")
    finally:
        utils.all_estimators = search


def _name_functions() -> None:
    import_module("scipy.special")
    for name, module in sys.modules.copy().items():  # other threads may be importing
        functions = vars(module).copy() if name.startswith("scipy.special") else {}
        for function in functions.values():
            if isinstance(function, np.ufunc) and getattr(function, "__module__", None) is None:
                with suppress(AttributeError):  # of a NumPy whose functions cannot be told
                    function.__module__ = name


def _listed(version: str) -> Iterator[tuple[str, SimpleNamespace]]:
    """Yield what stands for each estimator, if the list is of this version: skops asks for its module and name alone."""
    known, *names = resources.files(__package__).joinpath(ESTIMATORS).read_text(encoding="utf-8").split()
    if known != version:
        return
    for full in names:
        module, _, name = full.rpartition(".")
        yield name, SimpleNamespace(__module__=module, __name__=name)
