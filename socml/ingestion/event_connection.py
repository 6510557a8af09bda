"""A dataset's stored events → a sealed DuckDB connection that reads their files and nothing else.

DuckDB reads the columns of a filter first and the others only where it holds: of a million events, the one behind a row
costs a tenth of reading them through Arrow.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socml.project import (
    DataError,
    Project,
    UnknownName,
    event_files,
    open_events,
    quoted_text,
    sealed_connection,
    visible_line,
)

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class StoredEvents:
    """Events that can be asked for: the table `events` of `connection`, and the names of its columns."""

    connection: duckdb.DuckDBPyConnection
    columns: tuple[str, ...]

    def check_column(self, name: str) -> None:
        """Raise UnknownName if events have no such column."""
        if name not in self.columns:
            raise UnknownName("event column", name, self.columns)


@contextmanager
def stored_events(project: Project, dataset: str) -> Iterator[StoredEvents]:
    """Yield the events of a dataset, to be filtered; names and values go in as expressions, never as SQL.

    Raises
    ------
    UnknownName
        If there is no such dataset.
    DataError
        If a file of it is damaged.
    """
    columns = tuple(open_events(project, dataset).schema.names)
    files = [str(path) for path in event_files(project, dataset)]
    with (
        _reading(dataset),
        sealed_connection(
            {}, prepare=lambda c: _offer(c, files), memory_limit=project.memory_limit, threads=project.threads
        ) as connection,
    ):
        yield StoredEvents(connection, columns)


@contextmanager
def kept_events(project: Project, dataset: str) -> Iterator[StoredEvents]:
    """Yield what `stored_events` does, kept open for the next question as long as the dataset's files are the same.

    One at a time in a process; to open it costs as much as a question.
    """
    files = (str(project.workspace), dataset, *map(str, event_files(project, dataset)))
    with _KEPT.lock:
        if _KEPT.files != files:
            _KEPT.close()
            _KEPT.stored = _KEPT.stack.enter_context(stored_events(project, dataset))
            _KEPT.files = files
        assert _KEPT.stored is not None, "it was just opened"
        try:
            with _reading(dataset):
                yield _KEPT.stored
        except BaseException:
            _KEPT.close()
            raise


class _Kept:
    """The connection that is kept open, and for which files."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stack = ExitStack()
        self.files: tuple[str, ...] = ()
        self.stored: StoredEvents | None = None
        atexit.register(self.close)  # while there are still modules to close it with

    def close(self) -> None:
        self.files, self.stored = (), None
        self.stack.close()


_KEPT = _Kept()


@contextmanager
def _reading(dataset: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        reason = visible_line(str(error))[:300]
        raise DataError(
            f"The events of dataset {dataset!r} cannot be read: {reason} See socml check --repair"
        ) from error


def _offer(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    listed = ", ".join(quoted_text(path) for path in files)
    connection.execute(f"set allowed_paths = [{listed}]")
    # Parts never change; else every question reads all their footers anew.
    connection.execute("set parquet_metadata_cache = true")
    connection.execute(
        f"create temp view events as select * from read_parquet([{listed}], union_by_name = true)"  # noqa: S608
    )
