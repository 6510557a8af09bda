"""A fitted pipeline ↔ a model version: its files, its place in the registry, and its percentile scale.

The registry is MLflow's, on SQLite in the workspace or on any tracking server. A version's files are kept
in `workspace/models/<name>/<version>/` too, so that scoring with a known version needs no MLflow.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from socml.models.version import ModelVersion
from socml.models.version_files import import_skops, keep_files, read_files
from socml.project import (
    DataError,
    ModelError,
    Project,
    ScratchFolder,
    SocmlError,
    UnknownName,
    as_socml_error,
    find_project,
    private_file,
    safe_name,
    store_error,
    without_password,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

FILES = "socml"  # folder of the run's artefacts that holds a version's files
CHAMPION = "champion"
BUSY_S = 5.0  # seconds that another program may have the registry's file locked
REGISTRY_DAMAGED = (
    "Restore mlflow.db from a backup, or move it away and fit again; the fitted versions under models/ still score "
    "by their number: socml score MODEL DATASET --version N"
)


def load_model(name: str, version: str = CHAMPION, *, project: Project | None = None) -> ModelVersion:
    """Return a model version from the registry: a number, or an alias such as `champion`.

    Raises
    ------
    UnknownName, ModelError
        If there is no such model or version, or its files cannot be trusted.
    """
    import_skops()  # before MLflow: it looks through every module that is loaded by then
    project = project or find_project()
    safe_name(name)
    number = str(version) if str(version).isdigit() else resolve_alias(name, str(version), project)
    folder = project.workspace / "models" / name / number
    if not (folder / "metadata.json").is_file():
        fetch_files(name, number, project)
    return read_files(folder, name, number)


@lru_cache(maxsize=4)
def kept_model(name: str, number: str, project: Project) -> ModelVersion:
    """Return `load_model` of a version's number, which never changes: read once a process, whoever asks for it."""
    return load_model(name, number, project=project)


def fetch_files(name: str, number: str, project: Project) -> Path:
    """Copy a version's files from the registry to their place in the workspace and return the folder.

    Raises
    ------
    UnknownName, ModelError
        If the registry has no such version, or it was not written by socml.
    """
    from mlflow.exceptions import MlflowException

    client = open_registry(project, name)
    try:
        run_id = str(client.get_model_version(name, number).run_id)
        with ScratchFolder("fetch") as scratch:
            folder = keep_files(Path(client.download_artifacts(run_id, FILES, scratch)), name, number, project)
    except (MlflowException, OSError) as error:
        if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
            known = [found.version for found in client.search_model_versions(f"name = '{name}'")]
            raise UnknownName(f"version of {name}", number, map(str, known)) from None
        failure = registry_error(error)
        raise type(failure)(f"Model {name}/{number} cannot be fetched from the registry: {failure}") from error
    if not (folder / "metadata.json").is_file():
        raise ModelError(f"Model {name}/{number} in the registry was not written by socml.")
    return folder


def resolve_alias(name: str, alias: str, project: Project) -> str:
    """Return the number of the version that `alias` points to."""
    number = _alias_in_own_file(name, alias, project)
    if number is not None:
        return number
    from mlflow.exceptions import MlflowException

    client = open_registry(project, name)
    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise registry_error(error) from error
        known = {model.name: list(model.aliases) for model in client.search_registered_models()}
    if name not in known:
        raise UnknownName("fitted model", name, known)
    raise UnknownName(f"version of {name}", alias, known[name])


def _alias_in_own_file(name: str, alias: str, project: Project) -> str | None:
    """Return what the workspace's own registry says, asked without MLflow, whose import takes longer than a scoring.

    None is whatever is not as expected: then MLflow is asked, and says what is wrong.
    """
    path = project.workspace / "mlflow" / "mlflow.db"
    if project.tracking_uri or not path.is_file():
        return None
    query = "select version from registered_model_aliases where name = ? and alias = ?"
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0)) as registry:
        found = registry.execute(query, (name, alias)).fetchone()
        return str(found[0]) if found else None
    return None


def open_registry(project: Project, wanted: str = "") -> MlflowClient:
    """Return a quiet MLflow client: of `tracking.uri`, or of the workspace's own SQLite file.

    With a `wanted` model, a registry that was never written to is not made for it.

    Raises
    ------
    UnknownName
        If there is no registry that could have the wanted model.
    """
    if wanted and not project.tracking_uri and not (project.workspace / "mlflow" / "mlflow.db").is_file():
        raise UnknownName("fitted model", wanted, [])
    _quiet()
    from mlflow import MlflowClient

    if not project.tracking_uri:
        check_registry_file(project.folder("mlflow") / "mlflow.db")
    address = project.tracking_uri or f"sqlite:///{private_file(project.folder('mlflow') / 'mlflow.db')}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def models(*, project: Project | None = None) -> pd.DataFrame:
    """Return the fitted models of the registry: one row a version, with its aliases, the newest first."""
    import pandas as pd

    columns, rows = ["name", "version", "aliases", "run_id", "fitted"], []
    client = open_registry(project or find_project())
    aliases = {model.name: model.aliases for model in client.search_registered_models()}
    for found in client.search_model_versions():
        here = sorted(alias for alias, number in aliases[found.name].items() if str(number) == str(found.version))
        fitted = pd.Timestamp(found.creation_timestamp, unit="ms", tz="UTC")
        rows.append((found.name, str(found.version), ", ".join(here), found.run_id, fitted))
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("fitted", ascending=False, kind="stable", ignore_index=True)


def check_registry_file(path: Path) -> None:
    """Raise what the registry's own SQLite file suffers from; MLflow itself would try ten times for two minutes.

    Raises
    ------
    ModelError
        If it is damaged.
    TryLater
        If another program has it locked.
    """
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise registry_error(error) from error


def registry_error(error: BaseException) -> SocmlError:
    """Return the error that an error of MLflow, or of its store or files, means."""
    if "out-of-date database schema" in str(error):
        return ModelError(
            "The model registry was made by another version of MLflow than the one installed. Keep a copy of "
            "workspace/mlflow/mlflow.db, then: mlflow db upgrade sqlite:///workspace/mlflow/mlflow.db"
        )
    failure = store_error(error, store="The model registry", remedy=REGISTRY_DAMAGED)
    is_answer = type(error).__module__.startswith("requests.")  # no file is damaged: its server refuses one
    failure = failure or (None if is_answer else as_socml_error(error))
    if isinstance(failure, DataError) or failure is None:
        found = without_password(str(error)).rstrip(". ")
        return ModelError(str(failure or f"The model registry does not answer: {found}."))
    return failure


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
    # Half a minute without a word; its own is four of them
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    for name, level in (("mlflow", logging.CRITICAL), ("alembic", logging.ERROR)):  # MLflow logs errors with a trace
        logging.getLogger(name).setLevel(level)
