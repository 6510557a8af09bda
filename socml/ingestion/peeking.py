"""The beginning of a file → which format it is in, its first events, and what did not parse. Nothing is stored.

Only the head is read, so a file of 10 GB takes as long as one of 10 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from socml.formats import LITTLE, Assumption, Parsed, ReadOptions, Reject
from socml.ingestion.detection import open_format, rank_source
from socml.ingestion.format_maps import taken_fields
from socml.ingestion.judging import too_many_bad
from socml.ingestion.run import begins_document, options_of
from socml.ingestion.sources import FileSource
from socml.project import DatasetRecipe, FormatError, ScratchFolder

LINES_BYTES = LITTLE - 1  # of a longer file: whole lines up to here
WHOLE_BYTES = 4 << 20  # up to here a file whose records are no lines is read whole; of longer ones, so much
DOCUMENT_BYTES = 64 << 20  # a file that is one document is read whole up to here
GUESSES = ("any-json", "key-values")  # formats that go by what tools usually call things
SHOWN_BYTES = 2000  # of a record that did not parse
_PLACED = (b"PK\x03\x04", b"ElfFile\0", b"SQLite format 3\0")  # read by place, and a record at a time


@dataclass(frozen=True)
class Peek:
    """What the head of a file holds. `events` are the first ones, only with the columns that are filled."""

    file: str
    format: str
    confidence: float | None  # None: the format was named
    runner_up: tuple[str, float] | None
    is_whole: bool  # whether the head is the whole file
    records: int
    parsed: int
    skipped: dict[str, int]
    events: list[dict[str, object]]
    rejects: list[dict[str, object]]
    rejected: int
    columns: dict[str, int]  # event columns that are filled, and in how many of the parsed records
    warnings: list[str]
    mapping: dict[str, list[str]]  # of a guess: event column → the fields that it was taken from
    problem: str  # why `ingest` would refuse the file, and what to do; empty if it would not

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        assumptions = [{"kind": w.kind, "text": str(w)} for w in self.warnings if isinstance(w, Assumption)]
        return {**asdict(self), "assumptions": assumptions}


def peek(
    path: str | Path,
    *,
    format: str = "auto",  # noqa: A002
    limit: int = 3,
    recipe: DatasetRecipe | None = None,
) -> Peek:
    """Return the first `limit` events of a file and as many records that did not parse, told from its head.

    Parameters
    ----------
    format : "auto" detects it
    recipe : a dataset's, for its time zone, year and table

    Raises
    ------
    FormatError
        If no format takes the file for its own, or the file as a whole is not in the format that was named.
    """
    source = FileSource(Path(path), str(path))
    recipe = recipe or DatasetRecipe()
    named = format if format != "auto" else recipe.format
    if named == "auto" and recipe.table is not None:
        named = "table"
    ranked = rank_source(source) if named == "auto" else []
    name = ranked[0][0] if ranked else named
    parts, rejects, is_whole = _read(source, name, options_of(recipe))
    parsed = sum(len(p.events) for p in parts)
    return Peek(
        file=str(path),
        format=name,
        confidence=ranked[0][1] if ranked else None,
        runner_up=ranked[1] if len(ranked) > 1 and ranked[1][1] > 0 else None,
        is_whole=is_whole,
        records=sum(len(p.events) + sum(p.skips.values()) for p in parts) + len(rejects),
        parsed=parsed,
        skipped=_sum_of([p.skips for p in parts]),
        events=_first_events(parts, limit),
        rejects=[{"line": r.line, "reason": r.reason, "raw": _text(r.raw[:SHOWN_BYTES])} for r in rejects[:limit]],
        rejected=len(rejects),
        columns=_filled(parts),
        warnings=[warning for part in parts for warning in part.warnings],
        mapping=taken_fields(source) if name in GUESSES else {},
        problem=_problem(source, name, parsed, rejects, recipe),
    )


def _problem(source: FileSource, name: str, parsed: int, rejects: list[Reject], recipe: DatasetRecipe) -> str:
    bad = len(rejects) - bool(rejects and (source.ends_in_line or source.damage))  # one that was cut says nothing
    first = f"{source.name}:{rejects[0].line}: {rejects[0].reason}" if rejects else ""
    if recipe.bad_rows == "stop" and bad:
        return f"{first}. The recipe stops at the first bad record."
    return too_many_bad(source.name, name, bad, parsed + bad, recipe.max_bad_share, first)


def _read(source: FileSource, name: str, options: ReadOptions) -> tuple[list[Parsed], list[Reject], bool]:
    """Return what the head holds, its bad records, and whether the head is the whole file."""
    head, is_whole = _head_of(source)
    reader = open_format(name)
    lines = (
        getattr(reader, "one_a_line", True)
        and not head.lstrip().startswith(b"{\n")
        and not begins_document(head, reader)
    )
    placed = head.startswith(_PLACED) or source.is_rows
    if placed or (is_whole and not (lines and len(head) > LINES_BYTES)):
        return *_parts(reader.read(source, options), source, all_of_it=is_whole), is_whole
    kept = head[: head.rfind(b"\n", 0, LINES_BYTES) + 1] if lines else head
    if not kept:  # one line without end
        kept = head
    with ScratchFolder("peek") as folder:
        copy = Path(folder) / source.path.name
        copy.write_bytes(kept)
        shortened = FileSource(copy, source.name)
        try:
            parts, rejects = _parts(reader.read(shortened, options), shortened, all_of_it=True)
        except FormatError:
            if lines or source.size > DOCUMENT_BYTES:
                raise
            return *_parts(reader.read(source, options), source, all_of_it=True), True  # one document
    return parts, rejects if lines else _without_last(parts, rejects), False


def _head_of(source: FileSource) -> tuple[bytes, bool]:
    head = bytearray()
    for chunk in source.chunks():
        head += chunk
        if len(head) > WHOLE_BYTES:
            return bytes(head[:WHOLE_BYTES]), False
    return bytes(head), True


def _parts(parsed: Iterator[Parsed], source: FileSource, *, all_of_it: bool) -> tuple[list[Parsed], list[Reject]]:
    parts = []
    for part in parsed:
        parts.append(part)
        if not all_of_it:
            break
    rejects = [reject for part in parts for reject in part.rejects] + source.rejects
    return parts, sorted(rejects, key=lambda reject: reject.line)


def _without_last(parts: list[Parsed], rejects: list[Reject]) -> list[Reject]:
    """Return the bad records but for the last record of the head, which is cut and not bad."""
    numbers = [max(p.events["source_line"].to_pylist(), default=0) for p in parts] + [r.line for r in rejects]
    return [reject for reject in rejects if reject.line < max(numbers, default=0)]


def _first_events(parts: list[Parsed], limit: int) -> list[dict[str, object]]:
    events: list[dict[str, object]] = []
    for part in parts:
        for row in part.events.slice(0, limit - len(events)).to_pylist():
            row["extra"] = dict(row.get("extra") or [])
            events.append({name: value for name, value in row.items() if value not in (None, {}, [])})
    return events


def _filled(parts: list[Parsed]) -> dict[str, int]:
    return _sum_of(
        [
            {name: len(column) - column.null_count for name, column in _columns(part.events)}
            for part in parts
            if len(part.events)
        ]
    )


def _columns(events: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return [(n, events[n]) for n in events.column_names if n not in ("raw", "source_line")]


def _sum_of(counts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for some in counts:
        for name, count in some.items():
            total[name] = total.get(name, 0) + count
    return {name: count for name, count in total.items() if count}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
