"""A fitted pipeline ↔ a model version: its files, its place in the registry, and its percentile scale.

The registry is MLflow's, on SQLite in the workspace or on any tracking server. A version's files are kept
in `workspace/models/<name>/<version>/` too, so that scoring with a known version needs no MLflow.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from socml.errors import ModelError, UnknownName
from socml.inert import html_text
from socml.project import Project, find_project
from socml.registry import component_names
from socml.workspace import safe_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from sklearn.pipeline import Pipeline

FILES = "socml"  # folder of the run's artefacts that holds a version's files
CHAMPION = "champion"
EXACT_TAIL = 5_000  # most anomalous reference rows that are all kept, so that high percentiles are exact
# What a model file may hold besides what skops knows to be harmless: the trees of scikit-learn's forests.
TRUSTED = ("sklearn.tree._tree.Tree",)


@dataclass(frozen=True)
class Reference:
    """The training scores that a percentile is measured against, in the detector's direction.

    Attributes
    ----------
    normality : ndarray, ascending: scores of reference rows; higher is more NORMAL
    ranks : ndarray of int: how many of the reference rows score at most that
    rows : number of reference rows
    """

    normality: np.ndarray
    ranks: np.ndarray
    rows: int

    def percentile(self, normality: np.ndarray) -> np.ndarray:
        """Return the share of reference rows that are more normal, 0 to 100: high is anomalous.

        Exact for the 5,000 most anomalous reference rows, to 0.01 below.

        Examples
        --------
        >>> make_reference(np.array([-0.9, -0.5, -0.4, -0.3])).percentile(np.array([-0.9, -0.45, -1.0]))
        array([ 75.,  50., 100.])
        """
        at = np.searchsorted(self.normality, normality, side="right")
        at_most = np.concatenate([[0], self.ranks])[at]
        return np.asarray(100.0 * (1.0 - at_most / self.rows))


def make_reference(normality: np.ndarray) -> Reference:
    """Return the scale of these reference scores (higher is more NORMAL), thinned where it may be."""
    ordered = np.sort(np.asarray(normality, dtype=np.float64))
    kept = np.arange(len(ordered))
    if len(ordered) > 4 * EXACT_TAIL:
        thinned = np.linspace(EXACT_TAIL, len(ordered) - 1, 3 * EXACT_TAIL).astype(np.int64)
        kept = np.concatenate([kept[:EXACT_TAIL], thinned])
    values = np.unique(ordered[kept])
    return Reference(values, np.searchsorted(ordered, values, side="right"), len(ordered))


@dataclass(frozen=True)
class ModelVersion:
    """A fitted model in the registry.

    `metadata` says what it was fitted on and with. `companion` is the forest whose leaves re-rank the rows
    when someone labels: the detector itself if it has leaves, else one fitted beside it on the same matrix.
    """

    name: str
    version: str
    pipeline: Pipeline
    reference: Reference = field(repr=False)
    companion: Any = field(default=None, repr=False)
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Return name/version, as it stands in a score table."""
        return f"{self.name}/{self.version}"

    @property
    def preparation(self) -> Any:
        """Return the step that turns features into the detector's matrix."""
        return self.pipeline.named_steps["preparation"]

    @property
    def detector(self) -> Any:
        """Return the fitted detector."""
        return self.pipeline.named_steps["detector"]

    @property
    def forest(self) -> Any:
        """Return the forest that gives the leaves: the detector's own, or the companion."""
        return self.detector if hasattr(self.detector, "leaves") else self.companion

    def _repr_html_(self) -> str:
        shown = {
            key: self.metadata.get(key) for key in ("detector", "feature_set", "dataset", "rows", "seed", "metrics")
        }
        rows = "".join(f"<tr><th>{html_text(k)}</th><td>{html_text(v)}</td></tr>" for k, v in shown.items() if v)
        notices = "".join(f"<li>{html_text(n)}</li>" for n in self.metadata.get("notices", []))
        return f"<table><caption>{html_text(self.label)}</caption>{rows}</table><ul>{notices}</ul>"


def save_files(folder: Path, version: ModelVersion) -> list[Path]:
    """Write a version's files into `folder`: model.skops, companion.skops, reference.npz, metadata.json."""
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(version.pipeline, folder / "model.skops", compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    if version.companion is not None:
        skops.io.dump(version.companion, folder / "companion.skops", compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    scale = version.reference
    np.savez(folder / "reference.npz", normality=scale.normality, ranks=scale.ranks, rows=np.int64(scale.rows))
    (folder / "metadata.json").write_text(json.dumps(version.metadata, indent=1, ensure_ascii=False), encoding="utf-8")
    return sorted(folder.iterdir())


def read_files(folder: Path, name: str, version: str) -> ModelVersion:
    """Return the version whose files lie in `folder`.

    Raises
    ------
    ModelError
        If a file is absent or damaged, or holds a type that a model of socml does not consist of.
    """
    try:
        companion = folder / "companion.skops"
        with np.load(folder / "reference.npz", allow_pickle=False) as arrays:
            reference = Reference(arrays["normality"], arrays["ranks"], int(arrays["rows"]))
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        return ModelVersion(
            name=name,
            version=version,
            pipeline=load_trusted(folder / "model.skops"),
            reference=reference,
            companion=load_trusted(companion) if companion.is_file() else None,
            metadata=metadata,
        )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"The files of model {name}/{version} in {folder} cannot be read: {error}") from error


def load_trusted(path: Path) -> Any:
    """Return what a skops file holds, if every type in it is scikit-learn's, NumPy's or a component of socml.

    Raises
    ------
    ModelError
        Naming the types that are not.
    """
    import skops.io

    try:
        untrusted = skops.io.get_untrusted_types(file=path)
        strange = sorted(name for name in untrusted if not is_trusted(name))
        if strange:
            raise ModelError(f"{path} holds {', '.join(strange)}, which no model of socml consists of. Not loaded.")
        return skops.io.load(path, trusted=untrusted)
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged or forged file makes the reader raise
        raise ModelError(f"{path} is not a model that can be read: {error}") from error


def is_trusted(type_name: str) -> bool:
    """Say whether a model file may hold this type.

    Examples
    --------
    >>> is_trusted("socml.detectors.robust_z.RobustZ"), is_trusted("os.system")
    (True, False)
    """
    if type_name in {*TRUSTED, "socml.preparation.Preparation"}:
        return True
    module, _, name = type_name.rpartition(".")
    package, _, stem = module.rpartition(".")
    own = {n.replace("-", "_") for n in component_names("detectors")} if package == "socml.detectors" else set()
    return stem in own and name == "".join(part.capitalize() for part in stem.split("_"))


def load_model(name: str, version: str = CHAMPION, *, project: Project | None = None) -> ModelVersion:
    """Return a model version from the registry: a number, or an alias such as `champion`.

    Raises
    ------
    UnknownName, ModelError
        If there is no such model or version, or its files cannot be trusted.
    """
    project = project or find_project()
    safe_name(name)
    number = str(version) if str(version).isdigit() else resolve_alias(name, str(version), project)
    folder = project.workspace / "models" / name / number
    if not (folder / "metadata.json").is_file():
        fetch_files(name, number, project)
    return read_files(folder, name, number)


def fetch_files(name: str, number: str, project: Project) -> Path:
    """Copy a version's files from the registry to their place in the workspace and return the folder.

    Raises
    ------
    ModelError
        If the registry has no such version, or it was not written by socml.
    """
    from mlflow.exceptions import MlflowException

    client = open_registry(project)
    try:
        run_id = str(client.get_model_version(name, number).run_id)
        with tempfile.TemporaryDirectory() as scratch:
            folder = keep_files(Path(client.download_artifacts(run_id, FILES, scratch)), name, number, project)
    except (MlflowException, OSError) as error:
        raise ModelError(f"Model {name}/{number} cannot be fetched from the registry: {error}") from error
    if not (folder / "metadata.json").is_file():
        raise ModelError(f"Model {name}/{number} in the registry was not written by socml.")
    return folder


def keep_files(source: Path, name: str, number: str, project: Project) -> Path:
    """Copy a version's files to their place in the workspace, in one step, and return the folder."""
    target = project.workspace / "models" / safe_name(name) / safe_name(number)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(source, temporary)
        if target.exists():  # left by a registry that was deleted: its number is given again
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def resolve_alias(name: str, alias: str, project: Project) -> str:
    """Return the number of the version that `alias` points to."""
    from mlflow.exceptions import MlflowException

    client = open_registry(project)
    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException:
        known = {model.name: list(model.aliases) for model in client.search_registered_models()}
    if name not in known:
        raise UnknownName("fitted model", name, known)
    raise UnknownName(f"version of {name}", alias, known[name])


def open_registry(project: Project) -> MlflowClient:
    """Return a quiet MLflow client: of `tracking.uri`, or of the workspace's own SQLite file."""
    _quiet()
    from mlflow import MlflowClient

    address = project.tracking_uri or f"sqlite:///{project.folder('mlflow') / 'mlflow.db'}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def experiment_id(client: MlflowClient, name: str, project: Project) -> str:
    """Return the id of an MLflow experiment, made if it is not there, its artefacts in the workspace."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    own = None if project.tracking_uri else project.folder("mlflow", "artifacts").as_uri()
    return str(client.create_experiment(name, artifact_location=own))


def _quiet() -> None:
    """Silence what MLflow prints and sends; set before it is first imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
