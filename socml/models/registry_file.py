"""A run and a model version → rows of the workspace's own registry, MLflow's SQLite file, without importing MLflow.

MLflow takes three CPU seconds to import and three more to make its tables by migrations; a fit takes one. What is
written here is what MLflow's client would write, and its tools read it. A file whose tables are of another revision
than the one known here is left to MLflow itself.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from socml.project import FOLDER_MODE, Project, make_private, private_file

REVISION = "dc11669786a5"  # of MLflow's tables, as alembic_version holds it
MIGRATIONS = "7456ba1b2b205466"  # hash of the names of the migrations that lead there
SCHEMA = Path(__file__).with_name("registry_schema.sql")
BUSY_S = 5.0  # seconds that another program may have the file locked


@dataclass(frozen=True)
class StartedRun:
    """A run that was begun: its id, and the URI of the folder that holds its files."""

    run_id: str
    artifact_uri: str


class RegistryFile:
    """MLflow's SQLite file of a workspace. Every method is one transaction.

    Errors of SQLite and of files are raised as they are.
    """

    def __init__(self, path: Path, artifacts: Path) -> None:
        self.path, self.artifacts = path, artifacts

    def start_run(self, experiment: str, name: str, tags: Mapping[str, str]) -> StartedRun:
        """Begin a run of an experiment, which is made if it is not there."""
        run_id, now = uuid4().hex, _now()
        with self._writing() as rows:
            found = rows.execute(
                "select experiment_id, artifact_location from experiments where name = ?", (experiment,)
            ).fetchone()
            number, location = found or (self._add_experiment(rows, experiment, now), self.artifacts.as_uri())
            uri = f"{location}/{run_id}/artifacts"
            rows.execute(
                "insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
                "start_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
                "values (?, ?, 'UNKNOWN', '', '', 'unknown', 'RUNNING', ?, '', 'active', ?, ?)",
                (run_id, name, now, uri, number),
            )
            every = {**tags, "mlflow.runName": name}
            rows.executemany(
                "insert into tags (key, value, run_uuid) values (?, ?, ?)", [(k, v, run_id) for k, v in every.items()]
            )
        return StartedRun(run_id, uri)

    def log(self, run: StartedRun, parameters: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        """Write parameters and metrics (finite numbers) of a run."""
        now = _now()
        with self._writing() as rows:
            rows.executemany(
                "insert into params (key, value, run_uuid) values (?, ?, ?)",
                [(key, value, run.run_id) for key, value in parameters.items()],
            )
            for table in ("metrics", "latest_metrics"):
                rows.executemany(
                    f"insert into {table} (key, value, timestamp, step, is_nan, run_uuid) values (?, ?, ?, 0, 0, ?)",  # noqa: S608
                    [(key, value, now, run.run_id) for key, value in metrics.items()],
                )

    def store(self, run: StartedRun, folder: Path) -> None:
        """Copy what is in a folder to the run's files; its owner alone may read them."""
        target = local_path(run.artifact_uri)
        shutil.copytree(folder, target, dirs_exist_ok=True)
        if target.is_relative_to(self.artifacts):
            target.parent.parent.chmod(FOLDER_MODE)
            make_private(target.parent)

    def end_run(self, run: StartedRun, status: str) -> None:
        """Set a run's status, `FINISHED` or `FAILED`."""
        with self._writing() as rows:
            rows.execute("update runs set status = ?, end_time = ? where run_uuid = ?", (status, _now(), run.run_id))

    def register(self, name: str, run: StartedRun) -> str:
        """Make the run's folder `model` the next version of a model, and return its number."""
        now, source = _now(), f"{run.artifact_uri}/model"
        with self._writing() as rows:
            rows.execute(
                "insert into registered_models (name, creation_time, last_updated_time) values (?, ?, ?) "
                "on conflict do update set last_updated_time = excluded.last_updated_time",
                (name, now, now),
            )
            (number,) = rows.execute(
                "select coalesce(max(version), 0) + 1 from model_versions where name = ?", (name,)
            ).fetchone()
            rows.execute(
                "insert into model_versions (name, version, creation_time, last_updated_time, current_stage, source, "
                "run_id, status, storage_location) values (?, ?, ?, ?, 'None', ?, ?, 'READY', ?)",
                (name, number, now, now, source, run.run_id, source),
            )
        return str(number)

    def files(self, run: StartedRun, folder: str, scratch: Path) -> Path:
        """Return where a folder of a run's files lies."""
        return local_path(run.artifact_uri) / folder

    def aliases(self, name: str) -> dict[str, str]:
        """Return alias → version number of a model."""
        with closing(self._connection()) as rows:
            found = rows.execute("select alias, version from registered_model_aliases where name = ?", (name,))
            return {str(alias): str(number) for alias, number in found}

    def set_alias(self, name: str, alias: str, number: str) -> None:
        """Have an alias of a model point to a version."""
        with self._writing() as rows:
            rows.execute(
                "insert into registered_model_aliases (name, alias, version) values (?, ?, ?) "
                "on conflict do update set version = excluded.version",
                (name, alias, int(number)),
            )

    def _add_experiment(self, rows: sqlite3.Connection, name: str, now: int) -> int:
        # 0 is MLflow's own experiment "Default", which it makes when it first opens the file.
        (number,) = rows.execute("select coalesce(max(experiment_id), 0) + 1 from experiments").fetchone()
        rows.execute(
            "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, "
            "last_update_time) values (?, ?, ?, 'active', ?, ?)",
            (number, name, self.artifacts.as_uri(), now, now),
        )
        return int(number)

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Enter a connection with the write lock, which is committed at the end or rolled back."""
        with closing(self._connection()) as rows:
            rows.execute("pragma foreign_keys = on")
            rows.execute("begin immediate")
            try:
                yield rows
            except BaseException:
                if rows.in_transaction:  # a full disk has ended it already
                    rows.execute("rollback")
                raise
            rows.execute("commit")


def open_registry_file(project: Project) -> RegistryFile | None:
    """Return the workspace's own registry, made if it is not there; None where MLflow itself has to be asked.

    That is with a tracking server, with a file of another revision, and with an MLflow of other tables.

    Raises
    ------
    sqlite3.Error
        If the file is damaged or locked.
    """
    if project.tracking_uri:
        return None
    path = project.folder("mlflow") / "mlflow.db"
    registry = RegistryFile(path, project.folder("mlflow", "artifacts"))
    if path.is_file() and path.stat().st_size:
        return registry if _revision(path) == REVISION else None
    if not is_schema_of_installed_mlflow():
        return None
    private_file(path)
    with registry._writing() as rows:
        if not rows.execute("select count(*) from sqlite_master").fetchone()[0]:  # else another process was first
            for statement in _statements(SCHEMA.read_text(encoding="utf-8")):
                rows.execute(statement)
    return registry


def is_schema_of_installed_mlflow() -> bool:
    """Say whether the tables kept here are those of the MLflow that is installed, or there is none."""
    found = find_spec("mlflow")
    if found is None or found.origin is None:
        return True
    names = sorted(path.name for path in (Path(found.origin).parent / "store/db_migrations/versions").glob("*.py"))
    return blake2b("\n".join(names).encode(), digest_size=8).hexdigest() == MIGRATIONS


def local_path(uri: str) -> Path:
    """Return the path of a `file:` URI, or of what is a path already."""
    return Path(url2pathname(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)


def _revision(path: Path) -> str:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as rows:
        try:
            found = rows.execute("select version_num from alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return ""
            raise
    return str(found[0]) if found else ""


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script, a trigger's inner semicolons left where they are."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def _now() -> int:
    return time.time_ns() // 1_000_000
