"""An import path in a recipe → a class of River, scikit-learn, PyOD or socml, and of nothing else.

A recipe is a file that people share: it may name an estimator, never run code. Only classes that these packages define
themselves are taken.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from socml.detectors._parameter_values import check_parts
from socml.project import ModelError, RecipeError, UnknownName, did_you_mean

PACKAGES = ("river", "sklearn", "pyod", "socml")
_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
_INSTALL = {"pyod": "PyOD is not installed here, and socml does not need it otherwise: pip install pyod"}


def is_import_path(name: str) -> bool:
    """Say whether a detector's name is an import path, and not a component's name.

    Examples
    --------
    >>> is_import_path("sklearn.svm.OneClassSVM"), is_import_path("robust-z")
    (True, False)
    """
    return "." in name


def import_estimator(path: str) -> type[Any]:
    """Return the class at an import path.

    Raises
    ------
    RecipeError
        If the path is of another package, or what is there is no estimator of the package's own.
    ModelError
        If the package is not installed.
    UnknownName
        If the module has no such class; names the nearest.

    Examples
    --------
    >>> import_estimator("sklearn.svm.OneClassSVM").__name__
    'OneClassSVM'
    >>> import_estimator("os.system")
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: 'os.system' is not of river, sklearn, pyod or socml, whose estimators a recipe may name.
    """
    package = path.partition(".")[0]
    if package not in PACKAGES or not _PATH.fullmatch(path):
        raise RecipeError(
            f"{path!r} is not of {', '.join(PACKAGES[:-1])} or {PACKAGES[-1]}, whose estimators a recipe may name."
        )
    module_name, _, name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != package:
            raise ModelError(f"{path} needs {error.name}, which is not installed here.") from None
        if error.name == package:
            raise ModelError(_INSTALL.get(package, f"{package} is not installed here: pip install {package}")) from None
        raise UnknownName("module", module_name, []) from None
    found: type[Any] | None = getattr(module, name, None)
    if found is None:
        classes = [n for n, v in vars(module).items() if inspect.isclass(v)] or list(getattr(module, "__all__", []))
        raise UnknownName(f"estimator in {module_name}", name, classes)
    is_own = inspect.isclass(found) and found.__module__.partition(".")[0] == package
    if not is_own or not (hasattr(found, "fit") or hasattr(found, "learn_one")):
        raise RecipeError(f"{path!r} is no estimator of {package}: it has neither fit nor learn_one.")
    return found


def make_estimator(path: str, parameters: Mapping[str, object], where: str = "The model") -> Any:
    """Return an estimator with these parameters.

    Raises
    ------
    RecipeError
        For a parameter that it does not have (names the nearest), or a value that it refuses.
    """
    kind = import_estimator(path)
    signature = inspect.signature(kind.__init__).parameters
    known = [name for name in signature if name != "self"]
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.values())
    for name in parameters:
        if name not in known and not open_ended:
            raise RecipeError(
                f"{where} has an unknown parameter {name!r}: {path} does not have it.{did_you_mean(name, known)}"
            )
    try:
        for name, value in parameters.items():
            check_parts(name, value, f"{name} is {value!r}")
        return kind(**parameters)
    except Exception as error:  # whatever a value out of range makes it raise
        raise RecipeError(f"{where}: {path} cannot be made with {dict(parameters)}: {error}") from error


def split_step(step: str | Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Return the import path and the parameters of a step: a path, or a table with `path` and the parameters.

    Examples
    --------
    >>> split_step({"path": "sklearn.decomposition.PCA", "n_components": 2})
    ('sklearn.decomposition.PCA', {'n_components': 2})
    """
    if isinstance(step, str):
        return step, {}
    if "path" not in step:
        raise RecipeError(f"A step is an import path, or has one: path = …; {dict(step)} has none.")
    return str(step["path"]), {name: value for name, value in step.items() if name != "path"}
