"""A fit that the registry did not take → its files in the workspace, from which the same fit is recorded when it is asked for again."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from socml import __version__
from socml.models.version import ModelVersion
from socml.models.version_files import read_files, save_files
from socml.project import (
    ModelError,
    ModelRecipe,
    Project,
    TryLater,
    check_archive,
    component_code_hash,
    make_private,
    metadata_of,
    private_folder,
    safe_name,
)

if TYPE_CHECKING:
    import pandas as pd

    from socml.models.training_labels import TrainingLabels

ROWS = "rows.npz"  # beside a version's files
MOST = 5  # fits of one model that are kept, the last ones


class Fitted(NamedTuple):
    """A version that has no number yet; how normal its reference rows are, and what is known of them."""

    version: ModelVersion
    normality: np.ndarray
    known: np.ndarray | None


def fit_and_record(
    fit: Callable[[], Fitted],
    record: Callable[[Fitted], ModelVersion],
    identity: Callable[[], str],
    *,
    name: str,
    project: Project,
) -> ModelVersion:
    """Record what is fitted, or what was fitted before by this identity and could not be recorded.

    Raises
    ------
    ModelError, TryLater
        If it cannot be fitted, or the registry does not answer; says so if the fit is kept.
    """
    folder = project.workspace / "unrecorded" / safe_name(name)
    place = cache(lambda: folder / identity())
    fitted = (_taken_up(place(), name) if folder.is_dir() else None) or fit()
    try:
        version = record(fitted)
    except (ModelError, TryLater) as error:
        if not _keep(place(), fitted):
            raise
        raise type(error)(
            f"{error} What was fitted is kept: the same fit, asked for again, is recorded at once."
        ) from error
    if folder.is_dir():
        _remove(place())
    return version


def fit_identity(
    recipe: ModelRecipe,
    features: pd.DataFrame,
    truth: pd.DataFrame | pd.Series | None,
    training_labels: TrainingLabels | None,
    *facts: object,
) -> str:
    """Return a hash of all that a fit depends on; 16 hexadecimal digits."""
    import pandas as pd

    digest = hashlib.blake2b(digest_size=8)
    about = json.dumps(metadata_of(features), sort_keys=True, default=str)
    for text in (__version__, recipe.name, recipe.model_dump_json(), about, *_own_code(recipe), *map(str, facts)):
        digest.update(f"{text}\0".encode())
    taught = None if training_labels is None else pd.DataFrame(vars(training_labels))
    for table in (features, taught, truth):
        names = list(table.columns) if isinstance(table, pd.DataFrame) else None
        digest.update(f"{names} {0 if table is None else len(table)}\0".encode())
        if table is not None:
            try:
                values = pd.util.hash_pandas_object(table)
            except TypeError:  # cells that are lists
                values = pd.util.hash_pandas_object(table.astype(str))
            digest.update(values.to_numpy().tobytes())
    return digest.hexdigest()


def _own_code(recipe: ModelRecipe) -> list[str]:
    """Return a hash of the code of each detector that a fit runs, empty for one of socml's."""
    kind = "supervised" if recipe.mode == "supervised" else "detectors"
    members = recipe.parameters.get("members") or ()
    names = [recipe.detector, *(members if isinstance(members, Iterable) else ())]
    return [component_code_hash(kind, str(name)) for name in names]


def _keep(folder: Path, fitted: Fitted) -> bool:
    """Write a fit into a folder, and say whether it can be taken up from there."""
    with suppress(ModelError, OSError):
        private_folder(folder)
        save_files(folder, fitted.version)
        known = np.empty(0) if fitted.known is None else fitted.known
        np.savez(folder / ROWS, normality=fitted.normality, known=known)
        make_private(folder)
        if _taken_up(folder, fitted.version.name) is not None:
            _forget_oldest(folder.parent)
            return True
    _remove(folder)
    return False


def _forget_oldest(folder: Path) -> None:
    """Remove the fits of a model before its last ones."""
    with suppress(OSError):  # another process records one of them now
        for old in sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)[:-MOST]:
            shutil.rmtree(old, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Remove a fit, and the folder of its model if it holds no other."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _taken_up(folder: Path, name: str) -> Fitted | None:
    """Return the fit that a folder holds, None if it holds none that can be read."""
    with suppress(ModelError, OSError, ValueError, KeyError, zipfile.BadZipFile):
        check_archive(folder / ROWS)
        with np.load(folder / ROWS, allow_pickle=False) as arrays:
            normality, known = arrays["normality"], arrays["known"]
        return Fitted(read_files(folder, name, ""), normality, known if len(known) else None)
    return None
