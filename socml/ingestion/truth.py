"""What a recipe says of ground truth that lies beside the records, or in their paths → the truth of every event.

Four ways: a table of files and lines, a pattern in a file's path, a table of labels joined by columns, or by row. Files
without labels beside them have no truth, and that is warned of: that an event is not listed says nothing then.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from socml.formats import first_row, judge, truth_table
from socml.ingestion.sources import FileSource
from socml.ingestion.truth_file import find_truth_file
from socml.project import (
    DataError,
    DatasetRecipe,
    Labels,
    TableShape,
    Truth,
    decoded_by_hand,
    dialect_by_hand,
)

__all__ = ["TruthBeside", "find_truth"]

_PACKED = ("", ".gz", ".bz2", ".xz", ".zst", ".zip")
_BETWEEN = "\x1f"  # of the values that a key is made of
_MOST_FOUND = 1000  # values that one pattern finds in one event


class TruthBeside(Protocol):
    """Ground truth that the records do not hold."""

    @property
    def files(self) -> frozenset[Path]:
        """What holds it, and is not to be read as records."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell the user: which files it says nothing of."""
        ...

    def of_events(self, events: pa.Table, path: Path) -> pa.Table | None:
        """Return the truth of a file's events, one row each (malicious, family, technique); None if there is none."""
        ...

    def warnings_after(self) -> tuple[str, ...]:
        """Return what to tell the user once all events were seen."""
        ...


@dataclass(frozen=True)
class NoTruth:
    """Ground truth that a recipe names and that is not there: nothing is known of any event."""

    warnings: tuple[str, ...]
    files: frozenset[Path] = frozenset()

    def of_events(self, events: pa.Table, path: Path) -> None:
        """Nothing is known."""

    def warnings_after(self) -> tuple[str, ...]:
        """Nothing more."""
        return ()


@dataclass(frozen=True)
class TruthByPath:
    """Ground truth by where a file lies: all its events are malicious, or all are not."""

    truth: Truth
    files: frozenset[Path] = frozenset()
    warnings: tuple[str, ...] = ()

    def of_events(self, events: pa.Table, path: Path) -> pa.Table:
        """Return the truth of a file's events by its path.

        Examples
        --------
        >>> truth = Truth(path=r"Attacks/(?P<family>\\w+?)_\\d+/", others="benign")
        >>> events = pa.table({"raw": ["6 6 63"]})
        >>> TruthByPath(truth).of_events(events, Path("/data/Attacks/Web_Shell_3/a.txt")).to_pylist()
        [{'malicious': True, 'family': 'Web_Shell', 'technique': None}]
        """
        found = re.search(self.truth.path, path.resolve().as_posix())
        malicious = True if found else _others(self.truth)
        family = found.groupdict().get("family") if found else None
        return truth_table([malicious] * len(events), [family] * len(events), self.truth.techniques)

    def warnings_after(self) -> tuple[str, ...]:
        """Nothing more."""
        return ()


@dataclass(frozen=True)
class TruthByLabels:
    """Ground truth in tables of labels: `tables` says which is about which file of records."""

    truth: Truth
    labels: Labels
    tables: dict[Path, Path]
    table: TableShape | None = None  # how the records are to be read, for labels that go by row; None: no table
    warnings: tuple[str, ...] = ()
    _read: dict[Path, _Table] = field(default_factory=dict)
    _first: dict[Path, int] = field(default_factory=dict)

    @property
    def files(self) -> frozenset[Path]:
        """The tables of labels."""
        return frozenset(self.tables.values())

    def of_events(self, events: pa.Table, path: Path) -> pa.Table | None:
        """Return the truth of a file's events; None if no table is about it."""
        beside = self.tables.get(path.resolve())
        if beside is None:
            return None
        if beside not in self._read:
            self._read[beside] = _Table(beside, self.labels, self.truth)
        table = self._read[beside]
        labels = list(table.by_columns(events) if self.labels.on else table.by_row(events, self._first_line(path)))
        return truth_table([m for m, _ in labels], [f for _, f in labels], self.truth.techniques)

    def warnings_after(self) -> tuple[str, ...]:
        """Nothing more."""
        return ()

    def _first_line(self, path: Path) -> int:
        """Return the line of a file's first record, which the first label is about."""
        if path not in self._first:
            self._first[path] = first_row(FileSource(path, path.name), self.table) if self.table else 1
        return self._first[path]


class _Table:
    """A table of labels, read when it is first needed."""

    def __init__(self, path: Path, labels: Labels, truth: Truth) -> None:
        self.path, self.labels, self.truth = path, labels, truth
        self._judged: dict[str, bool | None] = {}

    def by_row(self, events: pa.Table, first_line: int) -> Iterator[tuple[bool | None, str | None]]:
        """Yield what the label of each event's row says."""
        values = self._last_column
        for line in events["source_line"].to_pylist():
            at = line - first_line
            value = values[at] if 0 <= at < len(values) else None
            yield (None if value is None else self._judge(value)), None

    def by_columns(self, events: pa.Table) -> Iterator[tuple[bool | None, str | None]]:
        """Yield what the listed row of each event says; of several, a malicious one."""
        for keys in _keys(events, self.labels):
            labels = [self._rows[key] for key in keys if key in self._rows]
            yield (
                max(labels, key=lambda one: (one[0] is True, one[0] is False))
                if labels
                else (_others(self.truth), None)
            )

    @cached_property
    def _rows(self) -> dict[str, tuple[bool | None, str | None]]:
        names, rows = self._cells()
        wanted = [*self.labels.on, *([self.labels.label] if self.labels.label else [])]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise DataError(f"{self.path} has no column {missing[0]!r}, which the recipe names: it has {names}.")
        key_at = [names.index(name) for name in self.labels.on]
        label_at = names.index(self.labels.label) if self.labels.label else None
        family = self.truth.family_column
        family_at = names.index(family) if family in names else None
        found: dict[str, tuple[bool | None, str | None]] = {}
        for cells in rows:
            if len(cells) != len(names):
                continue  # a cut last line
            malicious = True if label_at is None else self._judge(cells[label_at])
            label = malicious, cells[family_at] if family_at is not None and malicious else None
            found.setdefault(_BETWEEN.join(cells[at].strip() for at in key_at), label)
        return found

    @cached_property
    def _last_column(self) -> list[str]:
        """The labels in order; a first line that is none of the recipe's labels, and stands nowhere else, is names."""
        values = [cells[-1].strip() for cells in _csv(self.path) if cells]
        known = {*self.truth.malicious, *self.truth.benign, *self.truth.unknown, *values[1:]}
        return values[1:] if values and values[0] not in known else values

    def _cells(self) -> tuple[list[str], Iterator[list[str]]]:
        rows = _csv(self.path)
        if not self.labels.header:
            return list(self.labels.columns), rows
        return [name.strip() for name in next(rows, [])], rows

    def _judge(self, value: str) -> bool | None:
        if value not in self._judged:
            self._judged[value] = judge(value.strip(), self.truth)
        return self._judged[value]


def find_truth(recipe: DatasetRecipe, files: Sequence[Path]) -> TruthBeside | None:
    """Return the truth that a recipe says lies beside the records or in their paths; None if it says neither.

    Raises
    ------
    DataError
        If the table of lines that the recipe names is none.
    """
    truth = recipe.truth
    if truth is None:
        return None
    if truth.labels is not None:
        return _beside(recipe, truth, truth.labels, files)
    if truth.path:
        return TruthByPath(truth)
    found = find_truth_file(recipe, list(files))
    if found is None and truth.file:
        return NoTruth((f"No ground truth ({truth.file}) is beside these files: nothing is judged by it.",))
    return found


def _beside(recipe: DatasetRecipe, truth: Truth, labels: Labels, files: Sequence[Path]) -> TruthByLabels:
    tables: dict[Path, Path] = {}
    warnings = []
    for file in files:
        match = re.fullmatch(labels.records, file.name)
        if match is None:
            continue
        name = match.expand(labels.file)
        found = next((path for folder in file.resolve().parents[:2] if (path := _named(folder, name))), None)
        if found is not None and found != file.resolve():
            tables[file.resolve()] = found
        elif found is None:
            warnings.append(f"No labels ({name}) are beside {file.name}: its events have no ground truth.")
    are_labels = set(tables.values())
    tables = {file: table for file, table in tables.items() if file not in are_labels}
    shape = recipe.table or (TableShape() if recipe.format == "table" else None)
    return TruthByLabels(truth, labels, tables, shape, tuple(warnings))


def _named(folder: Path, name: str) -> Path | None:
    """Return the file of this name in a folder, packed or not, in capitals or not."""
    wanted = {f"{name}{ending}".lower() for ending in _PACKED}
    return next((path for path in sorted(folder.iterdir()) if path.name.lower() in wanted and path.is_file()), None)


def _csv(path: Path) -> Iterator[list[str]]:
    data = b"".join(FileSource(path, path.name).chunks())
    try:
        text = decoded_by_hand(data)
    except UnicodeDecodeError:  # a label that is damaged costs itself
        text = data.decode("utf-8-sig", "replace")
    text, delimiter = dialect_by_hand(text)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _keys(events: pa.Table, labels: Labels) -> Iterator[list[str]]:
    """Yield the keys that each event may be listed under: one, several if a pattern finds several, or none."""
    columns = [_texts(events, name) for name in labels.on.values()]
    patterns = [re.compile(labels.find[name]) if name in labels.find else None for name in labels.on.values()]
    for values in zip(*columns, strict=True):
        keys = [""]
        for place, (value, pattern) in enumerate(zip(values, patterns, strict=True)):
            found = [] if value is None else [value] if pattern is None else [m[0] for m in pattern.finditer(value)]
            keys = [
                f"{key}{_BETWEEN}{one}" if place else one for key in keys for one in dict.fromkeys(found[:_MOST_FOUND])
            ]
        yield keys


def _texts(events: pa.Table, name: str) -> list[str | None]:
    """Return a column's values as they would be written: a time as seconds since 1970, a whole number without a point."""
    if name not in events.column_names:
        return [None] * len(events)
    column = events[name]
    if pa.types.is_timestamp(column.type):
        column = pc.divide(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), 1_000_000)
    values = column.to_pylist()
    if pa.types.is_floating(column.type):
        values = [int(value) if value is not None and float(value).is_integer() else value for value in values]
    return [None if value is None else str(value) for value in values]


def _others(truth: Truth) -> bool | None:
    return False if truth.others == "benign" else None
