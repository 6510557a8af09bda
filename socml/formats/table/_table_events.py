"""The rows of a table that is a log → event columns, beside the table's own: by what tools usually call things.

A table is a log if its first rows have a time that reads (or one without a date) and something else that an event has, and most of its columns
are words. Then `time`, addresses, user, message and the rest are filled as for JSON of a tool that nobody knows; the table's
own columns stay as they are. A recipe with `[table]` or `[truth]` says itself what is what, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._field_names import flat_fields, guess, is_translated
from socml.formats._guess import fields_of_columns, guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import as_object
from socml.formats._reader import Assumption, ReadOptions, Source
from socml.formats._records import arrays_of
from socml.formats._stamps import settle_day_order
from socml.formats._times import Clock, clock_of
from socml.formats.table._table_windows import is_in_other_language, windows_names, windows_row

__all__ = ["TableLog", "log_of"]

_SAMPLE = 200  # rows
_MOST_NUMBERS = 0.5  # share of the columns that may be numbers
_TELLING = (
    "source_ip", "destination_ip", "user_name", "host_name", "message", "event_action", "url_original", "process_name",
)  # fmt: skip
_OF_FLOW = frozenset({"time", "source_ip", "destination_ip"})  # tables of flows are numbers for the most part
# Of which a table without a time must tell three, as `tasklist` does
_OF_STATE = frozenset({"user_name", "host_name", "process_name", "process_pid", "source_ip", "destination_ip"})
_LEAST_OF_STATE = 3
_MOST_OF_FLOW = 30  # columns; of more, it is a table of features
_CLOCK = re.compile(
    r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: [AP]M)?|\d{1,7}\.\d{6,9}"
)  # of the day, or since a capture began
_TIMED, _KNOWN = 0.8, 0.5  # shares of the sample that must have a time, and one of the above


@dataclass
class TableLog:
    """How the rows of a table become events. `fields`: the table's columns that may fill an event's."""

    fields: tuple[str, ...]
    clock: Clock
    found: dict[str, str]  # event column → the field that fills it most often
    told: Mapping[str, str]  # columns without names → what their values told them to be
    windows: Mapping[str, str] = field(
        default_factory=dict
    )  # field → its name in an event's XML, where rows are Windows events

    def note(self) -> str:
        """Return what was taken for what, for the reader to check."""
        written = {kind.rstrip(":"): name for name, kind in self.told.items()}
        taken = ", ".join(f"{column} from {written.get(name, name)!r}" for column, name in self.found.items())
        dateless = "" if "time" in self.found else " It tells no date: its events have no time."
        text = f"Read as a log: {taken}.{dateless} Set [table.rename] in the dataset's recipe if that is wrong."
        return Assumption("columns", text)

    def settle(self, cells: Mapping[str, pa.Array]) -> None:
        """Look at a block of rows for what shows whether dates say the day first."""
        cells = _renamed(cells, self.told)
        if self.clock.day_first is None and "time" in self.found:
            field = self.found["time"]  # a column, or a field of the object in one
            texts = (row.get(field) for row in _rows(cells, self.fields))
            settle_day_order((f"{text} " for text in texts if text), self.clock)

    def columns(self, cells: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Return the event columns of a block of rows; what does not fit a column leaves it empty."""
        cells = _renamed(cells, self.told)
        objects = _objects(cells, self.fields)
        return arrays_of([self._row(*both) for both in zip(_rows(cells, self.fields), objects, strict=True)])

    def _row(self, found: Mapping[str, object], inner: str) -> dict[str, object]:
        row, _ = guessed_row(found, self.clock)
        row["extra"] = {}  # the table's own columns keep all
        if self.windows and (event := windows_row(found, self.windows, self.clock)):
            return row | event
        return with_inner(row, inner or row.get("message"), self.clock)


def log_of(
    cells: Mapping[str, pa.Array],
    numeric: int,
    source: Source,
    options: ReadOptions,
    told: Mapping[str, str],
) -> TableLog | None:
    """Return how the rows of a table become events, by its first rows; None if it is no log.

    Parameters
    ----------
    numeric : how many of its columns are numbers
    told : what the values of columns without names told them to be
    """
    if options.table is not None or options.truth is not None or options.time_format:
        return None
    cells = _renamed(cells, told)
    guessed = guess(tuple(cells))
    columns = guessed.columns
    is_flow = len(cells) <= _MOST_OF_FLOW and columns.keys() >= _OF_FLOW
    if numeric > max(3, _MOST_NUMBERS * len(cells)) and not is_flow:
        return None
    is_state = len(columns.keys() & _OF_STATE) >= _LEAST_OF_STATE
    if "time" not in columns and not is_state:
        return None
    nested = [name for name in cells if _holds_objects(cells[name])]
    windows = windows_names(list(_rows({name: cells[name].slice(0, _SAMPLE) for name in cells}, list(cells))))
    fields = (
        tuple(cells)
        if windows
        else tuple(
            dict.fromkeys([*(name for several in columns.values() for name, _ in several), *guessed.requests, *nested])
        )
    )
    sample = list(_rows({name: cells[name].slice(0, _SAMPLE) for name in fields}, fields))
    rows = [guessed_row(row, Clock(None, 2000, None))[0] for row in sample]
    timed = sum(row.get("time") is not None for row in rows)
    known = sum(any(row.get(name) is not None for name in _TELLING) for row in rows)
    is_dateless = not timed and (is_state or all(_tells_clock(row.get(columns["time"][0][0])) for row in sample))
    if not rows or (timed < _TIMED * len(rows) and not is_dateless) or (known < _KNOWN * len(rows) and not windows):
        return None
    taken = fields_of_columns(sample, Clock(None, 2000, None))
    clock = clock_of(source, options)
    texts = (row.get(name) for row in sample for name, own in windows.items() if own == "Message")
    clock.is_translated = is_translated(cells) or is_in_other_language(texts)
    return TableLog(fields, clock, {column: several[0] for column, several in taken.items()}, told, windows)


def _tells_clock(value: object) -> bool:
    return isinstance(value, str) and _CLOCK.fullmatch(value) is not None


def _renamed(cells: Mapping[str, pa.Array], told: Mapping[str, str]) -> Mapping[str, pa.Array]:
    """Return columns under the names that their values told; without the name that stands in each cell."""
    if not told:
        return cells
    columns: dict[str, pa.Array] = {}
    for name, values in cells.items():
        kind = told.get(name, name)
        is_front = kind.endswith(":") and name in told
        columns[kind.rstrip(":")] = (
            pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(values, len(kind))) if is_front else values
        )
    return columns


def _objects(cells: Mapping[str, pa.Array], fields: Sequence[str]) -> Iterable[str]:
    """Yield the first cell of each row that is a JSON object, a record of its own; empty where there is none."""
    for values in zip(*(cells[name].to_pylist() for name in fields), strict=True):
        yield next((value for value in values if value and value.startswith("{")), "")


def _rows(cells: Mapping[str, pa.Array], fields: Sequence[str]) -> Iterable[dict[str, object]]:
    """Yield rows as name → text, without what is missing; a cell that is a JSON object as its fields."""
    for values in zip(*(cells[name].to_pylist() for name in fields), strict=True):
        row: dict[str, object] = {n: value for n, value in zip(fields, values, strict=True) if value is not None}
        for name, value in list(row.items()):
            text = str(value)
            if text.startswith("{") and (inside := as_object(text.encode())):
                del row[name]
                row |= {inner: found for inner, found in flat_fields(inside).items() if inner not in row}
        yield row


def _holds_objects(cells: pa.Array) -> bool:
    """Return whether the first cells of a column are JSON objects."""
    first = [text for text in cells.slice(0, _SAMPLE).to_pylist() if text]
    return bool(first) and all(text.startswith("{") and text.endswith("}") for text in first)
