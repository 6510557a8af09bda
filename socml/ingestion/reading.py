"""One file → its events, truth and bad records in a staging area, and what became of it. No record is lost.

A file that goes on from a segment is read from its start, for a reader may need what stands there; events whose places
are stored already count as duplicates. What depended on where the file ended before is taken again: the last record,
records in quarantine, and all of a format whose records span lines.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats import Assumption, Parsed, Reject
from socml.ingestion.detection import close_call, open_format
from socml.ingestion.identity import Places
from socml.ingestion.judging import too_many_bad
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.parts import quarantine_table
from socml.ingestion.publishers import warnings_of_recipe
from socml.ingestion.result import Assumed, FileResult
from socml.ingestion.run import FileJob, Run, begins_document, spans_lines
from socml.ingestion.segments import Segment
from socml.ingestion.staged_file import ALL_LINES, StagedFile
from socml.ingestion.time_order import TimeOrder
from socml.project import DataError, FormatError, SocmlError

__all__ = ["Reading", "RefusedFile", "waits_as_cut"]

Report = Callable[[int], None]  # how many events a file has so far
JUDGED_FROM = 100  # records; a share of fewer says little before the file's end


class RefusedFile(DataError):
    """More of a file is bad than is allowed; its bad records are in quarantine."""


class Reading:
    """One file, from its first record to its last."""

    def __init__(
        self,
        run: Run,
        job: FileJob,
        ranked: Sequence[tuple[str, float | None]],
        *,
        staged: StagedFile,
        column_types: OwnColumns,
        report: Report,
    ) -> None:
        self.run, self.staged, self.column_types, self.report = run, staged, column_types, report
        self.id, self.file, self.before = job.segment_id, job.match.file, job.match.segment
        self.source = self.file.source
        self.format_name, self.confidence = ranked[0]
        self.reader = open_format(self.format_name)
        self.events = self.added = self.bad = self.highest = 0
        self.skips: dict[str, int] = {}
        self.warnings: list[str] = close_call(ranked)
        self.order = TimeOrder.of(self.reader)
        self.first_bad: Reject | None = None
        self.waiting = 0
        self.labels: Counter[bool | None] = Counter()
        self._held: Reject | None = None  # the last bad record: whether the file was cut there shows later
        self._last: tuple[int, str] = (0, "")  # the last event: its line, and the hash of its raw
        self._begin(job.bad_lines)

    def _begin(self, bad_lines: frozenset[int]) -> None:
        before = self.before
        self.places = Places(self.id)
        self.all_again = before is not None and (spans_lines(self.reader) or before.format != self.format_name)
        self.again = bad_lines if before and before.rejects else frozenset()
        self._last_is_stored = before is None or not before.last_line
        self.is_document = begins_document(self.source.head(4096), self.reader)
        self.source.holds_back = not self.file.settled and not self.is_document
        if self.all_again:
            self.staged.replace_events({ALL_LINES})

    def to_the_end(self) -> FileResult:
        """Read all and return what became of it.

        Raises
        ------
        RefusedFile
            If too much of it is bad. What is bad is staged, and `segment` says what is known of the file.
        """
        for parsed in self.reader.read(self.source, self.run.options(self.column_types)):
            self._take(parsed)
            self._take_rejects(parsed.rejects)
            self._take_rejects(self._source_rejects())
            self._judge(self.bad + (self._held is not None), at_end=False)
            self.report(self.events)
        self._take_rejects(self._source_rejects())
        self._end()
        self._check_none_lost()
        self._last_warnings()
        return self.result()

    def result(self) -> FileResult:
        """Return the counts so far."""
        if self.all_again and self.before is not None:
            self.added = max(self.events - self.before.events, 0)
        skipped = sum(self.skips.values())
        return FileResult(
            file=self.source.name,
            format=self.format_name,
            records=self.events + self.bad + skipped,
            events=self.events,
            added=self.added,
            duplicates=self.events - self.added,
            quarantined=self.bad,
            skipped=skipped,
            skips=self.skips,
            pending=int(self.waiting > 0),
            pending_bytes=self.waiting,
            warnings=tuple(self.warnings),
            assumptions=tuple(
                Assumed(warning.kind, str(warning)) for warning in self.warnings if isinstance(warning, Assumption)
            ),
            confidence=self.confidence,
        )

    def segment(self, refused: str = "") -> Segment:
        """Return what is known of the file from now on."""
        prefix, status = self.source.hash_all(), self.file.status
        known = self.before or Segment(self.id, self.file.place, self.file.stream.name, str(self.file.path))
        known = replace(
            known,
            path=str(self.file.path),
            device=status.st_dev,
            inode=status.st_ino,
            size=self.source.size,
            modified_ns=status.st_mtime_ns,
            rejects=self.bad,
            read_as=self.run.read_as,
            refused=refused,
        )
        if refused and self.before and not self.before.refused:
            return known  # what was stored of it before stays
        return replace(
            known,
            bytes=prefix.bytes,
            hash=prefix.hash,
            start=prefix.start,
            format=self.format_name,
            lines=0 if refused else max(self.source.lines, self.highest),
            last_line=0 if refused else self._last[0],
            last_hash="" if refused else self._last[1],
            events=0 if refused else self.events,
            skips=self.skips,
            waiting=self.waiting,
        )

    def _take(self, parsed: Parsed) -> None:
        for reason, count in parsed.skips.items():
            self.skips[reason] = self.skips.get(reason, 0) + count
        self.warnings += parsed.warnings
        rows = len(parsed.events)
        if not rows:
            return
        self.order.see(parsed.events)
        lines = parsed.events["source_line"].to_numpy().astype(np.int64)
        events = parsed.events.append_column("event_id", self.places.ids(lines))
        for name, value in (("dataset", self.run.dataset), ("source_file", self.source.name)):
            events = events.append_column(name, pa.repeat(pa.scalar(value), rows))
        self._take_truth(events, parsed.truth)
        fresh = self._fresh(events, lines)
        self.events += rows
        self.added += int(np.count_nonzero(fresh & (lines != self._last_before)))
        if fresh.all():
            self.staged.add_events(events)
        elif fresh.any():
            self.staged.add_events(events.filter(pa.array(fresh)))
        self._note_last(events, lines)
        self.column_types.add(parsed.events.schema)

    @property
    def _last_before(self) -> int:
        return self.before.last_line if self.before and not self.all_again else 0

    def _fresh(self, events: pa.Table, lines: np.ndarray) -> np.ndarray:
        """Return which events are not stored, or stored otherwise."""
        if self.before is None or self.all_again:
            return np.ones(len(lines), bool)
        fresh = lines > self.before.lines
        if self.again:
            bad = np.isin(lines, list(self.again))
            if bad.any():
                self.staged.replace_events(set(lines[bad].tolist()))
                fresh |= bad
        at = np.flatnonzero(lines == self._last_before)
        if len(at):
            self._last_is_stored = True
            if _raw_hash(events, int(at[-1])) != self.before.last_hash:
                self.staged.replace_events({self._last_before})
                fresh[at] = True
        return fresh

    def _note_last(self, events: pa.Table, lines: np.ndarray) -> None:
        row = len(lines) - 1 - int(np.argmax(lines[::-1]))
        if int(lines[row]) >= self.highest:
            self.highest = int(lines[row])
            self._last = self.highest, _raw_hash(events, row)

    def _take_truth(self, events: pa.Table, truth: pa.Table | None) -> None:
        if self.run.truth is not None:
            truth = self.run.truth.of_events(events, self.source.path)
        if truth is None:
            return
        for value in pc.value_counts(truth["malicious"]).to_pylist():
            self.labels[value["values"]] += value["counts"]
        self.staged.add_truth(truth.append_column("event_id", events["event_id"]))

    def _take_rejects(self, rejects: list[Reject]) -> None:
        if not rejects:
            return
        self.first_bad = self.first_bad or rejects[0]
        self._stage_rejects([*([self._held] if self._held else []), *rejects[:-1]])
        self._held = rejects[-1]
        if self.run.recipe.bad_rows == "stop" and not self._was_cut():
            self._stage_held()
            raise RefusedFile(f"{self._first_bad()}. The recipe stops at the first bad record.")

    def _stage_rejects(self, rejects: list[Reject]) -> None:
        if not rejects:
            return
        self.bad += len(rejects)
        lines, reasons, raws = [r.line for r in rejects], [r.reason for r in rejects], [r.raw for r in rejects]
        self.staged.add_rejects(
            quarantine_table(self.source.name, lines, reasons, raws, segment=self.id, put_at=self.run.now)
        )

    def _stage_held(self) -> None:
        if self._held:
            self._stage_rejects([self._held])
        self._held = None

    def _was_cut(self) -> bool:
        """Return whether the last bad record is what the file ends with, without an end of its own."""
        if self._held is None or self._held.line < self.highest:
            return False
        return self.is_document or bool(self.source.damage) or self.source.ends_in_line

    def _end(self) -> None:
        """Decide on the last bad record: it waits if the file may go on, and says nothing of the others if it was cut."""
        was_cut = self._was_cut()
        if was_cut and self.is_document and not self.file.settled and self._held:
            self.waiting, self._held = max(len(self._held.raw), 1), None
        else:
            self.waiting = self.source.waiting
        self._stage_held()
        self._judge(self.bad - (was_cut and self.bad > 0 and not self.waiting), at_end=True)
        if not self._last_is_stored:
            self.staged.replace_events({self._last_before})

    def _source_rejects(self) -> list[Reject]:
        rejects, self.source.rejects = self.source.rejects, []
        return rejects

    def _judge(self, bad: int, *, at_end: bool) -> None:
        records = self.events + bad
        if not bad or (records < JUDGED_FROM and not at_end):
            return
        allowed = self.run.recipe.max_bad_share
        problem = too_many_bad(self.source.name, self.format_name, bad, records, allowed, self._first_bad())
        if problem:
            self._stage_held()
            new = "Nothing new of it" if self.before and self.before.events else "Nothing of it"
            raise RefusedFile(f"{problem} {new} was stored; its bad records are in quarantine.")

    def _first_bad(self) -> str:
        first = self.first_bad
        return f"{self.source.name}:{first.line}: {first.reason}" if first else self.source.name

    def _check_none_lost(self) -> None:
        read = self.events + self.bad + sum(self.skips.values())
        lines, one_a_line = self.source.lines, getattr(self.reader, "one_a_line", True)
        if lines and (read < lines or (one_a_line and read > lines)):
            raise SocmlError(
                f"{self.source.name} has {self.source.lines:,} lines, and {self.format_name} accounts for {read:,}. "
                "This is a bug in the format's reader; nothing of this file was stored."
            )

    def _last_warnings(self) -> None:
        if self.source.damage:
            self.warnings.append(f"The file is damaged: {self.source.damage}. What could be read before was kept.")
        if not self.events and not self.bad and not self.waiting:
            self.warnings.append("It holds no records, only a header.")
        self.warnings += self.order.warnings()
        self.warnings += warnings_of_recipe(self.run.recipe, self.source.path.name, self.events, self.column_types)
        if self.bad:
            first = self.first_bad
            where = f"line {first.line:,}: {first.reason}" if first else ""
            self.warnings.append(
                f"{self.bad:,} {'record is' if self.bad == 1 else 'records are'} in quarantine, first {where}."
            )


def waits_as_cut(error: FormatError, reading: Reading) -> bool:
    """Return whether a document that does not read, or a file whose first line has no end, may be still being written."""
    source = reading.source
    is_begun = source.waiting > 0 and not source.lines
    return (reading.is_document or is_begun) and not reading.file.settled and b"\0" not in source.head(4096)


def _raw_hash(events: pa.Table, row: int) -> str:
    raw = events["raw"][row].as_py() or ""
    return hashlib.blake2b(raw.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
