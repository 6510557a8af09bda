"""Paths that were found → the files of a run: their streams, the oldest first, and whether each is done growing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from socml.ingestion.discovery import Found
from socml.ingestion.matching import InputFile
from socml.ingestion.sources import FileSource
from socml.ingestion.streams import is_packed, shown, stream_name, stream_place
from socml.project import Project, Stream

__all__ = ["input_files"]


def input_files(
    found: Found, rule: Stream, project: Project, *, now: datetime, final: bool, without: Iterable[Path] = ()
) -> list[InputFile]:
    """Return the files of a run, those of one stream from the oldest to the one that is written to.

    A file that went away since it was found is noted in `found.odd`.

    Parameters
    ----------
    final : whether the user says that nothing more comes
    without : files that hold no records
    """
    left_out = set(without)
    newest: dict[Path, dict[str, tuple[int, int, str]]] = {}
    files: dict[Path, InputFile] = {}
    for path, named in found.files.items():
        real = path.resolve()
        if real in left_out or real in files:
            continue
        folder = real.parent
        try:
            status = real.stat()
            if folder not in newest:
                newest[folder] = _newest(folder)
        except OSError as error:
            found.odd[path] = f"cannot be read: {error.strerror}"
            continue
        stream, wait_s = stream_name(real.name), 60 * rule.wait_minutes
        is_over = is_packed(real.name) or stream.age < newest[folder].get(stream.name, stream.age)
        files[real] = InputFile(
            path=real,
            place=stream_place(real, shown(folder, project.root), rule),
            stream=stream,
            status=status,
            source=FileSource(real, shown(real, project.root), end=status.st_size),
            settled=final or is_over or now.timestamp() - status.st_mtime >= wait_s,
            is_old=final or now.timestamp() - status.st_ctime >= wait_s,
            named=named,
        )
    return sorted(files.values(), key=lambda file: (file.path.parent, file.stream.name, file.stream.age, file.path))


def _newest(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return the age of the newest file of each stream in a folder."""
    ages: dict[str, tuple[int, int, str]] = {}
    for name in os.listdir(folder):
        stream = stream_name(name)
        ages[stream.name] = max(ages.get(stream.name, stream.age), stream.age)
    return ages
