"""Blocks of whole lines → batches of events, rejects and counted skips: what every log format hands to ingest.

A format is one file here with one class that has `name`, `about`, `specification`, `examples`, `sniff` and
`read`. Nothing is lost on the way: for every file, records = events + rejects + skips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from socml.project import TableShape, Truth

LITTLE = HEAD = 1 << 20  # bytes


class Assumption(str):
    """A warning that says what was assumed of a file, because nothing in it tells: a text with the `kind` it is of.

    Kinds: "zone", "year", "date order", "header", "dialect", "encoding", "columns", "labels", "time order".

    Examples
    --------
    >>> said = Assumption("zone", "The times name no zone.")
    >>> said, said.kind
    ('The times name no zone.', 'zone')
    """

    kind: str

    def __new__(cls, kind: str, text: str) -> Assumption:
        """Make a text that knows its kind."""
        made = super().__new__(cls, text)
        made.kind = kind
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # a text is made of one, this of two
        """Return what a copy is made of."""
        return self.kind, str(self)


@dataclass(frozen=True)
class Reject:
    """A record that does not fit its format: where, why, and its bytes (its first bytes, if it is over a limit)."""

    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True)
class Block:
    """Whole lines of a file: `data` ends with a line end, unless it is the file's unfinished last line."""

    first_line: int
    data: bytes

    def lines(self) -> list[bytes]:
        """Return the lines without their line ends and without NUL padding."""
        lines = self.data.split(b"\n")
        if not lines[-1] and self.data.endswith(b"\n"):
            lines.pop()
        if b"\r" in self.data or b"\0" in self.data:
            return [line.strip(b"\r\0") for line in lines]
        return lines


class Source(Protocol):
    """A file being read, decompressed, as bytes. It may be read more than once, from its start."""

    name: str
    path: Path

    @property
    def modified(self) -> datetime | None:
        """When the file was last written."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of bounded size."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield whole lines, about 8 MB at a time; a line over the limit is rejected by the source itself."""
        ...


@dataclass(frozen=True)
class ReadOptions:
    """What a recipe says about reading, and what earlier files of the dataset settled.

    A file whose first block has fewer bytes than `select_from` is read line by line, sooner than what reads whole
    blocks is loaded for it (see `socml.formats._select_lines`). Both ways say the same.
    """

    time_zone: str = "UTC"
    zone_is_given: bool = False  # whether the recipe says it: else a time without a zone is an assumption
    year: int | None = None
    time_format: str = ""
    table: TableShape | None = None
    truth: Truth | None = None
    column_types: Mapping[str, pa.DataType] = field(default_factory=dict)  # a table's own columns, as stored so far
    select_from: int = LITTLE
    beside: tuple[Path, ...] = ()  # the other files of the command, which may tell what this one leaves out


def sized_blocks(source: Source, options: ReadOptions) -> Iterator[tuple[Block, bool]]:
    """Yield a file's blocks, each with whether it is to be read whole: from the first on that is large enough for it."""
    is_large = False
    for block in source.blocks():
        is_large = is_large or len(block.data) >= options.select_from
        yield block, is_large


@dataclass
class Parsed:
    """What one block became.

    `events` holds those columns of `socml.project.tables.EVENT` that the format fills, `raw` and `source_line` among
    them, and a table's own columns after them. `records` are the bytes that the ids are made of, one an event;
    `truth` (malicious, family, technique), if the records hold any, has one row an event.
    """

    events: pa.Table
    records: Sequence[bytes]
    truth: pa.Table | None = None
    rejects: list[Reject] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    time_is_certain: bool = True  # False: the time depends on more than the record (a year or a recipe was needed)

    @property
    def count(self) -> int:
        """Number of records this came from: events, rejects and skips together."""
        return len(self.events) + len(self.rejects) + sum(self.skips.values())


class Format(Protocol):
    """A log format.

    `one_a_line = False` on the class says that its records are not its lines (binary files, one document a file), and
    `may_span_lines = True` that one of them may go on in the next line: then a file that grew is taken anew.
    """

    name: str
    about: str
    specification: str
    examples: tuple[str | bytes, ...]  # bytes: the beginning of a binary file

    def sniff(self, head: bytes, file_name: str) -> float:
        """Return how sure the format is that `head`, a file's first bytes, is its own: 0 to 1."""
        ...

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, block by block.

        Raises
        ------
        FormatError
            If the file as a whole is not in this format.
        """
        ...


def head_lines(head: bytes, limit: int = 50, *, stripped: bytes = b"\r\0 ") -> list[bytes]:
    """Return the first whole, not blank lines of a file's head (its only line, if it has no line end).

    `stripped` are the characters that are taken off the ends of each.

    Examples
    --------
    >>> head_lines(b"a\\n\\nb\\nunfinis")
    [b'a', b'b']
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    lines = head.split(b"\n")
    if len(lines) > 1:
        lines.pop()
    bare = (line.strip(stripped) for line in lines[: 4 * limit])
    return [line for line in bare if line.strip()][:limit]


def no_events() -> pa.Table:
    """Return an event table without rows, for a block that held only rejects or skips."""
    return pa.table({"raw": pa.array([], pa.string()), "source_line": pa.array([], pa.int64())})


def truth_table(
    malicious: Iterable[bool | None], family: Iterable[str | None], techniques: Mapping[str, str] | None = None
) -> pa.Table:
    """Return a truth table, one row an event, with the technique that the recipe gives for each family."""
    families = list(family)
    known = techniques or {}
    return pa.table(
        {
            "malicious": pa.array(list(malicious), pa.bool_()),
            "family": pa.array(families, pa.string()),
            "technique": pa.array([known.get(f or "") for f in families], pa.string()),
        }
    )


def _plain(label: str) -> str:
    """Return a label without what spreadsheets and exports change: capitals, blanks around it, a whole number's `.0`."""
    text = label.strip().casefold()
    return text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text


def judge(value: str | None, truth: Truth) -> bool | None:
    """Return whether a label means malicious, by the recipe's lists; None if it does not say.

    Where no list has it as it is written, capitals and blanks around it do not count.

    Examples
    --------
    >>> judge("neptune", Truth(benign=["normal"])), judge("normal", Truth(benign=["normal"]))
    (True, False)
    >>> judge("Normal ", Truth(benign=["normal"])), judge("1.0", Truth(malicious=["1"]))
    (False, True)
    >>> judge("Background", Truth(malicious=["Malicious"], benign=["Benign"])) is None
    True
    """
    if value is None:
        return None
    for spelled in (value, _plain(value)):
        as_listed = str if spelled is value else _plain
        for listed, means in ((truth.unknown, None), (truth.malicious, True), (truth.benign, False)):
            if spelled in map(as_listed, listed):
                return means
    if not value.strip() or (truth.malicious and truth.benign):
        return None
    return not truth.malicious


def without_rows(parsed: Parsed, bad: Mapping[int, str]) -> Parsed:
    """Return `parsed` with the rows in `bad` turned into rejects, each with its reason."""
    lines = parsed.events["source_line"].to_pylist()
    moved = [Reject(lines[row], reason, parsed.records[row]) for row, reason in bad.items()]
    keep = [row for row in range(len(lines)) if row not in bad]
    kept = pa.array(keep, pa.int64())
    return replace(
        parsed,
        events=parsed.events.take(kept),
        records=[parsed.records[row] for row in keep],
        truth=None if parsed.truth is None else parsed.truth.take(kept),
        rejects=sorted([*parsed.rejects, *moved], key=lambda reject: reject.line),
    )
