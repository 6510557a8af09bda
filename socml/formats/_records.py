"""Numbered records and a function that reads one of them → batches of events, rejects and skips.

The base of every format that is read record by record: lines of text, lines of JSON, the members of a JSON array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from socml.formats._columns import text_array
from socml.formats._continued import Continued
from socml.formats._json_array import array_members
from socml.formats._old_encodings import note_of, old_encoding
from socml.formats._reader import Parsed, ReadOptions, Reject, Source, no_events
from socml.formats._times import Clock, clock_of, microseconds
from socml.project import EVENT, TIME

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "MISFITS",
    "UNFORESEEN",
    "Skip",
    "arrays_of",
    "batches",
    "clocked",
    "is_array",
    "json_records",
    "line_records",
    "made",
]

UNFORESEEN = "a form that the reader does not foresee"  # and should: fuzzing counts it as a fault of the reader
_BATCH = 20_000
MISFITS = (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError)  # of values and their column
_SCALARS = (b'"', b"-", *(b"%d" % digit for digit in range(10)))  # what no array of records begins with

Numbered = Iterable[tuple[int, bytes]]


class Skip(Exception):
    """Raised for a record that is no event by intent (a comment, a heartbeat); the reason is counted."""


def line_records(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield every line with its number, from 1."""
    for block in source.blocks():
        yield from enumerate(block.lines(), block.first_line)


def json_records(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the objects of a file with their lines: one a line, or the members of one array."""
    return array_members(source) if is_array(source) else line_records(source)


def is_array(source: Source) -> bool:
    """Return whether a file of JSON begins as an array of records."""
    start = next(iter(source.chunks()), b"").removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"[") and not start[1:].lstrip().startswith(_SCALARS)


def batches(
    numbered: Numbered,
    read: Callable[[bytes], dict[str, object]],
    *,
    warnings: list[str] | None = None,
    is_certain: Callable[[], bool] = lambda: True,
    is_text: bool = True,
) -> Iterator[Parsed]:
    """Yield the records as events, in batches of bounded size. Blank lines are skipped.

    Text that can only be of an encoding of before UTF-8 is handed to `read` as UTF-8, and that is said; what is kept of it are its own bytes.

    Parameters
    ----------
    read : returns a record's event columns (`time` as a datetime; `extra` as a dict, texts that are None are left
        out; `malicious`, `family` and `technique`, where the record holds the truth), raises `ValueError` in words
        for a record that does not fit, and `Skip` for one that is no event
    warnings : what `read` appends to, if anything; handed on once and emptied
    is_certain : whether the times so far depend on nothing but the records (see `Parsed.time_is_certain`)
    is_text : whether records are text
    """
    batch = _Batch(is_text=is_text)
    for number, record in numbered:
        batch.add(number, record, read)
        if batch.size >= _BATCH:
            yield batch.parsed(warnings, is_certain())
            batch = _Batch(is_text=is_text)
    yield batch.parsed(warnings, is_certain())


def made(
    items: Iterable[tuple[int, bytes, dict[str, object] | Exception]],
    *,
    warnings: list[str] | None = None,
    is_certain: Callable[[], bool] = lambda: True,
) -> Iterator[Parsed]:
    """Like `batches`, for records that were read where they were found: columns, or the ValueError or Skip instead."""
    waiting: list[dict[str, object] | Exception] = []

    def numbered() -> Iterator[tuple[int, bytes]]:
        for number, raw, result in items:
            waiting[:] = [result]
            yield number, raw if raw.strip() else b"\0"

    def read(record: bytes) -> dict[str, object]:
        if isinstance(waiting[0], Exception):
            raise waiting[0]
        return waiting[0]

    return batches(numbered(), read, warnings=warnings, is_certain=is_certain, is_text=False)


def clocked(
    numbered: Numbered, read: Callable[[bytes, Clock], dict[str, object]], source: Source, options: ReadOptions
) -> Iterator[Parsed]:
    """Like `batches`, for records whose times need the file's clock: a year or a zone that they leave open."""
    clock = clock_of(source, options)
    return batches(
        numbered,
        lambda record: read(record, clock),
        warnings=clock.warnings,
        is_certain=lambda: clock.is_certain,
    )


def arrays_of(rows: Sequence[dict[str, object]]) -> dict[str, pa.Array]:
    """Return the event columns of some rows, one array a column that any of them fills.

    Examples
    --------
    >>> arrays_of([{"user_name": "ann"}, {}])["user_name"].to_pylist()
    ['ann', None]
    """
    names: dict[str, object] = {}
    for row in rows:
        names |= row
    columns = {name: _column(name, [row.get(name) for row in rows]) for name in names if name in EVENT}
    return {name: values for name, values in columns.items() if values.null_count < len(values)}


class _Batch:
    def __init__(self, *, is_text: bool) -> None:
        self.size = 0
        self._is_text, self._old = is_text, dict[str, None]()  # the latter: encodings of before UTF-8, of its records
        self._records: list[bytes] = []
        self._numbers: list[int] = []
        self._rows: list[dict[str, object]] = []
        self._rejects: list[Reject] = []
        self._skips: dict[str, int] = {}

    def add(self, number: int, record: bytes, read: Callable[[bytes], dict[str, object]]) -> None:
        """Take one record, as an event, a reject or a skip."""
        self.size += 1
        if isinstance(record, Continued):
            self._skip("line that goes on with the record above")
            return
        if not record.strip():
            self._skip("blank line")
            return
        encoding = old_encoding(record) if self._is_text and type(record) is bytes else ""
        if encoding:
            self._old[encoding] = None
        try:
            row = read(record.decode(encoding).encode() if encoding else record)
        except Skip as reason:
            self._skip(str(reason))
        except ValueError as error:
            self._rejects.append(Reject(number, str(error), record))
        except ArithmeticError as error:
            self._rejects.append(Reject(number, f"a number that is out of range: {error}", record))
        except RecursionError:
            self._rejects.append(Reject(number, "nested too deeply", record))
        except (TypeError, AttributeError, LookupError) as error:  # one record must not stop all others
            self._rejects.append(Reject(number, f"{UNFORESEEN}: {type(error).__name__}: {error}", record))
        else:
            self._rows.append(row)
            self._records.append(record)
            self._numbers.append(number)

    def parsed(self, warnings: list[str] | None, certain: bool) -> Parsed:
        """Return what the batch holds."""
        notes = list(dict.fromkeys([*(warnings or []), *map(note_of, self._old)]))
        if warnings:
            warnings.clear()
        if not self._rows:
            return Parsed(no_events(), [], None, self._rejects, self._skips, notes)
        names = dict.fromkeys(name for row in self._rows for name in row)
        filled = self._columns([name for name in names if name in EVENT])
        columns = {"raw": text_array(self._records), "source_line": pa.array(self._numbers, pa.int64()), **filled}
        truth = None
        if "malicious" in names or "family" in names:
            truth = pa.table(
                {
                    "malicious": pa.array([row.get("malicious") for row in self._rows], pa.bool_()),
                    "family": pa.array([row.get("family") for row in self._rows], pa.string()),
                    "technique": pa.array([row.get("technique") for row in self._rows], pa.string()),
                }
            )
        table = pa.table(columns)
        return Parsed(table, self._records, truth, self._rejects, self._skips, notes, time_is_certain=certain)

    def _columns(self, names: list[str]) -> dict[str, pa.Array]:
        """Return the columns; a record with a value that its column cannot hold becomes a reject instead."""
        columns: dict[str, pa.Array] = {}
        for name in names:
            try:
                columns[name] = _column(name, [row.get(name) for row in self._rows])
            except MISFITS:
                if not self._reject_misfits(name):
                    raise
                return self._columns(names)
        return columns

    def _reject_misfits(self, name: str) -> int:
        bad = {row: self._rows[row].get(name) for row in range(len(self._rows)) if not _fits(name, self._rows[row])}
        self._rejects += [
            Reject(self._numbers[row], f"{name} cannot be {str(value)[:60]!r}", self._records[row])
            for row, value in bad.items()
        ]
        self._rejects.sort(key=lambda reject: reject.line)
        keep = [row for row in range(len(self._rows)) if row not in bad]
        self._rows = [self._rows[row] for row in keep]
        self._records = [self._records[row] for row in keep]
        self._numbers = [self._numbers[row] for row in keep]
        return len(bad)

    def _skip(self, reason: str) -> None:
        self._skips[reason] = self._skips.get(reason, 0) + 1


def _column(name: str, values: list[object]) -> pa.Array:
    if name == "time":
        return pa.array([microseconds(cast("datetime | None", value)) for value in values], pa.int64()).view(TIME)
    if name == "extra":
        values = [_pairs(value) for value in values]
    return pa.array(values, EVENT[name].type)


def _fits(name: str, row: dict[str, object]) -> bool:
    try:
        _column(name, [row.get(name)])
    except MISFITS:
        return False
    return True


def _pairs(extra: object) -> list[tuple[str, str]]:
    pairs = extra.items() if isinstance(extra, dict) else cast("list[tuple[str, str]]", extra or [])
    return [(name, text) for name, text in pairs if text is not None]
