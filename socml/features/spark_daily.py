"""One day's events → what a feature set of the daily list may read, on Spark: meanings, views over them, histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from socml.features import meanings
from socml.features.first_seen import History
from socml.project import Project, SparkConnection, quoted, sealed_connection, spark_connection


@contextmanager
def spark_day(
    files: Sequence[Path],
    day: date,
    histories: Sequence[History] = (),
    extended: Sequence[History] = (),
    *,
    project: Project,
    inside: Sequence[IPv4Network] = (),
) -> Iterator[SparkConnection]:
    """Yield a connection that has what `day_connection` gives on DuckDB; `extended` histories get the day's new keys."""
    with spark_connection(project.master, memory_limit=project.memory_limit) as connection:
        connection.read_parquet("stored_events", files)
        sql = meanings.meanings_sql(day.isoformat(), (day + timedelta(days=1)).isoformat(), inside=inside)
        connection.define("meanings", sql, keep=True)
        for name, view in meanings.VIEWS.items():
            connection.define(name, view)
        for history in histories:
            _offer(history, day, connection)
            if history in extended:
                _extend(history, day, connection)
        yield connection


def _offer(history: History, day: date, connection: SparkConnection) -> None:
    remembered = ""
    if files := history.files_before(day):
        remembered = f"remembered_{history.key.name}"
        connection.read_parquet(remembered, files)
    history.offer(partial(connection.define, keep=True), day, quoted(remembered) if remembered else "")


def _extend(history: History, day: date, connection: SparkConnection) -> None:
    """Keep the day's new keys; which of too many is said by DuckDB, whose `hash` Spark has not."""
    name, columns = quoted(history.key.name), ", ".join(map(quoted, history.key.columns))
    sql = f"select {columns}, first_day from {name} where first_day = date '{day}'"  # noqa: S608
    fresh = connection.table(sql, where=history.key.name)
    with sealed_connection({history.key.name: fresh}) as local:
        history.extend(local, day)
