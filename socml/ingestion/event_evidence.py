"""Several feature rows → the events behind each, and what else the entity of each did then: one reading for all.

An analyst looks at the next rows of a queue; each alone would read the dataset twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from socml.ingestion.event_connection import StoredEvents, kept_events
from socml.ingestion.event_query import is_missing, moment_of, plain
from socml.project import Project, find_project, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

    own: pa.Table = field(repr=False)
    related: pa.Table = field(repr=False)


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
    with kept_events(project or find_project(), dataset) as stored:
        for name in entity:
            stored.check_column(name)
        own = _windows(stored, rows, entity, window_seconds, own_limit) if window_seconds else _single(stored, rows)
        about = [found for row in rows if (found := _about(row, entity, own[str(row["row_id"])])) is not None]
        related: dict[str, pa.Table] = {}
        for columns in dict.fromkeys(one.columns for one in about):
            same = [one for one in about if one.columns == columns]
            related |= _nearest(stored, same, columns, told, related_limit)
    return {row_id: RowEvents(mine, related.get(row_id, mine.slice(0, 0))) for row_id, mine in own.items()}


def _single(stored: StoredEvents, rows: Sequence[Mapping[str, object]]) -> dict[str, pa.Table]:
    names: list[object] = [row["row_id"] for row in rows]
    times = [moment_of(row["time"]) for row in rows if not is_missing(row.get("time"))]
    if len(times) == len(rows):  # a moment is compared at once, and few other events happened at it
        events = _select(
            stored, _own(stored), _any_span(len(times)), [bound for time in times for bound in (time, time)]
        )
    else:
        events = _select(stored, _own(stored), f"event_id in ({', '.join('?' * len(names))})", names)
    at = {name: place for place, name in reversed(list(enumerate(events["event_id"].to_pylist())))}
    return {str(name): events.slice(at.get(name, len(events)), 1) for name in names}


def _windows(
    stored: StoredEvents, rows: Sequence[Mapping[str, object]], entity: Sequence[str], seconds: int, limit: int
) -> dict[str, pa.Table]:
    found: dict[str, pa.Table] = {}
    for row in rows:
        start = moment_of(row["time"])
        # A row of the daily list has the column of its own role only: an address, a host or an account.
        known = [name for name in entity if not is_missing(row.get(name))]
        where = " and ".join(["time >= ? and time < ?", *map(_equal, known)])
        values = [start, start + timedelta(seconds=seconds), *(row[name] for name in known)]
        first = f"{where} order by time, source_line limit {int(limit)}"
        found[str(row["row_id"])] = _select(stored, _own(stored), first, values)
    return found


def _about(row: Mapping[str, object], entity: Sequence[str], own: pa.Table) -> _About | None:
    known = {name: str(row[name]) for name in entity if not is_missing(row.get(name))}
    if not known and len(own):
        first = own.slice(0, 1).to_pylist()[0]
        present = (name for name in ENTITY_COLUMNS if not is_missing(first.get(name)))
        known = {name: str(first[name]) for name in list(present)[:1]}
    if not known:
        return None
    moment = None if is_missing(row.get("time")) else moment_of(row["time"])
    return _About(str(row["row_id"]), tuple(known), tuple(known.values()), moment)


def _nearest(
    stored: StoredEvents, about: Sequence[_About], columns: tuple[str, ...], told: Sequence[str], limit: int
) -> dict[str, pa.Table]:
    """Return the events nearest in time of each entity; only names of columns are ever part of the SQL."""
    wanted: dict[str, pa.Array] = {
        "row_number": pa.array(range(len(about)), pa.int64()),
        "moment": pa.array([_microseconds(one.moment) for one in about], pa.int64()),
    }
    wanted |= {f"key{at}": pa.array([one.values[at] for one in about], pa.string()) for at in range(len(columns))}
    stored.connection.register("wanted", pa.table(wanted))
    same = " and ".join(f"events.{quoted(name)} = wanted.key{at}" for at, name in enumerate(columns))
    times = f"""
        select row_number, list_min(nearest), list_max(nearest) from (
            select row_number, arg_min(time, (abs(epoch_us(time) - moment), source_line), {int(limit)}) as nearest
            from events join wanted on {same} where time is not null group by row_number)"""  # noqa: S608
    spans = {int(number): (first, last) for number, first, last in stored.connection.sql(times).fetchall()}
    stored.connection.unregister("wanted")
    if not spans:
        return {}
    mine = " and ".join([_any_span(1), *map(_equal, columns)])
    # What is about time alone spares whole files.
    near = f"({_any_span(len(spans))}) and ({' or '.join([mine] * len(spans))})"
    values = [moment for span in spans.values() for moment in span]
    values += [value for number, span in spans.items() for value in (*span, *about[number].values)]
    shown = [
        "event_id",
        "time",
        *(name for name in told if name in stored.columns and name not in {"event_id", "time"}),
    ]
    asked = list(dict.fromkeys([*shown, "source_line", *columns]))
    found = _select(stored, asked, near, values)
    events = found.sort_by([("time", "ascending"), ("source_line", "ascending")]).combine_chunks()
    shown += ["source_line"] if "source_line" in told else []
    return {one.row_id: events.select(shown).take(at) for one, at in _of_each(events, about, limit)}


def _of_each(events: pa.Table, about: Sequence[_About], limit: int) -> Iterator[tuple[_About, NDArray[np.intp]]]:
    """Yield where the events of each entity stand that are nearest in time: others happened at the same moments."""
    moment = events["time"].cast(pa.int64()).to_numpy()
    line = events["source_line"].to_numpy()
    once = np.zeros(len(events), dtype=bool)  # an event that is stored twice is shown once
    once[np.unique(events["event_id"].to_numpy(), return_index=True)[1]] = True
    keys = {name: events[name].to_numpy() for one in about for name in one.columns}
    for one in about:
        same = [keys[name] == value for name, value in zip(one.columns, one.values, strict=True)]
        at = np.flatnonzero(np.logical_and.reduce([once, *same]))
        nearest = np.lexsort((line[at], np.abs(moment[at] - _microseconds(one.moment))))[:limit]
        yield one, np.sort(at[nearest])


def _own(stored: StoredEvents) -> list[str]:
    return [name for name in OWN_COLUMNS if name in stored.columns]


def _microseconds(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1_000_000) if moment is not None else 0


def _select(stored: StoredEvents, columns: Sequence[str], where: str, values: Sequence[object]) -> pa.Table:
    """Return columns of the events for which `where` holds; of what comes from data, names are quoted and values are `values`.

    In one statement: each step of a relation looks at every file of the dataset anew.
    """
    named = ", ".join(map(quoted, columns))
    sql = f"select {named} from events where {where}"  # noqa: S608  `where` is made of quoted names and ?
    return stored.connection.sql(sql, params=[plain(value) for value in values]).to_arrow_table()


def _any_span(count: int) -> str:
    """Return that a moment lies in one of so many spans, in the form in which DuckDB passes over what lies in none."""
    return " or ".join(["time >= ? and time <= ?"] * count)


def _equal(name: str) -> str:
    return f"{quoted(name)} = ?"
