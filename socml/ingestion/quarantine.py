"""Records that did not parse → what is in quarantine and why; reading them again; giving them up.

A record leaves the quarantine by itself once its file reads: the file went on, a reader or a recipe was mended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import pyarrow as pa

from socml.ingestion.ingestion import ingest_files
from socml.ingestion.parts import read_rejects
from socml.ingestion.result import IngestResult
from socml.ingestion.segments import Segments
from socml.ingestion.staging import staging
from socml.project import (
    DataError,
    Project,
    check_dataset,
    check_part,
    events_folder,
    find_project,
    quarantine_files,
    read_manifest,
)

__all__ = ["Chosen", "Quarantined", "clear_quarantine", "list_quarantine", "retry_quarantine"]


@dataclass(frozen=True)
class Chosen:
    """Which records are meant: all that fit everything that is given.

    Attributes
    ----------
    file : a pattern of the file's path, or a part of it
    reason : a part of the reason
    since, until : when they were put there
    """

    file: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, file: str, reason: str, put_at: datetime | None) -> bool:
        """Return whether a record is meant; one that does not say when it was put there is older than any time."""
        when = put_at or datetime.min.replace(tzinfo=UTC)
        return (
            (not self.file or self.file in file or fnmatch(file, self.file))
            and self.reason.casefold() in reason.casefold()
            and (self.since is None or when >= self.since)
            and (self.until is None or when < self.until)
        )


@dataclass(frozen=True)
class Quarantined:
    """A record in quarantine: where it stood, why it is here, its bytes, and when it was put here."""

    file: str
    line: int
    reason: str
    raw: bytes
    put_at: datetime | None
    segment: str | None

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON; bytes that are no text are escaped."""
        return {**asdict(self), "raw": self.raw.decode("utf-8", "backslashreplace")}


def list_quarantine(dataset: str, chosen: Chosen = Chosen(), *, project: Project | None = None) -> list[Quarantined]:
    """Return the records in a dataset's quarantine, by file and line.

    Raises
    ------
    UnknownName
        If there are none, and no dataset of that name.
    """
    project = project or find_project()
    files = quarantine_files(project, dataset)
    if not files:
        check_dataset(dataset, project)
    table = read_rejects(files)
    return sorted(_chosen(table, chosen), key=lambda record: (record.file, record.line))


def retry_quarantine(
    dataset: str,
    chosen: Chosen = Chosen(),
    *,
    format: str = "auto",  # noqa: A002
    project: Project | None = None,
) -> IngestResult:
    """Read the files again that the chosen records are of, with the readers and the recipe as they are now.

    Raises
    ------
    DataError
        If none of these files is there any more.
    """
    project = project or find_project()
    counts = Counter(record.segment or "" for record in list_quarantine(dataset, chosen, project=project))
    if not counts:
        raise DataError(f"Nothing of {dataset!r} that fits is in quarantine.")
    segments = (_segments(project, dataset).get(segment) for segment in counts)
    paths = [segment.path for segment in segments if segment is not None and os.path.isfile(segment.path)]
    if not paths:
        raise DataError(
            f"The files of these {counts.total():,} records are no longer where they were read. Give them: "
            f"socml ingest PATHS --dataset {dataset}"
        )
    return ingest_files([Path(path) for path in paths], dataset=dataset, format=format, project=project, retry=True)


def clear_quarantine(dataset: str, chosen: Chosen = Chosen(), *, project: Project | None = None) -> int:
    """Give up the chosen records; return how many. They do not come back unless their files are read anew."""
    project = project or find_project()
    with staging(project, dataset) as stage:
        table = stage.stored_rejects()
        gone = [chosen.fits(r.file, r.reason, r.put_at) for r in _chosen(table, Chosen())]
        rest = table.filter(pa.array([not fits for fits in gone], pa.bool_()))
        left = Counter(rest["segment"].to_pylist())
        for segment in list(stage.segments):
            if segment.rejects != left[segment.id]:
                stage.segments.put(replace(segment, rejects=left[segment.id]))
        stage.rewrite_rejects(rest)
        stage.commit()
    return sum(gone)


def _chosen(table: pa.Table, chosen: Chosen) -> Iterator[Quarantined]:
    for row in table.to_pylist():
        if chosen.fits(row["source_file"], row["reason"], row["put_at"]):
            yield Quarantined(
                row["source_file"], row["source_line"], row["reason"], row["raw"], row["put_at"], row["segment"]
            )


def _segments(project: Project, dataset: str) -> Segments:
    folder = events_folder(project, dataset)
    manifest = read_manifest(folder)
    part = manifest.segments if manifest else None
    return Segments.load(check_part(folder / part.file, part)) if part else Segments()
