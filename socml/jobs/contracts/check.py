"""A component's name → each promise of its kind, kept or broken, with what was seen and what to do.

A promise is a function whose docstring says it in one line: it takes the component and raises when it is broken.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from socml.jobs.contracts.features import checked_features
from socml.project import (
    FOLDERS,
    ConfigurationError,
    Project,
    SocmlError,
    UnknownName,
    component,
    component_names,
    find_project,
    is_own,
    recipe_names,
    singular,
)

Promise = Callable[[Any], None]
_KINDS = ("detectors", "online", "supervised", "strategies", "formats", "explainers", "responders", "sinks", "features")


@dataclass(frozen=True)
class Checked:
    """One promise, and what was seen where it was broken (empty where it was kept)."""

    promise: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the promise was kept."""
        return not self.problem


def check_component(name: str, *, kind: str = "", project: Project | None = None) -> tuple[str, list[Checked]]:
    """Return the kind of a component or feature set, and its promises in the order in which they were tried.

    Parameters
    ----------
    kind : `detectors`, `strategies`, …; needed only where two kinds have the name

    Raises
    ------
    UnknownName, ConfigurationError
        If no kind has the name, or several have it, or its file cannot be imported.
    """
    project = project or find_project()
    kind = _kind_of(name, kind, project)
    if kind == "features":
        return kind, [checked(promise, name) for promise in checked_features(project)]
    found = component(kind, name)
    return kind, [checked(promise, found) for promise in _promises(kind)]


def checked(promise: Promise, component: object) -> Checked:
    """Try one promise."""
    sentence = (promise.__doc__ or promise.__name__).strip().splitlines()[0].rstrip(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            promise(component)
    except AssertionError as error:
        return Checked(sentence, str(error) or "it is not so")
    except SocmlError as error:
        return Checked(sentence, str(error))
    except Exception as error:  # whatever the component raises
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
        return Checked(sentence, f"{type(error).__name__} at {where}: {error}")
    return Checked(sentence)


def says_what_it_is_blind_to(component: object) -> None:
    """Its docstring says what it is blind to."""
    assert "Blind to" in (inspect.getdoc(component) or ""), "write a sentence that begins with: Blind to"


def _promises(kind: str) -> Sequence[Promise]:
    if kind not in _KINDS:
        return ()
    promises: Sequence[Promise] = import_module(f"socml.jobs.contracts.{kind}").PROMISES
    return promises


def _kind_of(name: str, kind: str, project: Project) -> str:
    kinds = {**{singular(one): one for one in FOLDERS}, **{one: one for one in FOLDERS}, "features": "features"}
    if kind and kind not in kinds:
        raise UnknownName("kind of component", kind, kinds)
    if kind:
        return kinds[kind]
    having = [one for one in FOLDERS if name in component_names(one)]
    having += ["features"] if name in recipe_names("features", project) else []
    owned = [one for one in having if one == "features" or is_own(one, name)]
    having = owned if len(owned) == 1 else having
    if len(having) > 1:
        raise ConfigurationError(f"{name!r} is of several kinds: {', '.join(having)}. Add --kind {having[0]}.")
    if not having:
        known = [one for each in FOLDERS for one in component_names(each)] + recipe_names("features", project)
        raise UnknownName("component", name, set(known))
    return having[0]
