"""A file → what became of it, whatever is wrong with it: its events are staged, or nothing of it is, or its bad records alone."""

from __future__ import annotations

import errno
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pyarrow as pa

from socml.ingestion.detection import rank_source
from socml.ingestion.matching import InputFile
from socml.ingestion.own_columns import OutOfTurn, OwnColumns
from socml.ingestion.reading import Reading, RefusedFile, Report, waits_as_cut
from socml.ingestion.result import FileResult
from socml.ingestion.run import FileJob, Run
from socml.ingestion.segments import Segment
from socml.ingestion.staged_file import ShippedFile, StagedFile
from socml.ingestion.truth_file import is_truth_table
from socml.project import DataError, FormatError, SocmlError

__all__ = ["Outcome", "read_file"]

_OF_THE_WORKSPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    result : its counts, if it was read to its end
    segment : what is known of it from now on; None if nothing of it is stored
    error : why it could not be read, or was refused
    waits : why it is left for a later run
    labels : verdict of the ground truth → events
    own_columns, listed, shipped : from another process alone: columns that are a table's own, how many records the
        table of truth lists, and where the rows are
    """

    result: FileResult | None = None
    segment: Segment | None = None
    error: SocmlError | None = None
    waits: str = ""
    labels: Counter[bool | None] = field(default_factory=Counter)
    own_columns: dict[str, pa.DataType] = field(default_factory=dict)
    listed: int = 0
    shipped: ShippedFile | None = None


def read_file(run: Run, job: FileJob, *, staged: StagedFile, column_types: OwnColumns, report: Report) -> Outcome:
    """Read one file. Only a fault of the workspace (OSError), and `OutOfTurn`, are raised.

    Parameters
    ----------
    staged : takes its rows
    column_types : of the dataset's own columns so far
    report : called with how many events it has so far
    """
    file, reading = job.match.file, None
    name = file.source.name
    try:
        if is_truth_table(file.path):
            raise FormatError(
                f"{name} is a table of ground truth, not of records. Name it in the dataset's recipe: "
                f'[truth] file = "{file.path.name}".'
            )
        reading = Reading(run, job, _ranked(run, job), staged=staged, column_types=column_types, report=report)
        result = reading.to_the_end()
        _check_unchanged(file)
    except RefusedFile as error:
        assert reading is not None
        staged.drop("events", "truth")
        outcome = Outcome(segment=reading.segment(refused=str(error)), error=error)
    except OutOfTurn:
        staged.drop()
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_WORKSPACE:
            raise
        staged.drop()
        outcome = _failure(error, file, reading, run.asked)
    else:
        outcome = Outcome(result=result, segment=reading.segment())
    return replace(outcome, labels=reading.labels) if reading is not None else outcome


def _failure(error: Exception, file: InputFile, reading: Reading | None, asked: str) -> Outcome:
    """Return that a file could not be read, or waits, and why."""
    name = file.source.name
    if isinstance(error, FormatError) and not file.settled and _may_go_on(error, file, reading):
        return Outcome(waits=f"{name} may still be written: {error}")
    if isinstance(error, SocmlError):
        return Outcome(error=error)
    if isinstance(error, OSError):
        return Outcome(error=DataError(f"{name} cannot be read: {error.strerror or error}."))
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    reader = reading.format_name if reading else asked
    return Outcome(error=DataError(f"{name}: the reader {reader} failed ({words}). This is a bug in it."))


def _may_go_on(error: FormatError, file: InputFile, reading: Reading | None) -> bool:
    """Return whether what a file lacks may still come: of Parquet and Arrow, its end."""
    with suppress(OSError):
        if file.source.is_rows:
            return file.source.is_unfinished
    return reading is not None and waits_as_cut(error, reading)


def _ranked(run: Run, job: FileJob) -> list[tuple[str, float | None]]:
    """Return the formats that the file may be in; one that was read before goes on as it was read."""
    if run.asked != "auto":
        return [(run.asked, None)]
    before = job.match.segment
    if before is not None and not before.refused and not run.retry:
        return [(before.format, None)]
    return list(rank_source(job.match.file.source))


def _check_unchanged(file: InputFile) -> None:
    """Raise DataError if another file is at the path now, or less of it: it was rotated while it was read."""
    try:
        status = file.path.stat()
    except FileNotFoundError:
        status = None
    as_it_was = (file.status.st_dev, file.status.st_ino)
    if status is None or (status.st_dev, status.st_ino) != as_it_was or status.st_size < file.source.size:
        raise DataError(f"{file.source.name} was rotated or cut while it was read. The next run reads it.")
