"""Tables ↔ files of the workspace. Every write is a temporary file and a rename.

events/<dataset>/*.parquet      the event table, in parts      truth/<dataset>.parquet   ground truth
events/<dataset>/replaced.json  parts that were merged since
quarantine/<dataset>/*.parquet  records that did not parse     features/<dataset>/<set>.parquet
scores/<run_id>/                scores, explanations, leaves, run.json
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from socml.errors import DataError, UnknownName

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from socml.project import Project

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REPLACED = "replaced.json"


def dataset_names(project: Project) -> list[str]:
    """Return the datasets that have events, sorted."""
    return sorted(p.name for p in (project.workspace / "events").glob("*") if any(p.glob("*.parquet")))


def event_files(project: Project, dataset: str) -> list[Path]:
    """Return the event files of a dataset, sorted by name.

    Raises
    ------
    UnknownName
        If nothing was ingested under that name.
    """
    files = parts_in_use(project.workspace / "events" / safe_name(dataset))
    if not files:
        raise UnknownName("dataset with events", dataset, dataset_names(project))
    return files


def parts_in_use(folder: Path) -> list[Path]:
    """Return the parts of a folder of events, sorted by name, without those that a merged part stands for."""
    files = sorted(folder.glob("*.parquet"))  # before the notes: a part that comes later is not in either
    names = {path.name for path in files}
    replaced = {name for note in merges_done(replaced_parts(folder), names) for name in note["parts"]}
    return [path for path in files if path.name not in replaced]


class Replacement(TypedDict):
    """Which parts a merged part stands for, and since when (seconds since 1970)."""

    merged: str
    parts: list[str]
    at: float


def merges_done(notes: list[Replacement], names: set[str]) -> list[Replacement]:
    """Return the notes, of which the oldest is first, whose merged part is among `names` or was merged again since."""
    there, done = set(names), []
    for note in reversed(notes):
        if note["merged"] in there:
            there.update(note["parts"])
            done.append(note)
    return done[::-1]


def replaced_parts(folder: Path) -> list[Replacement]:
    """Return what a folder of events notes of merged parts, the oldest first.

    Raises
    ------
    DataError
        If the note does not read: then nobody knows which events are there twice.
    """
    path = folder / _REPLACED
    try:
        notes = json.loads(path.read_bytes())
        return [Replacement(merged=str(n["merged"]), parts=[*map(str, n["parts"])], at=float(n["at"])) for n in notes]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError(
            f"{path} is damaged; it says which parts of the events were merged. Restore it from a copy, or remove the "
            "folder and ingest the dataset's files again."
        ) from None


def write_replaced_parts(folder: Path, notes: list[Replacement]) -> None:
    """Write the note of merged parts, in one step."""
    write_json(folder / _REPLACED, notes)


def open_events(project: Project, dataset: str) -> ds.Dataset:
    """Return the event table of a dataset, on disk; nothing is read yet."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    files = event_files(project, dataset)
    # Parts of a table dataset may have different columns of its own: the table has all of them.
    whole = pa.unify_schemas([pq.read_schema(p) for p in files]) if len(files) > 1 else None
    return ds.dataset([str(p) for p in files], format="parquet", schema=whole)


def events_snapshot(project: Project, dataset: str) -> str:
    """Return a hash of which event files a dataset has now; parts are named by content and never change."""
    names = "\n".join(p.name for p in event_files(project, dataset))
    return hashlib.blake2b(names.encode(), digest_size=8).hexdigest()


def truth_path(project: Project, dataset: str) -> Path:
    """Return where a dataset's ground truth lies, whether or not it has any."""
    return project.workspace / "truth" / f"{safe_name(dataset)}.parquet"


def features_path(project: Project, dataset: str, feature_set: str) -> Path:
    """Return where a feature table lies, whether or not it was built."""
    return project.workspace / "features" / safe_name(dataset) / f"{safe_name(feature_set)}.parquet"


def run_folder(project: Project, run_id: str) -> Path:
    """Return the folder of a scoring run, whether or not it exists."""
    return project.workspace / "scores" / safe_name(run_id)


def run_features_path(project: Project, run: Mapping[str, Any]) -> Path:
    """Return the feature file that a run scored; it may be gone."""
    own = run.get("features_path")
    if own:
        return (project.workspace / str(own)).resolve()
    return features_path(project, str(run["dataset"]), str(run["feature_set"]))


def list_runs(project: Project) -> list[dict[str, Any]]:
    """Return what `run.json` says of every finished scoring run, the newest first."""
    runs = [json.loads(p.read_text()) for p in (project.workspace / "scores").glob("*/run.json")]
    return sorted(runs, key=lambda run: (str(run.get("finished", "")), str(run["run_id"])), reverse=True)


def read_run(project: Project, run_id: str = "") -> dict[str, Any]:
    """Return what `run.json` says of a run; the newest if `run_id` is empty.

    Raises
    ------
    UnknownName, DataError
        If there is no such run, or none at all.
    """
    runs = list_runs(project)
    if not runs:
        raise DataError("Nothing has been scored yet. Run: socml run first-look")
    if not run_id:
        return runs[0]
    for run in runs:
        if run["run_id"] == run_id:
            return run
    raise UnknownName("scoring run", run_id, [str(run["run_id"]) for run in runs])


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes `path`'s place at once, on error it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table, metadata: dict[str, Any] | None = None) -> Path:
    """Write an Arrow table as Parquet, in one step, with `metadata` under the key `socml`."""
    import pyarrow.parquet as pq

    if metadata is not None:
        table = table.replace_schema_metadata(
            {**(table.schema.metadata or {}), b"socml": json.dumps(metadata).encode()}
        )
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
    return path


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what `write_table` put under the key `socml`; empty if there is nothing."""
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    return dict(json.loads(metadata.get(b"socml", b"{}")))


def write_json(path: Path, value: Any) -> Path:
    """Write `value` as JSON, in one step."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def safe_name(name: str) -> str:
    """Return `name` if it can be one part of a path.

    Raises
    ------
    DataError
        If it could reach outside its folder.
    """
    if not _NAME.fullmatch(name):
        raise DataError(f"{name!r} is not a name: use letters, digits, dot, dash and underscore.")
    return name
