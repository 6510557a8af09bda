"""Several feature rows → the events behind each, and what else the entity of each did then: one reading for all.

An analyst looks at the next rows of a queue; each alone would read the dataset twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.ingestion.event_connection import StoredEvents, stored_events
from socml.ingestion.event_query import as_frame, equals, is_missing, moment_of
from socml.project import Project, find_project, quoted

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

ENTITY_COLUMNS = ("source_ip", "user_name", "host_name")  # whom an event is about, if its feature set does not say
OWN_COLUMNS = ("event_id", "time", "raw", "source_file", "source_line", *ENTITY_COLUMNS)  # more is more to decompress


@dataclass(frozen=True)
class RowEvents:
    """What a feature row stands on.

    Attributes
    ----------
    own : its events, the earliest first; `OWN_COLUMNS`
    related : the events of its entity that are nearest in time, the earliest first; the columns that were asked for
    """

    own: pd.DataFrame = field(repr=False)
    related: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class _About:
    """Whose events are looked for, and around when; None of an unknown moment is the earliest."""

    row_id: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    moment: datetime | None


def events_of_rows(
    dataset: str,
    *,
    rows: Sequence[Mapping[str, object]],
    entity: Sequence[str],
    window_seconds: int,
    told: Sequence[str],
    own_limit: int = 20,
    related_limit: int = 15,
    project: Project | None = None,
) -> dict[str, RowEvents]:
    """Return the events behind each of `rows`, by row_id.

    Parameters
    ----------
    rows : row_id, time and, for windows, the entity's columns of each
    entity, window_seconds : as of the feature table's metadata; 0 seconds is one row an event
    told : columns of the related events; those that the dataset lacks are left out
    own_limit, related_limit : events a row
    """
    with stored_events(project or find_project(), dataset) as stored:
        for name in entity:
            stored.check_column(name)
        own = _windows(stored, rows, entity, window_seconds, own_limit) if window_seconds else _single(stored, rows)
        about = [found for row in rows if (found := _about(row, entity, own[str(row["row_id"])])) is not None]
        related: dict[str, pd.DataFrame] = {}
        for columns in dict.fromkeys(one.columns for one in about):
            same = [one for one in about if one.columns == columns]
            related |= _nearest(stored, same, columns, told, related_limit)
    return {row_id: RowEvents(mine, related.get(row_id, mine.iloc[:0])) for row_id, mine in own.items()}


def _single(stored: StoredEvents, rows: Sequence[Mapping[str, object]]) -> dict[str, pd.DataFrame]:
    import duckdb

    names = [str(row["row_id"]) for row in rows]
    found = stored.connection.table("events").filter(_is_in("event_id", names))
    times = [moment_of(row["time"]) for row in rows if not is_missing(row.get("time"))]
    if len(times) == len(rows):  # files and groups of other times are not opened
        first, last = duckdb.ConstantExpression(min(times)), duckdb.ConstantExpression(max(times))
        found = found.filter((duckdb.ColumnExpression("time") >= first) & (duckdb.ColumnExpression("time") <= last))
    events = as_frame(found.select(*_own(stored)).to_arrow_table())
    return {name: events[events["event_id"] == name].head(1).reset_index(drop=True) for name in names}


def _windows(
    stored: StoredEvents, rows: Sequence[Mapping[str, object]], entity: Sequence[str], seconds: int, limit: int
) -> dict[str, pd.DataFrame]:
    import duckdb

    found: dict[str, pd.DataFrame] = {}
    time = duckdb.ColumnExpression("time")
    for row in rows:
        start = moment_of(row["time"])
        events = stored.connection.table("events").filter(time >= duckdb.ConstantExpression(start))
        events = events.filter(time < duckdb.ConstantExpression(start + timedelta(seconds=seconds)))
        # A row of the daily list has the column of its own role only: an address, a host or an account.
        for name in (name for name in entity if not is_missing(row.get(name))):
            events = events.filter(equals(name, row[name]))
        first = events.order("time, source_line").limit(limit).select(*_own(stored))
        found[str(row["row_id"])] = as_frame(first.to_arrow_table())
    return found


def _about(row: Mapping[str, object], entity: Sequence[str], own: pd.DataFrame) -> _About | None:
    known = {name: str(row[name]) for name in entity if not is_missing(row.get(name))}
    if not known and len(own):
        first = own.iloc[0]
        present = (name for name in ENTITY_COLUMNS if name in own and not is_missing(first[name]))
        known = {name: str(first[name]) for name in list(present)[:1]}
    if not known:
        return None
    moment = None if is_missing(row.get("time")) else moment_of(row["time"])
    return _About(str(row["row_id"]), tuple(known), tuple(known.values()), moment)


def _nearest(
    stored: StoredEvents, about: Sequence[_About], columns: tuple[str, ...], told: Sequence[str], limit: int
) -> dict[str, pd.DataFrame]:
    """Return the events nearest in time of each entity; only names of columns are ever part of the SQL."""
    wanted: dict[str, pa.Array] = {
        "row_number": pa.array(range(len(about)), pa.int64()),
        "moment": pa.array([_microseconds(one.moment) for one in about], pa.int64()),
    }
    wanted |= {f"key{at}": pa.array([one.values[at] for one in about], pa.string()) for at in range(len(columns))}
    stored.connection.register("wanted", pa.table(wanted))
    shown = ["event_id", "time", *(n for n in told if n in stored.columns and n not in {"event_id", "time"})]
    same = " and ".join(f"events.{quoted(name)} = wanted.key{at}" for at, name in enumerate(columns))
    nearest = f"""
        select wanted.row_number, arg_min(event_id, (abs(epoch_us(time) - moment), source_line), {int(limit)}) as ids
        from events join wanted on {same} where time is not null group by all"""  # noqa: S608
    ids_of = {int(number): list(ids) for number, ids in stored.connection.sql(nearest).fetchall()}
    stored.connection.unregister("wanted")
    found = stored.connection.table("events").filter(
        _is_in("event_id", sorted({i for ids in ids_of.values() for i in ids}))
    )
    events = as_frame(found.select(*shown, "source_line").to_arrow_table()).sort_values(["time", "source_line"])
    events = events.drop_duplicates("event_id").drop(columns=[] if "source_line" in told else "source_line")
    return {
        one.row_id: events[events["event_id"].isin(ids_of.get(at, ()))].reset_index(drop=True)
        for at, one in enumerate(about)
    }


def _own(stored: StoredEvents) -> list[str]:
    return [name for name in OWN_COLUMNS if name in stored.columns]


def _microseconds(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1_000_000) if moment is not None else 0


def _is_in(name: str, values: Sequence[str]) -> duckdb.Expression:
    import duckdb

    return duckdb.ColumnExpression(name).isin(*(duckdb.ConstantExpression(value) for value in values))
