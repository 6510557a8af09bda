"""A folder of components → the component of a name. The folder is the registry; there is no list to edit.

`robust-z` is `robust_z.py` is the one name in that module's `__all__`. Names are found without importing
anything, so listing components costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from socml.project.errors import SocmlError, UnknownName, did_you_mean

_SOCML = Path(__file__).resolve().parents[1]
# Where the components of a kind lie, below `socml/`. Formats lie one folder deeper, by kind of tool.
FOLDERS = {
    "formats": "formats",
    "detectors": "detectors",
    "online": "detectors/online",
    "supervised": "detectors/supervised",
    "explainers": "explanations/explainers",
    "strategies": "review/strategies",
    "sinks": "jobs/sinks",
    "activities": "simulator/activities",
    "attacks": "simulator/attacks",
    "noise": "simulator/noise",
}


def component_names(kind: str) -> list[str]:
    """Return the names of a kind's components, sorted.

    Examples
    --------
    >>> "robust-z" in component_names("detectors")
    True
    """
    return sorted(_modules(kind))


def component(kind: str, name: str) -> Any:
    """Return the component `name` of a kind: what its module has in `__all__`.

    Raises
    ------
    UnknownName
        If the kind has no such file.

    Examples
    --------
    >>> component("detectors", "robust-z").__name__
    'RobustZ'
    """
    known = _modules(kind)
    if name not in known:
        raise UnknownName(kind.removesuffix("s").replace("strategie", "strategy"), name, sorted(known))
    module = import_module(known[name])
    exported = getattr(module, "__all__", [])
    if len(exported) != 1:
        raise SocmlError(f"{module.__name__} must have exactly one name in __all__, and has {len(exported)}.")
    return getattr(module, exported[0])


def component_module(kind: str, name: str) -> str:
    """Return the dotted name of a component's module, without importing it.

    Examples
    --------
    >>> component_module("online", "loda")
    'socml.detectors.online.loda'
    """
    return _modules(kind)[name]


def _modules(kind: str) -> dict[str, str]:
    if kind not in FOLDERS:
        raise SocmlError(f"There is no kind of component {kind!r}.{did_you_mean(kind, FOLDERS)}")
    folder = _SOCML / FOLDERS[kind]
    folders = [path for path in folder.iterdir() if path.is_dir()] if kind == "formats" else [folder]
    return _modules_in(tuple((path, path.stat().st_mtime_ns) for path in folders))


@lru_cache
def _modules_in(folders: tuple[tuple[Path, int], ...]) -> dict[str, str]:
    """Return name → module; folders are listed again when they changed, since telling a format asks for each reader."""
    files = [path for folder, _ in folders for path in folder.glob("*.py")]
    return {
        path.stem.replace("_", "-"): ".".join(["socml", *path.relative_to(_SOCML).with_suffix("").parts])
        for path in files
        if not path.stem.startswith("_") and not path.parent.name.startswith("_")
    }
