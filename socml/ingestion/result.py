"""What an ingest did → a few lines, a dict, or HTML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from socml.project import SocmlError, html_text, visible_line

_SHOWN_WARNINGS = 12


@dataclass(frozen=True)
class Assumed:
    """What was assumed of a file because nothing in it tells: its `kind` (zone, year, header, …), and in words."""

    kind: str
    text: str


@dataclass(frozen=True)
class FileResult:
    """What became of one file. `records` are events, quarantined and skipped together.

    `confidence` is how sure the detection of the format was, 0.5 to 1, and None if the format was named. `pending` is 1
    if a last record waits because the file may still be written to; `was_read` says that an earlier run read all of it.
    """

    file: str
    format: str
    records: int = 0
    events: int = 0
    added: int = 0
    duplicates: int = 0
    quarantined: int = 0
    skipped: int = 0
    skips: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    pending_bytes: int = 0
    was_read: bool = False
    warnings: tuple[str, ...] = ()
    assumptions: tuple[Assumed, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read, and why."""

    file: str
    error: SocmlError

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return str(self.error)


@dataclass(frozen=True)
class WaitingFile:
    """A file that is left for a later run, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did. `records` = added + duplicates + quarantined + skipped; `duplicates` were stored before.

    Attributes
    ----------
    pending : last records, without a line end, that wait for the rest of them
    failed : files that could not be read; all others were
    waiting : files that are left for a later run
    same_bytes : pairs of paths whose bytes are the same, taken for two streams
    altered : files that begin as they did when they were read before, and go on otherwise, taken for new ones
    """

    dataset: str
    files: int
    records: int
    added: int
    duplicates: int
    quarantined: int
    skipped: int
    warnings: tuple[str, ...]
    per_file: tuple[FileResult, ...]
    pending: int = 0
    failed: tuple[FailedFile, ...] = ()
    waiting: tuple[WaitingFile, ...] = ()
    same_bytes: tuple[tuple[str, str], ...] = ()
    altered: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON; `assumptions` are those of all files, each with its file."""
        failed = [{"file": f.file, "reason": f.reason} for f in self.failed]
        assumptions = [{"file": f.file, **asdict(one)} for f in self.per_file for one in f.assumptions]
        return {**asdict(replace(self, failed=())), "failed": failed, "assumptions": assumptions}

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        lines = [f"{self.dataset}: {self.added:,} events added from {files} ({self._counts()})"]
        lines += [f"  {line}" for line in self._formats()]
        lines += _some([f"  {visible_line(warning)}" for warning in self.warnings], "warnings")
        lines += [f"  {visible_line(line)}" for line in self._assumed()]
        lines += _some([f"  Waits: {visible_line(w.reason)}" for w in self.waiting], "files wait")
        lines += _some([f"  NOT READ: {visible_line(f.reason)}" for f in self.failed], "files were not read")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html_text(f.file)}</td><td>{html_text(f.format)}</td>"
            + "".join(f"<td>{n:,}</td>" for n in (f.records, f.added, f.duplicates, f.quarantined, f.skipped))
            + "</tr>"
            for f in self.per_file
        )
        names = ("file", "format", "records", "added", "duplicates", "quarantined", "skipped")
        head = "".join(f"<th>{name}</th>" for name in names)
        return f"<p>{html_text(self)}</p><table><tr>{head}</tr>{rows}</table>"

    def _formats(self) -> list[str]:
        """Return one line a format: how many files, and how sure the detection was of the least sure of them."""
        lines = []
        for name in dict.fromkeys(f.format for f in self.per_file):
            files = [f for f in self.per_file if f.format == name]
            sure = [f.confidence for f in files if f.confidence is not None]
            named = "read before" if all(f.was_read for f in files) else "as named"
            source = f"detected, {min(sure):.2f} sure" if sure else named
            lines.append(f"{name}: {source}" if len(files) == 1 else f"{name}: {len(files):,} files, {source} at least")
        return [line if "sure" in line else line.removesuffix(" at least") for line in lines[:8]]

    def _assumed(self) -> list[str]:
        lines = []
        if self.pending:
            whose = "1 last record has" if self.pending == 1 else f"{self.pending:,} last records have"
            lines.append(
                f"{whose} no line end yet and {'waits' if self.pending == 1 else 'wait'} until the file has not grown for "
                "a while; --final takes them as they are."
            )
        if self.same_bytes:
            one, other = self.same_bytes[0]
            more = f", and {len(self.same_bytes) - 1:,} more pairs" if len(self.same_bytes) > 1 else ""
            lines.append(
                f"The same bytes under two paths are taken as two streams ({one} and {other}{more}); "
                "say copies = true under [stream] in the recipe if they are copies."
            )
        if self.altered:
            more = f" and {len(self.altered) - 1:,} more" if len(self.altered) > 1 else ""
            lines.append(
                f"{self.altered[0]}{more} begins as it did when it was read before, and goes on otherwise: it was taken for a "
                "new file. If it was mended in place, what it had before counts twice; --anew with all files takes it once."
            )
        return lines

    def _counts(self) -> str:
        counts = {"duplicates": self.duplicates, "quarantined": self.quarantined, "skipped": self.skipped}
        counts |= {"pending": self.pending, "files not read": len(self.failed), "files waiting": len(self.waiting)}
        records = "1 record" if self.records == 1 else f"{self.records:,} records"
        parts = [records, *(f"{n:,} {what}" for what, n in counts.items() if n)]
        return ", ".join(parts)


def _some(lines: list[str], of_what: str) -> list[str]:
    left = len(lines) - _SHOWN_WARNINGS
    return [*lines[:_SHOWN_WARNINGS], f"  … and {left:,} more {of_what}; --json lists all"] if left > 0 else lines


def _of_files(per_file: list[FileResult]) -> list[str]:
    """Return the warnings with the files that they are of; one that several files share is said once."""
    files: dict[str, list[str]] = {}
    for one in per_file:
        for warning in one.warnings:
            files.setdefault(warning, []).append(one.file)
    return [
        f"{of[0]}: {warning}" if len(of) == 1 else f"{of[0]} and {len(of) - 1:,} more: {warning}"
        for warning, of in files.items()
    ]


def summed(
    dataset: str,
    per_file: list[FileResult],
    warnings: list[str],
    *,
    failed: tuple[FailedFile, ...] = (),
    waiting: tuple[WaitingFile, ...] = (),
    same_bytes: tuple[tuple[str, str], ...] = (),
    altered: tuple[str, ...] = (),
) -> IngestResult:
    """Return the result of all files together; each file's warnings name it, or say of how many files the same is true."""
    named = _of_files(per_file)
    return IngestResult(
        dataset=dataset,
        files=len(per_file),
        records=sum(f.records for f in per_file),
        added=sum(f.added for f in per_file),
        duplicates=sum(f.duplicates for f in per_file),
        quarantined=sum(f.quarantined for f in per_file),
        skipped=sum(f.skipped for f in per_file),
        warnings=(*named, *warnings),
        per_file=tuple(per_file),
        pending=sum(f.pending for f in per_file),
        failed=failed,
        waiting=waiting,
        same_bytes=same_bytes,
        altered=altered,
    )
