"""Events of a day and later → the rows of a feature set, in memory: what is made every minute costs the same whatever lies behind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.features.build import _KEYS, _connection, _metadata, _output_schema, _rows
from socml.project import (
    TIME,
    UNDATED,
    Project,
    TableMetadata,
    event_parts,
    events_snapshot,
    load_feature_recipe,
    part_path,
)

if TYPE_CHECKING:
    import pyarrow.dataset as ds


def features_since(feature_set: str, dataset: str, first: date, *, project: Project) -> tuple[pa.Table, TableMetadata]:
    """Build a feature set over the events of a day (UTC) and later, and return its rows, the earliest first.

    Nothing is written, and no event of an earlier day is read: what it costs does not grow with history. Blind to what a
    recipe finds in the events of earlier days.
    """
    recipe = load_feature_recipe(feature_set, project)
    parts = [part for part in event_parts(project, dataset) if not part.day or first.isoformat() <= part.day < UNDATED]
    files = [part_path(project, dataset, part) for part in parts]
    if not files:
        return pa.table({name: pa.nulls(0, pa.string()) for name in _KEYS}), {}
    events = pa.unify_schemas([pq.read_schema(path) for path in files])
    tables: dict[str, pa.Table | ds.Dataset] = {}
    if "event_templates" in recipe.sql:
        tables["stored_events"] = pa.concat_tables([pq.read_table(p) for p in files], promote_options="default")
    with _connection(recipe, tables, events, project, files=files) as connection:
        schema = _output_schema(recipe, connection)
        rows = pa.Table.from_batches(list(_rows(recipe, connection, schema, project.time_limit_s)), schema)
    began = pa.scalar(datetime.combine(first, datetime.min.time(), UTC), TIME)
    metadata = _metadata(recipe, schema, dataset=dataset, snapshot=events_snapshot(project, dataset))
    return rows.filter(pc.greater_equal(rows["time"], began)), metadata
