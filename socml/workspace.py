"""Tables ↔ files of the workspace. Every write is a temporary file and a rename.

events/<dataset>/manifest.json  what a dataset consists of     events/<dataset>/*.parquet  the event table, in parts
truth/<dataset>/*.parquet       ground truth                   quarantine/<dataset>/*.parquet  what did not parse
features/<dataset>/<set>.parquet                               scores/<run_id>/  scores, explanations, run.json

A dataset without a manifest was stored by an earlier socml: all its parts count, its truth is truth/<dataset>.parquet.
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
from typing import TYPE_CHECKING, Any

from socml.errors import DataError, UnknownName
from socml.manifest import PART, Manifest, check_part, read_manifest
from socml.private import private_file, private_folder

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from socml.project import Project

LONGEST_NAME = 150  # file systems take 255, and a temporary file adds to it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def dataset_names(project: Project) -> list[str]:
    """Return the datasets that have events, sorted."""
    folders = sorted((project.workspace / "events").glob("*/"))
    return [folder.name for folder in folders if _part_names(folder, read_manifest(folder))]


def event_files(project: Project, dataset: str) -> list[Path]:
    """Return the event files of a dataset, sorted by name, each checked against the hash in its name.

    Raises
    ------
    UnknownName, DataError
        If nothing was ingested under that name; if a file is damaged.
    """
    folder = events_folder(project, dataset)
    manifest = read_manifest(folder)
    names = _part_names(folder, manifest)
    if not names:
        raise UnknownName("dataset with events", dataset, dataset_names(project))
    for part in manifest.parts if manifest else ():
        check_part(folder / part.file, part)
    return [folder / name for name in names]


def events_folder(project: Project, dataset: str) -> Path:
    """Return the folder of a dataset's events and manifest, whether or not it exists."""
    return project.workspace / "events" / safe_name(dataset)


def quarantine_files(project: Project, dataset: str) -> list[Path]:
    """Return the files of records of a dataset that did not parse."""
    folder = project.workspace / "quarantine" / safe_name(dataset)
    manifest = read_manifest(events_folder(project, dataset))
    if manifest is None:
        return sorted(folder.glob("*.parquet"))
    return [check_part(folder / part.file, part) for part in manifest.quarantine]


def stored_before_manifests(folder: Path) -> list[str]:
    """Return the names of the event files that an earlier socml, which wrote no manifest, left in a folder."""
    return sorted(path.name for path in folder.glob("*.parquet") if not path.name.startswith(PART))


def _part_names(folder: Path, manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return stored_before_manifests(folder)
    return sorted(part.file for part in manifest.parts)


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
    folder = events_folder(project, dataset)
    names = _part_names(folder, read_manifest(folder))
    if not names:
        raise UnknownName("dataset with events", dataset, dataset_names(project))
    return hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()


def truth_path(project: Project, dataset: str) -> Path:
    """Return where a dataset's ground truth lies, whether or not it has any; a damaged one is a DataError."""
    manifest = read_manifest(events_folder(project, dataset))
    folder = project.workspace / "truth"
    if manifest is None:
        return folder / f"{safe_name(dataset)}.parquet"
    if manifest.truth is None:
        return folder / safe_name(dataset) / "none.parquet"
    return check_part(folder / safe_name(dataset) / manifest.truth.file, manifest.truth)


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
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        yield private_file(temporary)
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
        If it could reach outside its folder, or is too long for one.
    """
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:80]!r} is not a name: use letters, digits, dot, dash and underscore.")
    if len(name) > LONGEST_NAME:
        raise DataError(f"{name[:40]!r}… is a name of {len(name):,} characters, and {LONGEST_NAME} is the most.")
    return name
