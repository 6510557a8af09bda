"""What an ingest did → a few lines, a dict, or HTML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from socml.inert import html_text, visible_line

_SHOWN_WARNINGS = 12


@dataclass(frozen=True)
class FileResult:
    """What became of one file. `records` are events, quarantined and skipped together.

    `confidence` is how sure the detection of the format was, 0.5 to 1, and None if the format was named.
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
    warnings: tuple[str, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did. `records` = added + duplicates + quarantined + skipped; `duplicates` were stored before."""

    dataset: str
    files: int
    records: int
    added: int
    duplicates: int
    quarantined: int
    skipped: int
    warnings: tuple[str, ...]
    per_file: tuple[FileResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        lines = [f"{self.dataset}: {self.added:,} events added from {files} ({self._counts()})"]
        lines += [f"  {line}" for line in self._formats()]
        lines += [f"  {visible_line(warning)}" for warning in self.warnings[:_SHOWN_WARNINGS]]
        if len(self.warnings) > _SHOWN_WARNINGS:
            lines.append(f"  … and {len(self.warnings) - _SHOWN_WARNINGS:,} more warnings")
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
            told = f"detected, {min(sure):.2f} sure" if sure else "as named"
            lines.append(f"{name}: {told}" if len(files) == 1 else f"{name}: {len(files):,} files, {told} at least")
        return [line if "sure" in line else line.removesuffix(" at least") for line in lines[:8]]

    def _counts(self) -> str:
        counts = {"duplicates": self.duplicates, "quarantined": self.quarantined, "skipped": self.skipped}
        said = [f"{self.records:,} records", *(f"{n:,} {what}" for what, n in counts.items() if n)]
        return ", ".join(said)


def summed(dataset: str, per_file: list[FileResult], warnings: list[str]) -> IngestResult:
    """Return the result of all files together; each file's warnings name it."""
    named = [f"{f.file}: {warning}" for f in per_file for warning in f.warnings]
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
    )
