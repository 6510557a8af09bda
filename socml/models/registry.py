"""A project → the registry that its runs and versions are recorded in: its own file, or whatever MLflow's client reaches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from socml.models.registry_file import RegistryFile, StartedRun, local_path, open_registry_file
from socml.models.versions import check_registry_file, experiment_id, open_registry, registry_error
from socml.project import FOLDER_MODE, Project, make_private

if TYPE_CHECKING:
    from mlflow import MlflowClient


@contextmanager
def recording(project: Project) -> Iterator[Registry]:
    """Enter the project's registry; what it suffers from inside is raised as an error of socml.

    Raises
    ------
    ModelError, TryLater
        If it is damaged, locked, or does not answer.
    """
    try:
        if not project.tracking_uri:
            check_registry_file(project.folder("mlflow") / "mlflow.db")
        own = open_registry_file(project)
        yield own or RegistryClient(open_registry(project), project)
    except sqlite3.Error as error:
        raise registry_error(error) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("mlflow", "requests"):  # with which it sends files
            raise
        raise registry_error(error) from error


class RegistryClient:
    """Whatever registry MLflow's client reaches: a tracking server, or a file of tables that only MLflow knows."""

    def __init__(self, client: MlflowClient, project: Project) -> None:
        self.client, self.project = client, project

    def start_run(self, experiment: str, name: str, tags: Mapping[str, str]) -> StartedRun:
        """Begin a run of an experiment, which is made if it is not there."""
        number = experiment_id(self.client, experiment, self.project)
        run = self.client.create_run(number, run_name=name, tags=dict(tags))
        return StartedRun(str(run.info.run_id), str(run.info.artifact_uri))

    def log(self, run: StartedRun, parameters: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        """Write parameters and metrics of a run."""
        from mlflow.entities import Metric, Param
        from mlflow.utils.time import get_current_time_millis

        now = get_current_time_millis()  # type: ignore[no-untyped-call]  # MLflow gives it no types
        self.client.log_batch(
            run.run_id,
            metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
            params=[Param(key, value) for key, value in parameters.items()],
        )

    def store(self, run: StartedRun, folder: Path) -> None:
        """Send what is in a folder to the run's files."""
        self.client.log_artifacts(run.run_id, str(folder))
        own = self.project.folder("mlflow", "artifacts")
        if urlsplit(run.artifact_uri).scheme == "file" and local_path(run.artifact_uri).is_relative_to(own):
            of_run = local_path(run.artifact_uri).parent
            of_run.parent.chmod(FOLDER_MODE)
            make_private(of_run)

    def end_run(self, run: StartedRun, status: str) -> None:
        """Set a run's status."""
        self.client.set_terminated(run.run_id, status)

    def register(self, name: str, run: StartedRun) -> str:
        """Make the run's folder `model` the next version of a model, and return its number."""
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return str(self.client.create_model_version(name, f"{run.artifact_uri}/model", run_id=run.run_id).version)

    def files(self, run: StartedRun, folder: str, scratch: Path) -> Path:
        """Return where a folder of a run's files lies, fetched into `scratch`."""
        return Path(self.client.download_artifacts(run.run_id, folder, str(scratch)))

    def aliases(self, name: str) -> dict[str, str]:
        """Return alias → version number of a model."""
        return {alias: str(number) for alias, number in self.client.get_registered_model(name).aliases.items()}

    def set_alias(self, name: str, alias: str, number: str) -> None:
        """Have an alias of a model point to a version."""
        self.client.set_registered_model_alias(name, alias, number)


Registry: TypeAlias = RegistryFile | RegistryClient
