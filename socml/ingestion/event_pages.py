"""The stored events of one entity and a span of days → one page of them, how many there are, and how many in each hour.

Only the page is read whole: Parquet is asked for the rest in counts, so that a busy host costs no more than a quiet one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from socml.ingestion.event_connection import stored_events
from socml.ingestion.event_query import as_frame, equals
from socml.project import Project, find_project

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

LONGEST_PAGE = 200


@dataclass(frozen=True)
class EventPage:
    """One page of events in order of time.

    Attributes
    ----------
    total : how many events fit in all
    hours : how many fit in each of the 24 hours of the day, UTC, whatever their day
    columns : event columns in which any event of the page has a value
    """

    rows: pd.DataFrame
    total: int
    offset: int
    hours: tuple[int, ...]
    columns: tuple[str, ...]


def event_page(
    dataset: str,
    *,
    entity: Mapping[str, object],
    first: date,
    last: date | None = None,
    offset: int = 0,
    limit: int = 20,
    only: Sequence[tuple[str, object]] = (),
    exclude: Sequence[tuple[str, object]] = (),
    project: Project | None = None,
) -> EventPage:
    """Return a page of one entity's events of the days from `first` to `last`, both included.

    Parameters
    ----------
    entity : event columns and their values; any of them may fit
    only, exclude : columns and values that each event must have, and must not have

    Raises
    ------
    UnknownName
        If there is no such column.
    """
    import duckdb

    project = project or find_project()
    start = datetime.combine(first, datetime.min.time(), UTC)
    end = datetime.combine(last or first, datetime.min.time(), UTC) + timedelta(days=1)
    time = duckdb.ColumnExpression("time")
    conditions = [time >= duckdb.ConstantExpression(start), time < duckdb.ConstantExpression(end)]
    conditions += [_any([_same(name, value) for name, value in entity.items()])]
    conditions += [_same(name, value) for name, value in only]
    conditions += [~_same(name, value) | duckdb.ColumnExpression(name).isnull() for name, value in exclude]
    limit, offset = min(max(1, limit), LONGEST_PAGE), max(0, offset)
    with stored_events(project, dataset) as stored:
        for name in (*entity, *(name for name, _ in (*only, *exclude))):
            stored.check_column(name)
        found = stored.connection.table("events")
        for condition in conditions:
            found = found.filter(condition)
        by_hour = dict(found.aggregate("hour(timezone('UTC', time)) as hour, count(*) as n", "hour").fetchall())
        hours = tuple(int(by_hour.get(hour, 0)) for hour in range(24))
        page = as_frame(found.order("time, source_file, source_line").limit(limit, offset).to_arrow_table())
    columns = tuple(str(name) for name in page.columns if page[name].notna().any())
    return EventPage(page, sum(hours), offset, hours, columns)


def _any(conditions: Sequence[duckdb.Expression]) -> duckdb.Expression:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole | condition
    return whole


def _same(name: str, value: object) -> duckdb.Expression:
    """Return that a column has a value; the daily list writes accounts in lower case and without their domain."""
    import duckdb

    if name == "user_name":
        lower = duckdb.FunctionExpression("lower", duckdb.ColumnExpression(name))
        bare = duckdb.FunctionExpression(
            "regexp_replace",
            lower,
            duckdb.ConstantExpression(r"^.*\\|@.*$"),
            duckdb.ConstantExpression(""),
            duckdb.ConstantExpression("g"),
        )
        return (bare == duckdb.ConstantExpression(str(value))) | equals(name, value)
    return equals(name, value)
