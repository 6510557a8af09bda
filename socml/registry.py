"""A folder of components → the component of a name. The folder is the registry; there is no list to edit.

`robust-z` is `robust_z.py` is the one name in that module's `__all__`. Names are found without importing
anything, so listing components costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from socml.errors import SocmlError, UnknownName


def component_names(kind: str) -> list[str]:
    """Return the names in the folder `socml/<kind>/`, sorted.

    Examples
    --------
    >>> "robust-z" in component_names("detectors")
    True
    """
    spec = find_spec(f"socml.{kind}")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownName("kind of component", kind, [])
    names: set[str] = set()
    for folder in spec.submodule_search_locations:
        names |= _names_in(folder, Path(folder).stat().st_mtime_ns)
    return sorted(names)


@lru_cache
def _names_in(folder: str, changed_ns: int) -> frozenset[str]:
    """Return the names in a folder, listed again when it changed: telling the format of a file asks for each reader."""
    return frozenset(p.stem.replace("_", "-") for p in Path(folder).glob("*.py") if not p.stem.startswith("_"))


def component(kind: str, name: str) -> Any:
    """Return the component `name` of the folder `socml/<kind>/`.

    Raises
    ------
    UnknownName
        If the folder has no such file.

    Examples
    --------
    >>> component("detectors", "robust-z").__name__
    'RobustZ'
    """
    known = component_names(kind)
    if name not in known:
        raise UnknownName(kind.removesuffix("s").replace("strategie", "strategy"), name, known)
    module = import_module(f"socml.{kind}.{name.replace('-', '_')}")
    exported = getattr(module, "__all__", [])
    if len(exported) != 1:
        raise SocmlError(f"{module.__name__} must have exactly one name in __all__, and has {len(exported)}.")
    return getattr(module, exported[0])
