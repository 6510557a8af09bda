"""A JSON document of columns and rows, as query services answer → which of its lists holds the rows, and a row's fields.

The names stand in one list of the document (`columns`, `fields`, `schema` …; texts, or objects with a name), the rows in
another, whatever that is called: lists of as many cells, BigQuery's `{"f": [{"v": …}]}`, Athena's
`{"Data": [{"VarCharValue": …}]}`. A row may name its cells itself (`[{"field": …, "value": …}]`). A file may also be rows
alone, one array or an array a line, of which the first holds the names, or whose values tell what they are. Blind to columns of which each is a list of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from socml.formats._envelope import first_records
from socml.formats._json import as_object, loads_exactly, text_of
from socml.formats._records import Skip
from socml.formats.table._table_lines import first_is_names
from socml.formats.table._table_unnamed import told_names

__all__ = ["DEEPEST_ROWS", "ROWS_OPEN", "Rows", "rows_of"]

DEEPEST_ROWS = 3  # objects that the rows may lie in
ROWS_OPEN = b"{["  # what a document with rows begins with
_FARTHEST = 65536  # bytes of a document that its rows begin within, and of a list of names
_NAMES = re.compile(
    rb'"(?:columns?|column_?names?|columninfo|cols|fields|schema|headers?|meta|names|rowtype)"\s{0,100}:\s{0,100}(?=\[)',
    re.IGNORECASE,
)
_ROWS = re.compile(
    rb'"(?P<name>[^"\\]{1,100})"\s{0,100}:\s{0,100}\[\s{0,100}(?:\[\s{0,100}(?!\[)|\{\s{0,100}"(?:f|c|Data)"\s{0,100}:\s{0,100}\[)'
)
_BARE_ARRAY = re.compile(rb"\[\s{0,100}\[")
_BARE = re.compile(rb'\[\s{0,100}(?:\[|(?:"[^"\n]{1,100}"|\d[\d.]{0,30})[^\n]{0,4000}\]\r?\n\[)')
_UNTOLD = re.compile(r"column_\d{1,4}")  # a column whose values do not tell what it is
_LEAST_TOLD = 2  # columns without names whose values must tell what they are, a time among them
_NEXT_OBJECT = re.compile(rb"\n\}[\s,]{0,100}\{")
_OF_COLUMN = ("name", "ColumnName", "columnName", "Name", "column_name", "field", "label")
_OF_CELL = {"field": "value", "name": "value", "Name": "Value"}  # of cells that say what they are
_WRAPS = (("f", "v"), ("c", "v"), ("Data", "VarCharValue"))


@dataclass(frozen=True)
class Rows:
    """The list of a document that holds its rows, and what the cells of its tables are called."""

    lists: tuple[str, ...]  # its name; none if the file is nothing but rows
    tables: tuple[tuple[str, ...], ...]

    def record(self, written: bytes) -> dict[str, object]:
        """Return the fields of a row, as it was written. Raises ValueError if it has more or fewer cells than names, Skip for the names themselves."""
        cells = _cells(loads_exactly(b'{"row":' + written + b"}")["row"])
        if named := _named(cells):
            return named
        names = next((names for names in self.tables if len(names) == len(cells)), None)
        if names is None:
            raise ValueError(f"a row of {len(cells)} cells, and no columns for as many")
        if list(names) == cells:
            raise Skip("names of the columns")
        found = dict(zip(names, cells, strict=True))
        untold = [cell for name, cell in found.items() if isinstance(cell, str) and _UNTOLD.fullmatch(name)]
        return found if "message" in found or not untold else {**found, "message": " ".join(untold)}

    def first(self, head: bytes, limit: int) -> list[dict[str, object]]:
        """Return the fields of the first rows that a document's head holds."""
        found: list[dict[str, object]] = []
        for written in _written(head, self.lists, limit):
            try:
                found.append(self.record(written))
            except (ValueError, Skip):
                continue
        return found


def rows_of(head: bytes) -> Rows | None:
    """Return where a document holds its rows; None if it is none of columns and rows.

    Examples
    --------
    >>> rows_of(b'{"columns":[{"name":"ts"},{"name":"user"}],"rows":[["2026-03-02","bob"]]}')
    Rows(lists=('rows',), tables=(('ts', 'user'),))
    >>> rows_of(b'{"columns":["a"],"box":[[1,2],[3,4]]}')
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _BARE.match(start):
        return _bare_rows(start)
    opening = _ROWS.search(start, 0, _FARTHEST) if start.startswith((b"{", b"[")) else None
    if opening is None or _is_of_many(start):
        return None
    tables = tuple(_tables(start))
    for rows in _ROWS.finditer(start, 0, _FARTHEST):
        found = Rows((rows["name"].decode("utf-8", "replace"),), tables)
        if found.first(head, 3):
            return found
    return None


def _written(head: bytes, lists: tuple[str, ...], limit: int) -> list[bytes]:
    """Return the first rows as they are written."""
    if not lists and not _BARE_ARRAY.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()):
        return [line for line in head.split(b"\n", limit)[:limit] if line.strip()]
    return first_records(head, *lists, limit=limit, deepest=DEEPEST_ROWS, opens=ROWS_OPEN)


def _bare_rows(start: bytes) -> Rows | None:
    written = _written(start, (), 10)
    try:
        rows = [_cells(loads_exactly(b'{"row":' + one + b"}")["row"]) for one in written]
    except ValueError:
        return None
    if len(rows) < 2:
        return None
    names = tuple(cell for cell in rows[0] if isinstance(cell, str) and cell)
    texts = [[str(cell) for cell in row] for row in rows]
    is_named = 1 < len(names) == len(set(names)) == len(rows[0]) and first_is_names(texts)
    return Rows((), (names,)) if is_named else _told_rows(rows)


def _told_rows(rows: list[list[object]]) -> Rows | None:
    """Return what rows without names hold, by their values; None if they tell no time."""
    if len({len(row) for row in rows}) > 1:
        return None
    columns = {
        f"column_{at}": pa.array([None if cell is None else text_of(cell) for cell in cells], pa.string())
        for at, cells in enumerate(zip(*rows, strict=True), 1)
    }
    told = {name: kind for name, kind in told_names(columns).items() if not kind.endswith(":")}
    is_log = not {"timestamp", "time"}.isdisjoint(told.values()) and len(told) >= _LEAST_TOLD
    return Rows((), (tuple(told.get(name, name) for name in columns),)) if is_log else None


def _is_of_many(start: bytes) -> bool:
    """Return whether a file holds objects one after the other, each of which is a record."""
    first, _, rest = start.partition(b"\n")
    return _NEXT_OBJECT.search(start) is not None or bool(as_object(first) and rest.strip())


def _tables(start: bytes) -> Iterator[tuple[str, ...]]:
    for opening in _NAMES.finditer(start):
        text = start[opening.end() : opening.end() + _FARTHEST].decode("utf-8", "replace")
        try:
            columns, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            continue
        names = tuple(_name_of(column) for column in columns)
        if len(names) > 1 and all(names) and len(set(names)) == len(names):
            yield names


def _name_of(column: object) -> str:
    named = [column[key] for key in _OF_COLUMN if key in column] if isinstance(column, dict) else [column]
    return named[0] if named and isinstance(named[0], str) else ""


def _cells(row: object) -> list[object]:
    for of_row, of_cell in _WRAPS:
        if isinstance(row, dict) and isinstance(row.get(of_row), list):
            return [cell.get(of_cell) if isinstance(cell, dict) else cell for cell in row[of_row]]
    if not isinstance(row, list):
        raise ValueError("no row of cells")
    return row


def _named(cells: list[object]) -> dict[str, object]:
    """Return the fields of cells that each say what they are; none if they do not."""
    found: dict[str, object] = {}
    for cell in cells:
        key = next((key for key in _OF_CELL if key in cell), "") if isinstance(cell, dict) else ""
        if not isinstance(cell, dict) or _OF_CELL.get(key) not in cell:
            return {}
        found[str(cell[key])] = cell[_OF_CELL[key]]
    return found
