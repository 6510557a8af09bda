"""A kind and a name → a first file of that kind in the opened project, which works as it is and is there to be changed.

A template is a file of `templates/` named after its kind; a kind without one gets a class that says what is to be done.
"""

from __future__ import annotations

import re
from pathlib import Path

from socml.project.errors import ConfigurationError, did_you_mean
from socml.project.project import MARKER, Project
from socml.project.recipes import SUFFIX
from socml.project.registry import FOLDERS, class_name, component_names, singular

_TEMPLATES = Path(__file__).with_name("templates")
_RECIPES = ("features", "models")  # the kinds of recipes that have a template
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new_kinds() -> dict[str, str]:
    """Return what may be made anew, as one says it → the kind: `detector` → `detectors`.

    Examples
    --------
    >>> new_kinds()["strategy"], new_kinds()["features"], "detector" in new_kinds()
    ('strategies', 'features', True)
    """
    made = [kind for kind in FOLDERS if (_TEMPLATES / f"{kind}.txt").is_file()]
    return {**{singular(kind): kind for kind in made}, "features": "features", "model": "models"}


def new_component(kind: str, name: str, project: Project) -> Path:
    """Write the first file of a component or recipe into the project and return it.

    Parameters
    ----------
    kind : `detector`, `online`, `strategy`, `format`, `explainer`, `responder`, `sink`, `features`, `model`
    name : small letters, digits and `-`: `my-own` becomes `detectors/my_own.py`

    Raises
    ------
    ConfigurationError
        If there is no such kind, the name cannot be one or is taken, or no project is opened.
    """
    known = new_kinds()
    folder = known.get(kind) or (kind if kind in known.values() else "")
    if not folder:
        raise ConfigurationError(f"There is no kind {kind!r} to make.{did_you_mean(kind, known)}")
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789") or "my-own"
        raise ConfigurationError(f"{name!r} is no name: write small letters, digits and -, like {near!r}.")
    if not (project.root / MARKER).is_file():
        raise ConfigurationError("There is no project here to put it into. Make one: socml init lab && cd lab")
    if folder in _RECIPES:
        path = project.recipes(folder) / f"{name}{SUFFIX[folder]}"
    else:
        path = project.root / folder / f"{name.replace('-', '_')}.py"
        if not path.exists() and name in component_names(folder):
            raise ConfigurationError(f"{name!r} is a {singular(folder)} of socml's own. Give yours another name.")
    if path.exists():
        raise ConfigurationError(f"{path} is there already, and is left as it is.")
    path.parent.mkdir(parents=True, exist_ok=True)
    template = (_TEMPLATES / f"{folder}.txt").read_text(encoding="utf-8")
    if folder not in _RECIPES:
        template = template.format(name=name, class_name=class_name(name), function_name=name.replace("-", "_"))
    path.write_text(template, encoding="utf-8")
    return path
