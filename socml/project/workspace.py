"""Tables ↔ files of the workspace. Every write is a temporary file and a rename.

events/<dataset>/manifest.json  what a dataset consists of     events/<dataset>/*.parquet  the event table, in parts
truth/<dataset>/*.parquet       ground truth                   quarantine/<dataset>/*.parquet  what did not parse
features/<dataset>/<set>.parquet                               scores/<run_id>/  scores, explanations, run.json

A dataset without a manifest was stored by an earlier socml: all its parts count, its truth is truth/<dataset>.parquet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from socml.project.checksums import file_checksum, parquet_is_intact, value_checksum
from socml.project.errors import ConfigurationError, DataError, UnknownName
from socml.project.faults import reading
from socml.project.leaves import check_leaves, drop_leaves_of, leaves_file, load_leaves
from socml.project.manifest import PART, Manifest, Part, check_part, read_manifest
from socml.project.stored import read_json, remedy, write_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow.dataset as ds

    from socml.project.project import Project
    from socml.project.records import Run

LONGEST_NAME = 150  # characters; file systems take 255 bytes, and an ending and a temporary mark are added
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RUN_KEYS = ("run_id", "dataset", "model_version")  # what each run.json says, whoever wrote it


def dataset_names(project: Project) -> list[str]:
    """Return the datasets that have events, sorted."""
    folders = sorted((project.workspace / "events").glob("*/"))
    return [folder.name for folder in folders if _part_names(folder, read_manifest(folder))]


def event_files(project: Project, dataset: str) -> list[Path]:
    """Return the event files of a dataset, in the order of their days, each checked against the hash in its name.

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


def event_parts(project: Project, dataset: str) -> tuple[Part, ...]:
    """Return the parts that a dataset's events consist of now; nothing is read of them.

    Raises
    ------
    UnknownName
        If nothing was ingested under that name.
    """
    folder = events_folder(project, dataset)
    manifest = read_manifest(folder)
    parts = manifest.parts if manifest else [Part(name, 0, 0) for name in stored_before_manifests(folder)]
    if not parts:
        raise UnknownName("dataset with events", dataset, dataset_names(project))
    return tuple(parts)


def part_path(project: Project, dataset: str, part: Part) -> Path:
    """Return where a part of a dataset's events lies, once it was seen to be what was written.

    Raises
    ------
    DataError
        If it is missing, cut or altered.
    """
    path = events_folder(project, dataset) / part.file
    return check_part(path, part) if part.bytes else path  # an earlier socml wrote down no sizes


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
    return sorted(
        path.name
        for path in folder.glob("*.parquet")
        if not path.name.startswith(PART) and path.name != "truth.parquet"
    )


def _part_names(folder: Path, manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return stored_before_manifests(folder)
    return [part.file for part in sorted(manifest.parts, key=lambda part: (part.day, part.file))]


def open_events(project: Project, dataset: str) -> ds.Dataset:
    """Return the event table of a dataset, on disk; nothing is read yet."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    files = event_files(project, dataset)
    # Parts of a table dataset may have different columns of its own: the table has all of them.
    schemas = []
    for path in files:
        with reading(path, remedy=remedy(path)):
            schemas.append(pq.read_schema(path))
        if not {"event_id", "time"} <= set(schemas[-1].names):
            raise DataError(f"{path} holds no events. Move it out of that folder.")
    return ds.dataset([str(p) for p in files], format="parquet", schema=pa.unify_schemas(schemas))


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


def run_features_path(project: Project, run: Run) -> Path:
    """Return the feature file that a run scored; it may be gone."""
    own = run.get("features_path")
    if own:
        return (project.workspace / str(own)).resolve()
    return features_path(project, str(run["dataset"]), str(run["feature_set"]))


def list_runs(project: Project) -> list[Run]:
    """Return what `run.json` says of every finished scoring run that can be read, the newest first."""
    return _runs(project)[0]


def damaged_runs(project: Project) -> dict[str, DataError]:
    """Return the ids of the scoring runs whose `run.json` is damaged, each with what is wrong and what to do."""
    return _runs(project)[1]


def read_run(project: Project, run_id: str = "") -> Run:
    """Return what `run.json` says of a run; the newest if `run_id` is empty.

    Raises
    ------
    UnknownName, DataError
        If there is no such run, or none at all, or its `run.json` is damaged. With an empty `run_id` also if any
        other is: it may be the newest.
    """
    runs, damaged = _runs(project)
    for name, error in damaged.items():
        if run_id in {"", name}:
            raise error
    if not runs:
        raise DataError("Nothing has been scored yet. Run: socml run first-look")
    if not run_id:
        return runs[0]
    for run in runs:
        if run["run_id"] == run_id:
            return run
    raise UnknownName("scoring run", run_id, [str(run["run_id"]) for run in runs])


def write_run(project: Project, run: Run) -> Run:
    """Write `run.json` with its own checksum and that of the leaves beside it; return what it says."""
    folder = run_folder(project, str(run["run_id"]))
    content = run.copy()
    content.pop("checksum", None)
    if leaves := leaves_file(folder):
        content["leaves_checksum"] = file_checksum(leaves)
    content["checksum"] = value_checksum(content)
    write_json(folder / "run.json", content)
    return content


def drop_leaves(project: Project, run: Run) -> int:
    """Remove the leaves of a run, as `drop_leaves_of` does, and return how many bytes they were."""
    return drop_leaves_of(run_folder(project, str(run["run_id"])), run)


def run_is_intact(project: Project, run_id: str) -> bool:
    """Say whether a run was finished and its files are what was written; False where one is lost or damaged."""
    folder = run_folder(project, run_id)
    try:
        check_leaves(folder, _run(folder / "run.json"))
        return parquet_is_intact(folder / "scores.parquet")
    except (DataError, OSError):
        return False


def read_leaves(project: Project, run: Run) -> np.ndarray | None:
    """Return the leaves (n_trees, n_rows) of a run's rows; None if it has none (`drop_leaves`).

    Raises
    ------
    DataError
        If the file is lost or not what the run wrote.
    """
    path = check_leaves(run_folder(project, str(run["run_id"])), run)
    if path is None:
        return None
    with reading(path, remedy=remedy(path)):
        return load_leaves(path)


def safe_name(name: str) -> str:
    """Return `name` if it can be one part of a path.

    Raises
    ------
    DataError
        If it could reach outside its folder.
    ConfigurationError
        If it is longer than a file's name may be.
    """
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:60]!r} is not a name: use letters, digits, dot, dash and underscore.")
    if len(name) > LONGEST_NAME:
        raise ConfigurationError(
            f"The name {name[:30] + '…'!r} has {len(name):,} characters; at most {LONGEST_NAME} are taken."
        )
    return name


def _runs(project: Project) -> tuple[list[Run], dict[str, DataError]]:
    runs: list[Run] = []
    damaged: dict[str, DataError] = {}
    for path in sorted((project.workspace / "scores").glob("*/run.json")):
        try:
            runs.append(_run(path))
        except DataError as error:
            damaged[path.parent.name] = error
    return sorted(runs, key=_age_of(datetime.now(UTC) + timedelta(days=1)), reverse=True), damaged


def _age_of(tomorrow: datetime) -> Callable[[Run], tuple[bool, str, str]]:
    """Return the order of runs by when they were finished; one whose clock was ahead is the oldest, not the newest for ever."""
    limit = tomorrow.isoformat(timespec="seconds")

    def age(run: Run) -> tuple[bool, str, str]:
        finished = str(run.get("finished", ""))
        return finished <= limit, finished, str(run["run_id"])

    return age


def _run(path: Path) -> Run:
    found = read_json(path)
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in _RUN_KEYS):
        raise DataError(f"{path} is damaged: it does not say what a run says. {remedy(path)}")
    run = cast("Run", found)
    checksum = run.get("checksum")
    if checksum and checksum != value_checksum({name: value for name, value in run.items() if name != "checksum"}):
        raise DataError(f"{path} is damaged: it is not what was written. {remedy(path)}")
    return run
