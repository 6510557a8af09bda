"""The files of one ingest, one after the other → a staged dataset. Whatever is wrong with one stops no other."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from socml.ingestion.detection import rank_source
from socml.ingestion.matching import InputFile, Match
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.reading import Reading, RefusedFile, waits_as_cut
from socml.ingestion.result import FailedFile, FileResult, IngestResult, WaitingFile, summed
from socml.ingestion.run import Run
from socml.ingestion.segments import Segment
from socml.ingestion.staging import Staging
from socml.ingestion.streams import shown
from socml.ingestion.truth import TruthBeside
from socml.ingestion.truth_file import is_truth_table
from socml.project import DataError, DatasetRecipe, FormatError, SocmlError

__all__ = ["FileByFile", "ProgressReport"]

ProgressReport = Callable[[int, int, str], None]  # bytes done, bytes in all, words
_OF_THE_WORKSPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class FileByFile:
    """The files of one run, one after the other."""

    def __init__(
        self,
        stage: Staging,
        recipe: DatasetRecipe,
        format_name: str,
        truth: TruthBeside | None,
        now: datetime,
        matches: Sequence[Match],
        progress: ProgressReport | None,
        *,
        retry: bool,
    ) -> None:
        self.stage, self.asked, self.truth, self.progress, self.retry = stage, format_name, truth, progress, retry
        self.root = stage.project.root
        self.run = Run(
            stage,
            recipe,
            truth,
            now,
            self._read_as(recipe),
            OwnColumns(stage),
            self._bad_lines,
            self._report,
            tuple(match.file.path for match in matches),
        )
        self.total_bytes, self.done_bytes = sum(m.file.source.size for m in matches), 0
        self.results: dict[str, FileResult] = {}  # by path
        self.failed: list[FailedFile] = []
        self.waiting: list[WaitingFile] = []
        self.warnings: list[str] = list(truth.warnings) if truth else []
        self.same_bytes: list[tuple[str, str]] = []
        self._bad: dict[str, set[int]] | None = None

    def take(self, match: Match) -> None:
        """Read one file, unless it was read before, is a copy, or waits; whatever is wrong with it stops no other."""
        file, before = match.file, self.stage.segments.get(match.segment.id) if match.segment else None
        if match.problem:
            self.fail(file.source.name, DataError(match.problem))
        elif match.waits:
            self.wait(file, f"{file.source.name} {match.waits}.")
        elif match.copy_of is not None:
            self._count_copy(match, self.results.get(str(match.copy_of.file.path)))
        elif before is not None and match.is_whole and self._needs_no_reading(file, before):
            self._count_again(file, before)
        elif file.source.size == 0:
            self._pass_over_empty(file)
        else:
            self._read(match)
        self.done_bytes += file.source.size

    def fail(self, name: str, error: SocmlError) -> None:
        """Note that a file could not be read."""
        self.failed.append(FailedFile(name, error))

    def wait(self, file: InputFile, why: str) -> None:
        """Note that a file is left for later."""
        self.waiting.append(WaitingFile(file.source.name, why))

    def result(self, dataset: str) -> IngestResult:
        """Return what the run did."""
        warnings = [*self.warnings, *self._label_warnings(), *self._truth_warnings()]
        return summed(
            dataset,
            list(self.results.values()),
            warnings,
            failed=tuple(self.failed),
            waiting=tuple(self.waiting),
            same_bytes=tuple(self.same_bytes),
        )

    def _read(self, match: Match) -> None:
        file, reading = match.file, None
        try:
            if is_truth_table(file.path):
                raise FormatError(
                    f"{file.source.name} is a table of ground truth, not of records. Name it in the dataset's recipe: "
                    f'[truth] file = "{file.path.name}".'
                )
            ranked = self._ranked(match)
            reading = Reading(self.run, match, ranked)
            result = reading.to_the_end()
            _check_unchanged(file)
        except RefusedFile as error:
            assert reading is not None
            self.stage.refuse_file(reading.segment(refused=str(error)))
            self.fail(file.source.name, error)
        except OSError as error:
            if error.errno in _OF_THE_WORKSPACE:
                raise
            self.stage.drop_file()
            self.fail(file.source.name, DataError(f"{file.source.name} cannot be read: {error.strerror or error}."))
        except FormatError as error:
            self.stage.drop_file()
            if reading is not None and waits_as_cut(error, reading):
                self.wait(file, f"{file.source.name} may still be written: {error}")
            else:
                self.fail(file.source.name, error)
        except SocmlError as error:
            self.stage.drop_file()
            self.fail(file.source.name, error)
        except Exception as error:
            self.stage.drop_file()
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            format_name = reading.format_name if reading else self.asked
            self.fail(
                file.source.name,
                DataError(f"{file.source.name}: the reader {format_name} failed ({words}). This is a bug in it."),
            )
        else:
            self.stage.keep_file(reading.segment())
            self.results[str(file.path)] = result
            self._note_same_bytes(match, reading.id)

    def _ranked(self, match: Match) -> list[tuple[str, float | None]]:
        """Return the formats that the file may be in; one that was read before goes on as it was read."""
        if self.asked != "auto":
            return [(self.asked, None)]
        before = match.segment
        if before is not None and not before.refused and not self.retry:
            return [(before.format, None)]
        return list(rank_source(match.file.source))

    def _needs_no_reading(self, file: InputFile, before: Segment) -> bool:
        if before.refused or (before.waiting and file.settled) or (self.retry and before.rejects):
            return False
        return before.read_as == self.run.read_as and self.asked in ("auto", before.format)

    def _count_again(self, file: InputFile, before: Segment) -> None:
        if (before.path, *before.stat_key) != (str(file.path), *file.stat_key):
            device, inode, size, modified_ns = file.stat_key
            self.stage.segments.put(
                replace(before, path=str(file.path), device=device, inode=inode, size=size, modified_ns=modified_ns)
            )
            self.stage.note_change()
        skipped = sum(before.skips.values())
        self.results[str(file.path)] = FileResult(
            file=file.source.name,
            format=before.format,
            records=before.events + before.rejects + skipped,
            events=before.events,
            duplicates=before.events,
            quarantined=before.rejects,
            skipped=skipped,
            skips=before.skips,
            pending=int(before.waiting > 0),
            pending_bytes=before.waiting,
            was_read=True,
            warnings=(_in_quarantine(before.rejects, self.stage.dataset),) if before.rejects else (),
        )

    def _count_copy(self, match: Match, original: FileResult | None) -> None:
        name = match.file.source.name
        if original is None:
            self.fail(name, DataError(f"{name} is a copy of a file that could not be read."))
            return
        self.results[str(match.file.path)] = replace(
            original, file=name, added=0, duplicates=original.events, was_read=True, warnings=()
        )

    def _pass_over_empty(self, file: InputFile) -> None:
        error = FormatError(f"{file.source.name} is empty: it has 0 bytes.")
        if self.total_bytes == 0 and file.named:
            self.fail(file.source.name, error)
        else:
            self.warnings.append(f"Not read: {error}")

    def _note_same_bytes(self, match: Match, segment_id: str) -> None:
        """Note that another path has the same bytes, and that they are taken for two streams."""
        own = self.stage.segments.get(segment_id)
        if match.segment is not None or own is None or not own.events:
            return
        alike = self.stage.segments.with_content(own.bytes, own.hash)
        others = [other for other in alike if other is not own and other.is_there()]
        if others:
            self.same_bytes.append((shown(Path(others[0].path), self.root), match.file.source.name))

    def _bad_lines(self, segment_id: str) -> frozenset[int]:
        if self._bad is None:
            self._bad = {}
            stored = self.stage.stored_rejects().select(["segment", "source_line"])
            for segment, line in zip(stored["segment"].to_pylist(), stored["source_line"].to_pylist(), strict=True):
                self._bad.setdefault(segment, set()).add(line)
        return frozenset(self._bad.get(segment_id, ()))

    def _report(self, file: InputFile, events: int) -> None:
        if self.progress:
            done = self.done_bytes + file.source.read_bytes
            self.progress(done, self.total_bytes, f"{shown(Path(file.path.name), Path())}: {events:,} records")

    def _read_as(self, recipe: DatasetRecipe) -> str:
        warnings = sorted(
            (str(p), os.stat(p).st_size, os.stat(p).st_mtime_ns) for p in (self.truth.files if self.truth else ())
        )
        return f"{recipe.hash} {warnings or ''}".strip()

    def _label_warnings(self) -> list[str]:
        """Say so if all labels are the same."""
        values = {value for value, count in self.run.labels.items() if count and value is not None}
        if len(values) != 1:
            return []
        verdict = "malicious" if values.pop() else "benign"
        return [f"Every label says {verdict}: AUROC and average precision cannot be computed from these files alone."]

    def _truth_warnings(self) -> list[str]:
        return (
            list(self.truth.warnings_after())
            if self.truth and any(not r.was_read for r in self.results.values())
            else []
        )


def _in_quarantine(count: int, dataset: str) -> str:
    counted = "1 record of it is" if count == 1 else f"{count:,} records of it are"
    return f"{counted} in quarantine since an earlier run. See: socml quarantine {dataset}"


def _check_unchanged(file: InputFile) -> None:
    """Raise DataError if another file is at the path now, or less of it: it was rotated while it was read."""
    try:
        status = file.path.stat()
    except FileNotFoundError:
        status = None
    as_it_was = (file.status.st_dev, file.status.st_ino)
    if status is None or (status.st_dev, status.st_ino) != as_it_was or status.st_size < file.source.size:
        raise DataError(f"{file.source.name} was rotated or cut while it was read. The next run reads it.")
