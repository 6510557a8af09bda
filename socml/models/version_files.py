"""A model version ↔ its files, written with skops and read only if they hold nothing but known types; and skops, imported quickly."""

from __future__ import annotations

import inspect
import json
import secrets
import shutil
import sys
import threading
import zipfile
from contextlib import suppress
from importlib import import_module, resources
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from socml.models.node_checks import check_nodes
from socml.models.version import ModelVersion, Reference
from socml.project import (
    ModelError,
    Project,
    check_archive,
    component_name,
    component_names,
    component_type,
    make_private,
    private_folder,
    safe_name,
)

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


# What a model file may hold besides what skops knows to be harmless: the trees of scikit-learn's forests and boosting.
TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")
_OURS = (
    "socml.features.preparation.Preparation",
    "socml.features.sequences.Sequences",
    "socml.models.outlier_detector.OutlierDetector",
    "socml.detectors.foreign.batch.Foreign",
    "socml.detectors.foreign.classifier.ForeignClassifier",
)
# Estimators that a recipe names by import path (docs: `detector = "pyod.models.knn.KNN"`), and what they are made of.
_FOREIGN = ("sklearn", "pyod")
_PARTS = (
    "sklearn.neighbors._kd_tree.",
    "sklearn.neighbors._ball_tree.",
    "sklearn.metrics._dist_metrics.",
    "sklearn._loss.",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.gaussian_process.kernels.",
    "sklearn.calibration._CalibratedClassifier",
)
FORMAT = (
    2  # of a version's files: raised when an older socml would read them and score otherwise; 2: columns have an offset
)
_LEARNING = ("detectors", "supervised")  # folders of components that a model file may hold


def save_files(folder: Path, version: ModelVersion) -> list[Path]:
    """Write a version's files into `folder`: model.skops, companion.skops, reference.npz, metadata.json.

    Raises
    ------
    ModelError
        If its detector holds what no file keeps, such as a generator.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dump_model(version.pipeline, folder / "model.skops")
    if version.companion is not None:
        dump_model(version.companion, folder / "companion.skops")
    scale = version.reference
    np.savez(folder / "reference.npz", normality=scale.normality, ranks=scale.ranks, rows=np.int64(scale.rows))
    about = {**version.metadata, "format": FORMAT}
    (folder / "metadata.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
    return sorted(folder.iterdir())


def dump_model(model: object, path: Path) -> None:
    """Write a fitted estimator into a file that `load_trusted` reads; ModelError if it holds what no file keeps."""
    import_skops()
    import skops.io

    try:
        skops.io.dump(model, path, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"The model cannot be kept in a file: {error}") from error


def read_files(folder: Path, name: str, version: str) -> ModelVersion:
    """Return the version whose files lie in `folder`.

    Raises
    ------
    ModelError
        If a file is absent or damaged, holds a type that a model of socml does not consist of, or is of a newer socml.
    """
    try:
        companion = folder / "companion.skops"
        check_archive(folder / "reference.npz")
        with np.load(folder / "reference.npz", allow_pickle=False) as arrays:
            reference = Reference(arrays["normality"], arrays["ranks"], int(arrays["rows"]))
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        if metadata.get("format", 1) > FORMAT:
            raise ModelError(
                f"Model {name}/{version} was written by a newer socml, whose model files this one would misread. Install that socml, or fit again."
            )
        return ModelVersion(
            name=name,
            version=version,
            pipeline=load_trusted(folder / "model.skops"),
            reference=reference,
            companion=load_trusted(companion) if companion.is_file() else None,
            metadata=metadata,
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        MemoryError,
        zipfile.BadZipFile,
    ) as error:
        raise ModelError(f"The files of model {name}/{version} in {folder} cannot be read: {error}") from error


def load_trusted(path: str | Path) -> Any:
    """Return what a skops file holds, if every type in it is scikit-learn's, NumPy's or a component of socml.

    Raises
    ------
    ModelError
        Naming the types that are not.
    """
    import_skops()
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        check_archive(Path(path))
        with suppress(UntrustedTypesFoundException):
            model = skops.io.load(path, trusted=trusted_types())
            check_nodes(model)
            return model
        untrusted = skops.io.get_untrusted_types(file=path)
        strange = sorted(name for name in untrusted if not is_trusted(name))
        if strange:
            raise ModelError(
                f"{path} holds {', '.join(strange)}, which no model of socml consists of. Not loaded.{_supervised(strange)}"
            )
        model = skops.io.load(path, trusted=untrusted)
        check_nodes(model)
        return model
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged or forged file makes the reader raise
        raise ModelError(f"{path} is not a model that can be read: {error}") from error


def _supervised(strange: list[str]) -> str:
    """Say what to do about a class of a project, or of a notebook's cell, that is not known here."""
    for name in strange:
        module, _, kind = name.rpartition(".")
        if module == "__main__":
            return f" It was registered in a notebook: register it here too, or put its class into {_file_of(kind)}."
        if module.startswith("socml_project."):
            return f" It is {module.partition('.')[2].replace('.', '/')}.py of a project: open that one."
    return ""


def _file_of(kind: str) -> str:
    return f"detectors/{component_name(kind).replace('-', '_')}.py of the project"


def is_trusted(type_name: str) -> bool:
    """Say whether a model file may hold this type.

    Examples
    --------
    >>> is_trusted("socml.detectors.robust_z.RobustZ"), is_trusted("os.system")
    (True, False)
    """
    return type_name in trusted_types() or _is_estimator(type_name)


def _is_estimator(type_name: str) -> bool:
    """Say whether a type is an estimator of scikit-learn or PyOD, or a part of one that holds numbers and estimators only."""
    module, _, name = type_name.rpartition(".")
    if module.partition(".")[0] not in _FOREIGN:
        return False
    if type_name.startswith(_PARTS):
        return True
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        return False
    return (
        inspect.isclass(found) and found.__module__ == module and hasattr(found, "fit") and hasattr(found, "get_params")
    )


def trusted_types() -> list[str]:
    """Return the names of the types that a model file may hold, besides those that skops knows to be harmless."""
    own = [component_type(folder, name) for folder in _LEARNING for name in component_names(folder)]
    return [*TRUSTED, *_OURS, *own]


def types_in(path: Path) -> list[str]:
    """Return the types of a model file that skops does not know to be harmless, and that a model may hold."""
    import skops.io

    return [name for name in skops.io.get_untrusted_types(file=path) if is_trusted(name)]


def keep_files(source: Path, name: str, number: str, project: Project) -> Path:
    """Copy a version's files to their place in the workspace, in one step, and return the folder."""
    target = project.workspace / "models" / safe_name(name) / safe_name(number)
    private_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(source, temporary)
        make_private(temporary)
        if target.exists():  # left by a registry that was deleted: its number is given again
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target
