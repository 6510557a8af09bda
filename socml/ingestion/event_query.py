"""The stored events of a dataset → DataFrames: all, those behind one feature row, those around one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.ingestion.event_connection import stored_events
from socml.project import (
    TIME,
    TRUTH,
    ConfigurationError,
    DataError,
    Project,
    TableMetadata,
    UnknownName,
    find_project,
    open_events,
    schema,
    truth_path,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def load_events(
    dataset: str, *, columns: Sequence[str] | None = None, limit: int | None = None, project: Project | None = None
) -> pd.DataFrame:
    """Return a dataset's events, or its first `limit`; columns as in `socml.project.tables.EVENT`, times in UTC.

    Raises
    ------
    UnknownName, ConfigurationError
        For a dataset or a column that does not exist, or a limit below 0.
    """
    if limit is not None and limit < 0:
        raise ConfigurationError(f"limit is {limit}; it is a number of events, 0 or more.")
    stored = open_events(project or find_project(), dataset)
    for name in columns or ():
        check_column(name, stored.schema)
    chosen = list(columns) if columns is not None else None
    return as_frame(stored.to_table(columns=chosen) if limit is None else stored.head(limit, columns=chosen))


def load_truth(dataset: str, *, project: Project | None = None) -> pd.DataFrame:
    """Return a dataset's ground truth, one row an event that has any; empty if there is none."""
    import pyarrow.parquet as pq

    path = truth_path(project or find_project(), dataset)
    table = pq.read_table(path) if path.is_file() else schema(TRUTH).empty_table()
    frame: pd.DataFrame = table.to_pandas()
    return frame


def events_of_row(
    dataset: str,
    *,
    row: Mapping[str, object],
    feature_metadata: TableMetadata,
    limit: int = 100,
    project: Project | None = None,
) -> pd.DataFrame:
    """Return the events behind one feature row, the earliest first.

    Parameters
    ----------
    row : row_id, time and, for windows, the entity's columns
    feature_metadata : the feature table's `entity` (columns) and `window_seconds` (0: one row an event)
    """
    import duckdb

    project = project or find_project()
    seconds = int(feature_metadata.get("window_seconds") or 0)
    if not seconds:
        return _selected(project, dataset, {"event_id": row["row_id"]}, [], "time", limit)
    time, start = duckdb.ColumnExpression("time"), moment_of(row["time"])
    # A row of the daily list has the column of its own role only: an address, a host or an account.
    entity = {name: row[name] for name in feature_metadata["entity"] if not is_missing(row[name])}
    end = start + timedelta(seconds=seconds)
    inside = [time >= duckdb.ConstantExpression(start), time < duckdb.ConstantExpression(end)]
    return _selected(project, dataset, entity, inside, "time, source_line", limit)


def _selected(
    project: Project,
    dataset: str,
    equal: Mapping[str, object],
    inside: Sequence[duckdb.Expression],
    order: str,
    limit: int,
) -> pd.DataFrame:
    with stored_events(project, dataset) as stored:
        for name in equal:
            stored.check_column(name)
        found = stored.connection.table("events")
        for condition in (*inside, *(equals(name, value) for name, value in equal.items())):
            found = found.filter(condition)
        return as_frame(found.order(order).limit(int(limit)).to_arrow_table())


def equals(name: str, value: object) -> duckdb.Expression:
    """Return that a column has a value, or none; neither name nor value is ever parsed as SQL."""
    import duckdb

    column = duckdb.ColumnExpression(name)
    if value is None or value != value:  # noqa: PLR0124  NaN
        return column.isnull()
    return column == duckdb.ConstantExpression(plain(value))


def check_column(name: str, stored: pa.Schema) -> None:
    """Raise UnknownName if events have no such column."""
    if name not in stored.names:
        raise UnknownName("event column", name, stored.names)


def is_missing(value: object) -> bool:
    """Say whether a cell holds nothing."""
    return value is None or bool(value != value)  # noqa: PLR0124  NaN


def plain(value: object) -> object:
    """Return a number of numpy as Python's own, which DuckDB takes."""
    return value.item() if hasattr(value, "item") else value


def moment_of(value: object) -> datetime:
    """Return a cell that holds a moment as one with a zone; UTC if it names none."""
    when = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    when = datetime.fromisoformat(when) if isinstance(when, str) else when
    if not isinstance(when, datetime):
        raise DataError(f"{value!r} is no moment.")
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return stored events as a DataFrame, whole numbers whole and times in UTC."""
    if "time" in table.column_names:  # DuckDB may name the same zone otherwise
        table = table.set_column(table.column_names.index("time"), "time", table["time"].cast(TIME))
    import pandas as pd

    whole = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}  # a missing port is missing, not a float
    frame: pd.DataFrame = table.to_pandas(maps_as_pydicts="lossy", types_mapper=whole.get)
    return frame
