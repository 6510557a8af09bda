"""A folder of components → the component of a name. The folder is the registry; there is no list to edit.

`robust-z` is `robust_z.py` is the one name in that module's `__all__`. Names are found without importing
anything, so listing components costs nothing. The same folder in the opened project (`detectors/`, `formats/`, …) adds
that project's own, and `register` adds what a notebook cell defines.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, overload

from socml.project.errors import ConfigurationError, SocmlError, UnknownName, did_you_mean
from socml.project.own_components import PACKAGE, own

_SOCML = Path(__file__).resolve().parents[1]
# Where the components of a kind lie, below `socml/`; in a project, the folder is called like the kind. Formats lie one
# folder deeper, by kind of tool.
FOLDERS = {
    "formats": "formats",
    "detectors": "detectors",
    "online": "detectors/online",
    "supervised": "detectors/supervised",
    "explainers": "explanations/explainers",
    "strategies": "review/strategies",
    "responders": "respond/responders",
    "sinks": "jobs/sinks",
    "activities": "simulator/activities",
    "attacks": "simulator/attacks",
    "noise": "simulator/noise",
}
# What a component of a kind has (a class) or takes (a function): how `register` tells kinds, the first that fits.
_SIGNS = {
    "formats": {"sniff", "read"},
    "online": {"score_learn_many"},
    "explainers": {"supports", "contributions"},
    "supervised": {"fit", "log_odds"},
    "detectors": {"fit", "score_samples"},
    "strategies": {"candidates", "labels", "budget"},
    "responders": {"draft", "apply", "undo"},
    "sinks": {"send", "model_fields"},
}
T = TypeVar("T")


def component_names(kind: str) -> list[str]:
    """Return the names of a kind's components, sorted.

    Examples
    --------
    >>> "robust-z" in component_names("detectors")
    True
    """
    return sorted({*_modules(kind), *own.registered.get(kind, {})})


def component(kind: str, name: str) -> Any:
    """Return the component `name` of a kind: what its module has in `__all__`.

    Raises
    ------
    UnknownName
        If the kind has no such file.
    ConfigurationError
        If a file of the opened project cannot be imported, or does not hold what its name promises.

    Examples
    --------
    >>> component("detectors", "robust-z").__name__
    'RobustZ'
    """
    if name in own.registered.get(kind, {}):
        return own.registered[kind][name]
    known = _modules(kind)
    if name not in known:
        called = f"{kind} detector" if kind in ("online", "supervised") else singular(kind)
        raise UnknownName(called, name, component_names(kind))
    if known[name].startswith(f"{PACKAGE}."):
        return _own_export(own.load(known[name]), name)
    module = import_module(known[name])
    exported = getattr(module, "__all__", [])
    if len(exported) != 1:
        raise SocmlError(f"{module.__name__} must have exactly one name in __all__, and has {len(exported)}.")
    return getattr(module, exported[0])


def component_type(kind: str, name: str) -> str:
    """Return the dotted name of a component's class, without importing it: `socml.detectors.robust_z.RobustZ`.

    Examples
    --------
    >>> component_type("detectors", "robust-z")
    'socml.detectors.robust_z.RobustZ'
    """
    if name in own.registered.get(kind, {}):
        found = own.registered[kind][name]
        return f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"
    return f"{_modules(kind)[name]}.{class_name(name)}"


def component_code_hash(kind: str, name: str) -> str:
    """Return a hash of the code of a component of one's own, empty for one of socml's: its results hold for that code."""
    if not is_own(kind, name):
        return ""
    registered = own.registered.get(kind, {}).get(name)
    code = _source(registered) if registered is not None else own.path(_modules(kind)[name]).read_bytes()
    return hashlib.blake2b(code, digest_size=8).hexdigest()


def is_own(kind: str, name: str) -> bool:
    """Say whether a component is the opened project's, or was registered, and did not come with socml."""
    return name in own.registered.get(kind, {}) or _modules(kind).get(name, "").startswith(f"{PACKAGE}.")


def revision() -> int:
    """Return a number that grows whenever a name may mean another component than before; for caches."""
    return own.revision


def open_components(root: Path | None) -> None:
    """Find the components of this project too from now on, and no other project's; None: of none."""
    own.open(root, FOLDERS)


def opened_project() -> Path | None:
    """Return the root of the project whose components are found; None if no project is open."""
    return own.root


def has_registered(kind: str) -> bool:
    """Return whether something of a kind was registered here: no other process has it."""
    return bool(own.registered.get(kind))


@overload
def register(component: T, /, *, kind: str = "", name: str = "") -> T: ...
@overload
def register(component: None = None, /, *, kind: str = "", name: str = "") -> Callable[[T], T]: ...


def register(component: object = None, /, *, kind: str = "", name: str = "") -> object:
    """Let a name stand for a class or function of your own, in this process; the same name again replaces it.

    In a notebook, above the class: `@socml.register`. A model version that holds it is loaded where it is registered;
    to keep it, put the code into the project's folder of that kind, `detectors/my_own.py`.

    Parameters
    ----------
    component : a detector, an online or supervised one, an explainer, a query strategy, a format, …
    kind : `detectors`, `strategies`, …; told by what it has if not given
    name : as recipes write it; `MyOwn` and `my_own` are `my-own` if not given

    Returns
    -------
    The component itself; a decorator where only `kind` and `name` are given.

    Raises
    ------
    ConfigurationError
        If its kind cannot be told, or one that came with socml has the name.

    Examples
    --------
    >>> @register
    ... class Nothing:
    ...     def fit(self, X, y=None): return self
    ...     def score_samples(self, X): return [0.0] * len(X)
    >>> component("detectors", "nothing") is Nothing
    True
    >>> unregister("detectors", "nothing")
    """
    if component is None:
        return lambda one: register(one, kind=kind, name=name)
    if not callable(component):
        raise ConfigurationError(f"{component!r} is no component: register a class, or a function of your own.")
    kind = kind or _kind_of(component)
    name = name or component_name(getattr(component, "__name__", ""))
    if kind not in FOLDERS:
        raise ConfigurationError(f"There is no kind of component {kind!r}.{did_you_mean(kind, FOLDERS)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ConfigurationError(f"{name!r} is no name of a component: write small letters, digits and -, like my-own.")
    if name in _shipped(kind):
        raise ConfigurationError(f"{name!r} is a {singular(kind)} of socml's own. Give yours another name.")
    own.register(kind, name, component)
    return component


def unregister(kind: str, name: str) -> None:
    """Forget a component that was registered in this process; nothing happens if there is none."""
    if own.registered.get(kind, {}).pop(name, None) is not None:
        own.revision += 1


def singular(kind: str) -> str:
    """Return what one component of a kind is called.

    Examples
    --------
    >>> singular("strategies"), singular("detectors"), singular("online")
    ('strategy', 'detector', 'online')
    """
    return kind.removesuffix("ies") + "y" if kind.endswith("ies") and kind != "activities" else kind.removesuffix("s")


def class_name(name: str) -> str:
    """Return the class that a component's name promises.

    Examples
    --------
    >>> class_name("robust-z")
    'RobustZ'
    """
    return "".join(part.capitalize() for part in name.split("-"))


def component_name(exported: str) -> str:
    """Return the component's name that a class or function promises.

    Examples
    --------
    >>> component_name("RobustZ"), component_name("most_anomalous"), component_name("HBOSPlus")
    ('robust-z', 'most-anomalous', 'hbos-plus')
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", exported)
    return apart.replace("_", "-").lower()


def _own_export(module: ModuleType, name: str) -> object:
    """Return what a file of the opened project holds: the class or function that it is named after."""
    expected = (class_name(name), name.replace("-", "_"))
    exported = list(getattr(module, "__all__", []))
    defined = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and n[0] != "_"]
    found = exported or [n for n in expected if n in defined]
    if len(found) == 1 and found[0] in expected and hasattr(module, found[0]):
        return getattr(module, found[0])
    seen = f"__all__ has {', '.join(map(repr, exported))}" if exported else f"it defines {', '.join(defined) or 'none'}"
    raise ConfigurationError(
        f"{own.path(module.__name__)} must hold one class called {expected[0]} (or one function {expected[1]}), after "
        f"its file's name, and {seen}."
    )


def _source(registered: object) -> bytes:
    try:
        return inspect.getsource(registered).encode()  # type: ignore[arg-type]
    except (OSError, TypeError):  # typed in at a prompt: nobody knows its text
        return f"revision {own.revision}".encode()


def _kind_of(component: object) -> str:
    is_class = inspect.isclass(component)
    has = (
        set(dir(component)) if is_class else set(inspect.signature(component).parameters) if callable(component) else ()
    )
    for kind, signs in _SIGNS.items():
        if signs <= set(has):
            return kind
    raise ConfigurationError(
        f"{getattr(component, '__name__', component)!r} does not show of which kind it is: a detector has fit and "
        "score_samples, an online one score_learn_many, a strategy takes candidates, labels and budget, a format has "
        f'sniff and read. Say it: socml.register(…, kind="detectors"). Kinds: {", ".join(FOLDERS)}.'
    )


def _modules(kind: str) -> dict[str, str]:
    shipped, ours = _shipped(kind), own.modules(kind)
    for name in ours:
        if name in shipped:
            path = own.path(ours[name])
            raise ConfigurationError(f"{path} has the name of a {singular(kind)} of socml's own. Rename the file.")
    return {**shipped, **ours}


def _shipped(kind: str) -> dict[str, str]:
    if kind not in FOLDERS:
        raise SocmlError(f"There is no kind of component {kind!r}.{did_you_mean(kind, FOLDERS)}")
    folder = _SOCML / FOLDERS[kind]
    folders = _folders_in(folder, folder.stat().st_mtime_ns) if kind == "formats" else (folder,)
    return _modules_in(tuple((path, path.stat().st_mtime_ns) for path in folders))


@lru_cache
def _folders_in(folder: Path, changed: int) -> tuple[Path, ...]:
    return tuple(path for path in folder.iterdir() if path.is_dir())


@lru_cache
def _modules_in(folders: tuple[tuple[Path, int], ...]) -> dict[str, str]:
    """Return name → module; folders are listed again when they changed, since telling a format asks for each reader."""
    files = [path for folder, _ in folders for path in folder.glob("*.py")]
    return {
        path.stem.replace("_", "-"): ".".join(["socml", *path.relative_to(_SOCML).with_suffix("").parts])
        for path in files
        if not path.stem.startswith("_") and not path.parent.name.startswith("_")
    }
