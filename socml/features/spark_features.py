"""events → features, and what the daily list's feature sets read, on Spark: the same recipes as on DuckDB, and the same files.

Templates of messages are learned on the driver, in the order of the events: `event_templates` cannot be divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.features import meanings
from socml.features.event_templates import event_templates
from socml.features.first_seen import History
from socml.features.row_sql import rows_sql, truth_sql
from socml.project import (
    FeatureRecipe,
    Project,
    SparkConnection,
    plain_types,
    quoted,
    sealed_connection,
    spark_connection,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow.dataset as ds


@contextmanager
def spark_events(
    recipe: FeatureRecipe, stored: ds.Dataset, views: dict[str, str], *, project: Project, truth: Path | None = None
) -> Iterator[SparkConnection]:
    """Yield a connection with what a recipe may read.

    Parameters
    ----------
    stored : the events, a dataset of files
    views : SQL over `stored_events`, by the view's name
    truth : file of the events' ground truth; None if it has none
    """
    with spark_connection(project.master, memory_limit=project.memory_limit) as connection:
        connection.read_parquet("stored_events", stored.files)
        if "event_templates" in recipe.sql:
            connection.register("event_templates", event_templates(stored))
        if truth is not None:
            connection.read_parquet("truth", [truth])
        for name, sql in views.items():
            connection.define(name, sql, where=str(recipe.path))
        yield connection


def selected_schema(recipe: FeatureRecipe, connection: SparkConnection) -> pa.Schema:
    """Return what a recipe's SELECT gives."""
    frame = connection.select(recipe.sql, where=str(recipe.path)).limit(0)
    return plain_types(frame.toArrow()).schema


def has_values(name: str, connection: SparkConnection) -> bool:
    """Say whether any event has a value in a column."""
    sql = f"select event_id from stored_events where {quoted(name)} is not null limit 1"  # noqa: S608
    return len(connection.table(sql, where="stored_events")) > 0


def spark_rows(recipe: FeatureRecipe, columns: list[str], connection: SparkConnection) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a feature table: row_id, time, entity and these columns, in the table's order."""
    where = str(recipe.path)
    return connection.batches(connection.select(rows_sql(recipe, columns), where=where), where=where)


def spark_truth(recipe: FeatureRecipe, connection: SparkConnection) -> pa.Table:
    """Return the ground truth of a feature table's rows."""
    return connection.table(truth_sql(recipe), where=str(recipe.path))


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
