"""Zeek connection logs to write, and a project that reads them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from socml.ingestion.event_query import load_events
from socml.project.project import Project
from socml.project.tables import QUARANTINE, check_table
from socml.project.workspace import quarantine_files

HEADER = (
    "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\n"
)


def conn_lines(count: int, *, seed: int = 0, start: float = 1_700_000_000.0) -> list[str]:
    rng = random.Random(seed)
    sources = [f"10.0.0.{rng.randrange(1, 9)}\t{rng.randrange(1024, 65535)}" for _ in range(count)]
    return [f"{start + i:.6f}\tC{seed}x{i}\t{source}\t192.0.2.1\t443\ttcp\t{i}\n" for i, source in enumerate(sources)]


def write_conn(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(lines))
    return path


def own_project(tmp_path: Path, recipe: str = "", name: str = "office") -> Project:
    """Return a project with at most one dataset recipe."""
    (tmp_path / "datasets").mkdir(exist_ok=True)
    if recipe:
        (tmp_path / "datasets" / f"{name}.toml").write_text(recipe)
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def stored_ids(project: Project, dataset: str = "office") -> list[str]:
    return sorted(load_events(dataset, columns=["event_id"], project=project)["event_id"])


def quarantine(project: Project, dataset: str = "office") -> list[dict[str, Any]]:
    return [
        row
        for path in quarantine_files(project, dataset)
        for row in check_table(pq.read_table(path), QUARANTINE, what=str(path)).to_pylist()
    ]
