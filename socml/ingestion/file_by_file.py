"""The files of one ingest, one after the other → a staged dataset. Whatever is wrong with one stops no other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from socml.ingestion.file_reading import Outcome, read_file
from socml.ingestion.matching import InputFile, Match
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.reading import Report
from socml.ingestion.reading_pool import ReadingPool, workers_for
from socml.ingestion.reading_worker import Setup
from socml.ingestion.result import FailedFile, FileResult, IngestResult, WaitingFile, summed
from socml.ingestion.run import FileJob, Run
from socml.ingestion.segments import Segment
from socml.ingestion.spark_reading import SparkReading, is_for_spark
from socml.ingestion.staged_file import StagedFile
from socml.ingestion.staging import Staging
from socml.ingestion.streams import shown
from socml.ingestion.truth import TruthBeside
from socml.ingestion.truth_file import TruthFile
from socml.project import DataError, DatasetRecipe, FormatError, SocmlError, memory_bytes, opened_project

__all__ = ["FileByFile", "ProgressReport"]

_MOST_BLANKS = 4096  # bytes of a file that is looked at for whether it holds anything

ProgressReport = Callable[[int, int, str], None]  # bytes done, bytes in all, words


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
        self.stage, self.truth, self.progress = stage, truth, progress
        self.root = stage.project.root
        files = tuple(match.file.path for match in matches)
        self.run = Run(stage.dataset, recipe, truth, now, self._read_as(recipe), format_name, retry, files)
        self._parts = [stage.stored / part.file for part in stage.before.parts]
        self.columns = OwnColumns(self._parts)
        self.workers: ReadingPool | SparkReading | None = None
        self.labels: Counter[bool | None] = Counter()
        self.total_bytes, self.done_bytes = sum(m.file.source.size for m in matches), 0
        self.results: dict[str, FileResult] = {}  # by path
        self.failed: list[FailedFile] = []
        self.waiting: list[WaitingFile] = []
        self.warnings: list[str] = list(truth.warnings) if truth else []
        self.same_bytes: list[tuple[str, str]] = []
        self.altered: list[str] = []
        self._bad: dict[str, set[int]] | None = None

    def take(self, match: Match) -> None:
        """Read one file, unless it was read before, is a copy, or waits; whatever is wrong with it stops no other."""
        file, before = match.file, self._before(match)
        if self._is_read(match):
            self._read(match)
        elif match.problem:
            self.fail(file.source.name, DataError(match.problem))
        elif match.waits:
            self.wait(file, f"{file.source.name} {match.waits}.")
        elif match.copy_of is not None:
            self._count_copy(match, self.results.get(str(match.copy_of.file.path)))
        elif before is not None and self._is_known(match, before):
            self._count_again(file, before)
        else:
            self._pass_over_empty(file)
        self.done_bytes += file.source.size

    @contextmanager
    def reading_ahead(self, matches: Sequence[Match], workers: int) -> Iterator[None]:
        """Have other processes, or the cluster, read the files meanwhile; 0: as many as pay, of socml.toml's cores."""
        jobs = self._jobs([match for match in matches if self._is_read(match)])
        self.workers = self._workers(jobs, workers)
        try:
            yield
        finally:
            if self.workers:
                self.workers.close()
            self.workers = None

    def _workers(self, jobs: Sequence[FileJob], workers: int) -> ReadingPool | SparkReading | None:
        project = self.stage.project
        if is_for_spark(project, jobs):
            return SparkReading(self._setup(), jobs, project, self._report_ahead)
        cores = project.threads or os.cpu_count() or 1
        count = workers_for(jobs, workers, cores=cores, memory=memory_bytes(project.memory_limit))
        return ReadingPool(self._setup, jobs, count, self._report_ahead) if count > 1 else None

    def _jobs(self, matches: Iterable[Match]) -> list[FileJob]:
        jobs: list[FileJob] = []
        taken: set[str] = set()
        for match in matches:
            segment_id = self._segment_id(match, taken)
            taken.add(segment_id)
            jobs.append(FileJob(match, segment_id, self._bad_lines(match)))
        return jobs

    def _setup(self) -> Setup:
        return Setup(self.run, self.stage.worker_folder(), tuple(self._parts), opened_project())

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
            altered=tuple(self.altered),
        )

    def _read(self, match: Match) -> None:
        job = FileJob(match, self._segment_id(match), self._bad_lines(match))
        outcome = self.workers.outcome(job, self.columns) if self.workers else None
        here = StagedFile(self.stage.writers)
        if outcome is None:
            report = self._report(match.file)
            outcome = read_file(self.run, job, staged=here, column_types=self.columns, report=report)
        else:
            self._take_over(outcome)
        self.labels += outcome.labels
        if outcome.segment is not None:
            self.stage.keep_file(outcome.segment, outcome.shipped or here)
        if outcome.waits:
            self.wait(match.file, outcome.waits)
        if outcome.error is not None:
            self.fail(match.file.source.name, outcome.error)
        if outcome.result is not None:
            self.results[str(match.file.path)] = outcome.result
            self._note_same_bytes(match, job.segment_id)
            if match.is_altered:
                self.altered.append(match.file.source.name)

    def _take_over(self, outcome: Outcome) -> None:
        """Note what another process learnt that the next files go by."""
        self.columns.added |= outcome.own_columns
        if isinstance(self.truth, TruthFile):
            self.truth.found += outcome.listed

    def _segment_id(self, match: Match, taken: Container[str] = ()) -> str:
        file = match.file
        if match.segment is not None:
            return match.segment.id
        return self.stage.segments.new_id(file.place, file.stream.name, file.first, taken=taken)

    def _before(self, match: Match) -> Segment | None:
        return self.stage.segments.get(match.segment.id) if match.segment else None

    def _is_read(self, match: Match) -> bool:
        if match.problem or match.waits or match.copy_of is not None or _is_blank(match.file):
            return False
        before = self._before(match)
        return before is None or not self._is_known(match, before)

    def _is_known(self, match: Match, before: Segment) -> bool:
        """Return whether all of the file was read before, and reading it again would give nothing else."""
        file = match.file
        if (
            not match.is_whole
            or before.refused
            or (before.waiting and file.settled)
            or (self.run.retry and before.rejects)
        ):
            return False
        return before.read_as == self.run.read_as and self.run.asked in ("auto", before.format)

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
        size = file.source.size
        why = "holds nothing but blanks" if size and file.source.head() else "is empty: it has 0 bytes"
        error = FormatError(f"{file.source.name} {why}.")
        if self.total_bytes == size and file.named:
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

    def _bad_lines(self, match: Match) -> frozenset[int]:
        if match.segment is None or not match.segment.rejects:
            return frozenset()
        if self._bad is None:
            self._bad = {}
            stored = self.stage.stored_rejects().select(["segment", "source_line"])
            for segment, line in zip(stored["segment"].to_pylist(), stored["source_line"].to_pylist(), strict=True):
                self._bad.setdefault(segment, set()).add(line)
        return frozenset(self._bad.get(match.segment.id, ()))

    def _report(self, file: InputFile) -> Report:
        def report(events: int) -> None:
            if self.progress:
                done = self.done_bytes + file.source.read_bytes
                self.progress(done, self.total_bytes, f"{shown(Path(file.path.name), Path())}: {events:,} records")

        return report

    def _report_ahead(self, read_bytes: int, job: FileJob, events: int) -> None:
        if self.progress:
            name = shown(Path(job.match.file.path.name), Path())
            self.progress(
                min(self.done_bytes + read_bytes, self.total_bytes), self.total_bytes, f"{name}: {events:,} records"
            )

    def _read_as(self, recipe: DatasetRecipe) -> str:
        warnings = sorted(
            (str(p), os.stat(p).st_size, os.stat(p).st_mtime_ns) for p in (self.truth.files if self.truth else ())
        )
        return f"{recipe.hash} {warnings or ''}".strip()

    def _label_warnings(self) -> list[str]:
        """Say so if all labels are the same, or if there are none."""
        values = {value for value, count in self.labels.items() if count and value is not None}
        if self.labels.get(None) and not values and not isinstance(self.truth, TruthFile):
            return ["No event has a label that the recipe calls malicious or benign: none has ground truth."]
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


def _is_blank(file: InputFile) -> bool:
    """Return whether a file holds nothing yet, packed or not: no byte, or a few line ends and blanks."""
    if not file.source.size or file.source.size > _MOST_BLANKS:
        return not file.source.size
    try:
        head = file.source.head()
    except (OSError, SocmlError):  # is told when it is read
        return False
    return not head.strip() and not file.source.is_rows and not file.source.damage


def _in_quarantine(count: int, dataset: str) -> str:
    counted = "1 record of it is" if count == 1 else f"{count:,} records of it are"
    return f"{counted} in quarantine since an earlier run. See: socml quarantine {dataset}"
