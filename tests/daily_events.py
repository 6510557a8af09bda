"""Hand-made events → a dataset in a workspace, for the tests of the daily list."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from socml.features.daily_tables import DailyTables, build_daily
from socml.project.project import Project, starter_root
from socml.project.stored import write_table
from socml.project.tables import EVENT, schema

FLOW = {"class_uid": 4001, "event_category": "network", "event_action": "connection", "network_transport": "tcp"}
LOGON = {"class_uid": 3002, "event_category": "authentication", "event_action": "ssh_login"}


def project_in(folder: Path) -> Project:
    """Return the shipped recipes with a workspace of their own."""
    return Project(root=starter_root(), workspace=folder, threads=2)


def flow(time: str, source: str, destination: str, port: int = 443, state: str = "SF", **more: object) -> dict:
    """Return a flow as Zeek tells it."""
    return {"time": time, "source_ip": source, "destination_ip": destination, "destination_port": port,
            "connection_state": state, **FLOW, **more}  # fmt: skip


def logon(time: str, source: str, host: str, user: str, outcome: str, **more: object) -> dict:
    """Return an attempt to log on as sshd tells it."""
    return {"time": time, "source_ip": source, "host_name": host, "user_name": user, "event_outcome": outcome,
            **LOGON, **more}  # fmt: skip


def store(project: Project, events: list[dict], *, part: str = "a", dataset: str = "office") -> None:
    """Write events as one more part of a dataset."""
    arrays = {}
    for name, column in EVENT.items():
        values = [event.get(name) for event in events]
        if name == "time":
            values = [None if value is None else pd.Timestamp(value) for value in values]
        arrays[name] = pa.array(values, column.type)
    ids = [f"{part}{i:024d}" for i in range(len(events))]
    arrays["event_id"] = pa.array(ids, pa.string())
    for name in ("dataset", "raw", "source_file"):
        arrays[name] = pa.array(["x"] * len(events), pa.string())
    arrays["source_line"] = pa.array(range(1, len(events) + 1), pa.int64())
    write_table(project.workspace / "events" / dataset / f"{part}.parquet", pa.table(arrays, schema=schema(EVENT)))


def built(project: Project, *sets: str, dataset: str = "office") -> DailyTables:
    """Return the tables of some feature sets, up to date."""
    return build_daily(sets, dataset, project=project)


def rows(tables: DailyTables, day: str, number: int = 0) -> pd.DataFrame:
    """Return a table of a day, index entity."""
    recipe = tables.recipes[number]
    at = next(d for d in tables.days if str(d) == day)
    return tables.read(recipe, at).to_pandas().set_index("entity")
