"""One day's events, hour by hour → the columns of the daily list, one row an entity and hour.

An hour counts its own events alone, with what was known up to its end: the history of the days before, and the day's hours
so far. So a later hour never changes an earlier row, and what was new at nine is known at ten. Hours without events have
no rows. `workspace/daily/DATASET/hours/2026-03-02.parquet` keeps a day's hours until its events, or the recipes, change.

Blind to what takes longer than an hour to show; the floors and the usual values of the recipes are those of a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from socml.features import meanings
from socml.features.daily_tables import DailyTables, rows_of_set
from socml.features.entity_day_table import EntityDay, side_by_side
from socml.features.first_seen import History, keys_of, parquet_sql
from socml.project import Project, part_path, quoted, read_metadata, read_table, sealed_connection, write_table

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class EntityHour:
    """What the feature sets say of one hour; `rows.day` is the day that it is of."""

    begin: datetime
    rows: EntityDay


def entity_hours(
    tables: DailyTables, day: date, dataset: str, *, project: Project, inside: Sequence[IPv4Network] = ()
) -> list[EntityHour]:
    """Return the hours of a day that have events, in order; read from where they are kept if nothing has changed.

    Parameters
    ----------
    tables : of the dataset's daily list, up to date
    inside : networks of the organisation, beside the private ones

    Raises
    ------
    RecipeError
    """
    names = [name for recipe in tables.recipes for name in recipe.columns]
    version = hashlib.blake2b(
        "\n".join(tables.versions[d] for d in tables.days if d <= day).encode(), digest_size=16
    ).hexdigest()
    path = tables.folder / "hours" / f"{day}.parquet"
    if not path.is_file() or read_metadata(path).get("version") != version:
        built = list(_built(tables, day, dataset, project, inside))
        write_table(path, _as_table(built, names), {"version": version})
    return list(_read(path, day, names))


def _built(
    tables: DailyTables, day: date, dataset: str, project: Project, inside: Sequence[IPv4Network]
) -> Iterator[EntityHour]:
    histories = [History(tables.folder / "history", key) for key in keys_of(r.first_seen for r in tables.recipes)]
    before = {history.key.name: history.files_before(day) for history in histories}
    files = [part_path(project, dataset, part) for part in tables.events(day)]
    remembered = [path for paths in before.values() for path in paths]

    def prepare(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"create temp view stored_events as select * from {parquet_sql(files)}")  # noqa: S608
        sql = meanings.meanings_sql(day.isoformat(), (day + timedelta(days=1)).isoformat(), inside=inside)
        connection.execute(f"create temp table whole_day as {sql}")
        connection.execute("create temp table meanings as select * from whole_day limit 0")
        for name, view in meanings.VIEWS.items():
            connection.execute(f"create temp view {name} as {view}")

    memory, threads = project.memory_limit, project.threads
    with sealed_connection(
        {}, prepare=prepare, readable=remembered, memory_limit=memory, threads=threads
    ) as connection:
        hours = connection.execute("select distinct epoch_us(time) // 3600000000 from whole_day order by 1").fetchall()
        for (hour,) in hours:
            begin = datetime.fromtimestamp(hour * 3600, UTC)
            _take(connection, f"time < {_moment(begin + timedelta(hours=1))}")
            for history in histories:
                _offer(connection, history, day, begin, before[history.key.name])
            _take(connection, f"time >= {_moment(begin)} and time < {_moment(begin + timedelta(hours=1))}")
            parts = [(rows_of_set(recipe, connection, inside), list(recipe.columns)) for recipe in tables.recipes]
            yield EntityHour(begin, side_by_side(day, parts))


def _offer(
    connection: duckdb.DuckDBPyConnection, history: History, day: date, begin: datetime, before: Sequence[Path]
) -> None:
    """Make the tables of a key as they are at the end of an hour; a key of an earlier hour of the day is known before."""

    def define(name: str, sql: str) -> None:
        connection.execute(f"create or replace temp table {quoted(name)} as {sql}")

    name = quoted(history.key.name)
    columns = ", ".join(quoted(column) for column in history.key.columns)
    known = " and ".join(f"{quoted(column)} is not null" for column in history.key.columns)
    end = begin + timedelta(hours=1)
    history.offer(define, day, parquet_sql(before) if before else "")
    earlier = f"select distinct {columns}, true as earlier from whole_day where {known} and time < {_moment(begin)}"  # noqa: S608
    now = (
        f"select distinct {columns} from whole_day where {known} and time >= {_moment(begin)} and time < {_moment(end)}"  # noqa: S608
    )
    define(
        history.key.name,
        f"""
        select {columns}, case when earlier and first_day = date '{day}' then date '{day - timedelta(days=1)}'
                               else first_day end as first_day, began
        from {name} join ({now}) using ({columns}) left join ({earlier}) using ({columns})""",  # noqa: S608
    )


def _take(connection: duckdb.DuckDBPyConnection, when: str) -> None:
    """Let `meanings` hold the events of a time, for the views over it."""
    connection.execute(f"create or replace temp table meanings as select * from whole_day where {when}")  # noqa: S608


def _moment(at: datetime) -> str:
    return f"timestamptz '{at.isoformat()}'"


def _as_table(hours: Sequence[EntityHour], names: Sequence[str]) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "hour": pa.array([h.begin.hour for h in hours for _ in h.rows.entity], pa.int8()),
        "role": pa.array([role for h in hours for role in h.rows.role], pa.string()),
        "entity": pa.array([entity for h in hours for entity in h.rows.entity], pa.string()),
    }
    for i, name in enumerate(names):
        columns[name] = pa.array(np.concatenate([h.rows.values[:, i] for h in hours]) if hours else [], pa.float64())
    return pa.table(columns)


def _read(path: Path, day: date, names: Sequence[str]) -> Iterator[EntityHour]:
    frame: pd.DataFrame = read_table(path).to_pandas()
    for hour, of in frame.groupby("hour", sort=True):
        begin = datetime.combine(day, time(int(str(hour))), UTC)
        role, entity = (of[name].to_numpy(object) for name in ("role", "entity"))
        yield EntityHour(begin, EntityDay(day, role, entity, of[list(names)].to_numpy(np.float64)))
