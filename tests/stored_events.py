"""Events of a DataFrame → a dataset in a workspace."""

from __future__ import annotations

import pyarrow as pa

from socml.project.stored import write_table
from socml.project.tables import EVENT, TRUTH, schema
from socml.project.workspace import truth_path


def store(project, events, *, dataset="office", part="a", truth=None):
    table = pa.table(
        {
            name: pa.Array.from_pandas(events[name], type=column.type) if name in events else nulls(name, len(events))
            for name, column in EVENT.items()
        },
        schema=schema(EVENT),
    )
    write_table(project.workspace / "events" / dataset / f"{part}.parquet", table)
    if truth is not None:
        write_table(truth_path(project, dataset), pa.Table.from_pandas(truth, schema=schema(TRUTH)))


def nulls(name, n):
    if EVENT[name].required:
        return pa.array([0] * n if EVENT[name].type == pa.int64() else ["x"] * n, EVENT[name].type)
    return pa.nulls(n, EVENT[name].type)
