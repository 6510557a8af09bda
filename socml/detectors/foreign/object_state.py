"""An object of another library ↔ plain values and arrays: what it has learned, kept without pickling.

Only classes and functions of the packages that a recipe may name, and a few of the standard library's containers, are
made when it is read: a state file holds no code, and can call none.
"""

from __future__ import annotations

import collections
import functools
import inspect
import math
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from socml.detectors.online._state import State
from socml.project import ModelError

_PACKAGES = ("river.", "socml.")
_CONTAINERS: dict[str, type] = {
    "deque": collections.deque,
    "defaultdict": collections.defaultdict,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "dict": dict,
    "list": list,
    "set": set,
    "frozenset": frozenset,
    "tuple": tuple,
    "float": float,
    "int": int,
    "str": str,
    "bytearray": bytearray,
    "Random": random.Random,
    "partial": functools.partial,
}
_NAMES = {kind: name for name, kind in _CONTAINERS.items()}
_PLAIN = (str, bool, type(None))
_MATHS = {"math", "numpy", "operator", "statistics"}


def object_state(found: object) -> State:
    """Return an object as a state that `write_state` writes.

    Raises
    ------
    ModelError
        If something in it cannot be kept: a function that was made on the spot, an open file.
    """
    writer = _Writer()
    return {"root": writer.told(found), "arrays": writer.arrays}


def object_of(state: State) -> object:
    """Return the object that `object_state` kept.

    Raises
    ------
    ModelError
        If the state holds a class or function that no recipe may name, or is damaged.
    """
    try:
        return _Reader(state["arrays"]).made(state["root"])
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged state makes the constructors raise
        raise ModelError(f"The state of the model cannot be read: {error!r}") from error


class _Writer:
    """Told values are JSON: plain ones as they are, the others a list that begins with what they are."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        self._alive: list[object] = []  # ids are of living objects only

    def told(self, value: object) -> object:
        plain = _plain(value)
        if plain is not None or value is None:
            return plain
        if id(value) in self._numbers:
            return ["same", self._numbers[id(value)]]
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        if isinstance(value, list | tuple | set | frozenset) and type(value) in (list, tuple, set, frozenset):
            return [type(value).__name__, [self.told(one) for one in value]]
        if isinstance(value, dict) and type(value) is dict:
            return ["dict", [[self.told(k), self.told(v)] for k, v in value.items()]]
        is_named = hasattr(value, "__qualname__")  # a partial has no name, though Python 3.14 calls it a routine
        if is_named and (inspect.isclass(value) or inspect.isroutine(value)):
            return ["named", _path_of(value)]
        return self._array(value) if isinstance(value, np.ndarray) and value.dtype != object else self._reduced(value)

    def _array(self, value: np.ndarray) -> object:
        name = str(len(self.arrays))
        self.arrays[name] = value
        return ["array", name]

    def _reduced(self, value: object) -> object:
        try:
            reduced = value.__reduce_ex__(4)
        except Exception as error:
            raise ModelError(f"{type(value).__name__} cannot be kept in a file: {error}") from error
        if isinstance(reduced, str):
            raise ModelError(f"{type(value).__name__} {reduced!r} cannot be kept in a file.")
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        if make.__name__ in ("__newobj__", "__newobj_ex__", "_reconstructor"):
            kind, arguments = arguments[0], (arguments[1:] if make.__name__ == "__newobj__" else ())
            how = "new"
        else:
            kind, how = make, "call"
        return [
            how,
            _path_of(kind),
            self.told(tuple(arguments)),
            self.told(state),
            [self.told(one) for one in items or ()],
            [[self.told(k), self.told(v)] for k, v in pairs or ()],
        ]


class _Reader:
    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays
        self._made: dict[int, object] = {}
        self._next = 0

    def made(self, plain: object) -> object:
        match plain:
            case ["float", str(text)]:
                return float(text)
            case ["bytes", str(digits)]:
                return bytes.fromhex(digits)
            case ["same", int(before)]:
                return self._made[before]
            case [str(), *_]:
                number, self._next = self._next, self._next + 1
                self._made[number] = made = self._fresh(list(plain), number)
                return made
        if isinstance(plain, list):
            raise ModelError(f"The state holds {plain[:1]!r}, which is no kind of value.")
        return plain

    def _fresh(self, parts: list[object], number: int) -> object:
        match parts:
            case ["array", str(name)]:
                return np.array(self._arrays[name])
            case ["named", str(path)]:
                return _named(path)
            case ["list", list(items)]:
                self._made[number] = listed = list[object]()
                listed.extend(self.made(one) for one in items)
                return listed
            case ["dict", list(pairs)]:
                self._made[number] = named = dict[object, object]()
                for key, value in pairs:
                    named[self.made(key)] = self.made(value)
                return named
            case [("tuple" | "set" | "frozenset") as what, list(items)]:
                return _CONTAINERS[what](self.made(one) for one in items)
            case [("new" | "call") as how, str(path), arguments, state, list(items), list(pairs)]:
                made = self._begun(how, path, self.made(arguments))
                self._made[number] = made
                _restore(made, self.made(state))
                for one in items:
                    made.append(self.made(one)) if hasattr(made, "append") else made.add(self.made(one))
                for key, value in pairs:
                    made[self.made(key)] = self.made(value)
                return made
        raise ModelError(f"The state holds {parts[0]!r} with {len(parts) - 1} parts, which is no kind of value.")

    def _begun(self, how: object, path: str, given: object) -> Any:
        """Return an object of a class or function that a recipe may name, before its state is put in."""
        kind = _named(path)
        given = given if isinstance(given, tuple) else ()
        if how == "call":
            return kind(*given)
        if not inspect.isclass(kind):
            raise ModelError(f"The state holds {path}, which is no class.")
        return kind.__new__(kind, *given)


def _plain(value: object) -> object:
    """Return how a value without parts is told; None for one with parts."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, _PLAIN) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else ["float", repr(value)]
    return ["bytes", value.hex()] if isinstance(value, bytes) else None


def _restore(made: Any, state: Any) -> None:
    if state is None:
        return
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
        return
    own, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if own:
        made.__dict__.update(own)
    for name, value in (slots or {}).items():
        setattr(made, name, value)


def _path_of(value: object) -> str:
    """Return the name of a class or function by which `_named` finds it again."""
    if value in _NAMES:
        return _NAMES[value]
    module, name = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", "")
    path = f"{module}.{name}"
    try:
        if _named(path) is value:
            return path
    except ModelError:
        pass
    raise ModelError(f"{path} cannot be kept in a file: name parts of the model that a library defines.")


def _named(path: str) -> Callable[..., object]:
    if path in _CONTAINERS:
        return _CONTAINERS[path]
    module, _, name = path.rpartition(".")
    if not (f"{module}.".startswith(_PACKAGES) or module in _MATHS) or "<" in name:
        raise ModelError(f"The state holds {path}, which no recipe may name.")
    try:
        found: Callable[..., object] = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise ModelError(f"The state holds {path}, which is not here.") from None
    home = (getattr(found, "__module__", None) or module).partition(".")[0]
    if home not in {"river", "socml", "math", "numpy", "_operator", "operator", "statistics"} or not callable(found):
        raise ModelError(f"The state holds {path}, which no recipe may name.")
    return found
