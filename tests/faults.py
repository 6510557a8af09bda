"""A project → the same with one thing broken in it: what a full disk, a bad sector or another program does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from small_lab import DATASET, FEATURES, MODEL

from socml.project.project import Project
from socml.project.workspace import features_path, list_runs, run_folder


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def overwrite(path: Path) -> None:
    """Put text where the file's data were."""
    for beside in (f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(beside).unlink(missing_ok=True)
    path.write_text("this is no such file\n" * 400)


def empty(path: Path) -> None:
    """Leave nothing of a file but its name."""
    path.write_bytes(b"")


def scramble(path: Path) -> None:
    """Destroy all pages of a SQLite file but the first."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


def execute(path: Path, *statements: str) -> None:
    """Run SQL on a SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a SQLite file as another program that writes for long does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("begin exclusive")
        yield
        connection.execute("rollback")


def run_file(project: Project, name: str) -> Path:
    """Return a file of the only scoring run."""
    return run_folder(project, str(list_runs(project)[0]["run_id"])) / name


def feature_file(project: Project) -> Path:
    """Return the feature table."""
    return features_path(project, DATASET, FEATURES)


def part(project: Project) -> Path:
    """Return the only part of the events."""
    return next((project.workspace / "events" / DATASET).glob("*.parquet"))


def label_store(project: Project) -> Path:
    """Return the label store's file."""
    return project.workspace / "labels.sqlite"


def registry(project: Project) -> Path:
    """Return the model registry's file."""
    return project.workspace / "mlflow" / "mlflow.db"


def model_file(project: Project) -> Path:
    """Return the champion's pipeline in the workspace."""
    return project.workspace / "models" / MODEL / "1" / "model.skops"


def alter_run(project: Project) -> None:
    """Change a figure in run.json by hand."""
    path = run_file(project, "run.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "dataset": "elsewhere"}))


def forget_label_table(project: Project) -> None:
    """Drop the table of labels, behind the back of its guards."""
    execute(label_store(project), "drop table label_event")


def from_the_future(project: Project) -> None:
    """Let the label store be of a schema that nobody knows yet."""
    execute(label_store(project), "update alembic_version set version_num = '9999'")


Fault = Callable[[Project], object]


def of_events(how: Callable[[Path], None]) -> Fault:
    """Return a fault: `how` done to a part of the events, which have to be read again as no feature table is there."""

    def fault(project: Project) -> None:
        how(part(project))
        feature_file(project).unlink()

    return fault


def at(where: Callable[[Project], Path], how: Callable[[Path], None]) -> Fault:
    """Return a fault: `how` done to the file that is `where`."""
    return lambda project: how(where(project))


def of_run(name: str, how: Callable[[Path], None]) -> Fault:
    """Return a fault: `how` done to a file of the scoring run."""
    return lambda project: how(run_file(project, name))
