"""Files → those of which something was not read yet, told by name, size and time alone; nothing is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from socml.ingestion.discovery import find_files
from socml.ingestion.segments import Segments
from socml.project import Project, check_part, events_folder, read_manifest

__all__ = ["pending_files"]


def pending_files(paths: Sequence[str | Path], *, dataset: str, project: Project) -> list[Path]:
    """Return the files that an ingest of a dataset would open.

    Raises
    ------
    DataError
        If there is nothing at these paths.
    """
    folder = events_folder(project, dataset)
    manifest = read_manifest(folder)
    part = manifest.segments if manifest else None
    known = {s.stat_key for s in Segments.load(check_part(folder / part.file, part))} if part else set()
    found = find_files(list(paths), base=project.root).files
    return [path for path in found if (key := _stat_key(path)) is not None and key not in known]


def _stat_key(path: Path) -> tuple[int, int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:  # it went away since its folder was listed
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
