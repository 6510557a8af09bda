"""Lines of JSON → the values of their fields, by one SELECT of `json_extract` with a list of paths for each kind of record.

Which fields a kind of record has is learned from lines that were read the careful way. A line is *plain* if the fields
that were taken account for every byte of it: DuckDB writes a value again without blanks and needless escapes, so what
is not accounted for (a field unknown so far, a key given twice, a trailing comma) makes the line longer than its
values, and nothing makes it shorter but an exponent, which is looked for. Texts with escapes are not plain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._cuts import bytes_of
from socml.formats._json import loads_exactly, text_of
from socml.formats._select_lines import Cells, Lines, Rows, selected

if TYPE_CHECKING:
    import duckdb

__all__ = ["BOOL", "DECIMAL", "LIST", "NONE", "TEXT", "WHOLE", "JsonLines", "Kinds", "is_usual_name"]

NONE, TEXT, WHOLE, DECIMAL, BOOL, LIST, OTHER = range(7)  # what a value is; OTHER is never plain
_BY_FIRST_BYTE = np.full(256, OTHER, np.uint8)
_BY_FIRST_BYTE[ord('"')], _BY_FIRST_BYTE[ord("[")] = TEXT, LIST
_BY_FIRST_BYTE[[ord(digit) for digit in "-0123456789"]] = WHOLE
_BY_FIRST_BYTE[[ord("t"), ord("f")]] = BOOL
_MOST_KINDS, _MOST_FIELDS, _LONGEST_NAME = 32, 400, 100  # what is learned of one file: a bound on time and memory
_SIMPLE_LIST = r'^\[(?:"[^"]*"(?:,"[^"]*")*|-?[0-9]{1,18}(?:,-?[0-9]{1,18})*)?\]$'
_LEAST, _MOST = 1e-6, 1e15  # between them DuckDB writes a decimal without an exponent, digit by digit
_TINY = "0.0000"  # what Python writes with an exponent
_EXPONENT = r"[:,\[][ \t]*-?[0-9.]+[eE][-+0-9]"
_FLAT = 50  # brackets of a list that is not nested too deep
_AS_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as `text_of` writes a list
Path = tuple[str, ...]


@dataclass
class _Kind:
    """Records that hold `hint`, and the fields that they were seen to have, by their dotted names."""

    hint: str
    paths: dict[str, Path] = field(default_factory=dict)
    known: set[Path] = field(default_factory=set)
    count: int = 0

    def learn(self, found: Mapping[str, object], path: Path = ()) -> None:
        for key, value in found.items():
            here = (*path, key)
            if isinstance(value, dict):
                if is_usual_name(key):
                    self.learn(value, here)
            elif here not in self.known and is_usual_name(key) and len(self.paths) < _MOST_FIELDS:
                self.known.add(here)
                self.paths.setdefault(".".join(here), here)


def is_usual_name(key: str) -> bool:
    """Return whether a key is one that a path of DuckDB can name, and of usual length."""
    return 0 < len(key) <= _LONGEST_NAME and key.isprintable() and not {'"', "\\", "*"}.intersection(key)


@dataclass
class JsonLines:
    """The plain lines of one kind of record. `rows` says which lines of the block they are.

    Attributes
    ----------
    cells : values by line and field: texts without their quotes, numbers and lists as JSON
    kinds : what each value is, shape (rows, fields): NONE, TEXT, WHOLE, …
    """

    hint: str
    names: list[str]
    rows: Rows
    cells: Cells
    kinds: NDArray[np.uint8]

    def only(self, keep: NDArray[np.bool_]) -> JsonLines:
        """Return some of the lines."""
        if keep.all():
            return self
        values = self.cells.values.filter(pa.array(np.repeat(keep, self.cells.width)))
        return JsonLines(self.hint, self.names, self.rows[keep], Cells(values, self.cells.width), self.kinds[keep])

    def column(self, name: str) -> pa.Array | None:
        """Return a field as text, null where it is absent; None if no line has it."""
        at = self.names.index(name) if name in self.names else -1
        return self.cells.column(at) if at >= 0 and self.kinds[:, at].any() else None

    def kind(self, name: str) -> NDArray[np.uint8]:
        """Return what the values of a field are."""
        return self.kinds[:, self.names.index(name)] if name in self.names else np.zeros(len(self.rows), np.uint8)


class Kinds:
    """The kinds of record that one file was seen to hold."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def learn(self, hint: str, found: Mapping[str, object]) -> None:
        """Learn the fields of one record. `hint` is a piece of JSON that its kind holds, such as `"event_type":"dns"`."""
        if hint not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            return
        kind = self._kinds.setdefault(hint, _Kind(hint))
        kind.count += 1
        kind.learn(found)

    def read(self, connection: duckdb.DuckDBPyConnection, lines: Lines) -> Iterator[JsonLines]:
        """Yield the plain lines of each kind; those that are in none are for the careful reader."""
        kinds = sorted((kind for kind in self._kinds.values() if kind.paths), key=lambda kind: -kind.count)
        if not kinds:
            return
        table = lines.table()
        found = selected(connection, *_select(kinds, table))
        if not len(found):  # each line is for the careful reader
            return
        texts = table["line"].chunk(0)
        rows, lengths = np.asarray(found["row"]), _lengths(texts)
        free = np.ones(len(rows), bool)
        for number, kind in enumerate(kinds):
            cells = found[f"cells{number}"].chunk(0)
            these = np.flatnonzero(cells.is_valid())
            if len(these):
                plain = _plain(kind, cells, these, lengths[these], texts)
                plain = plain.only(free[plain.rows])  # a line may hold the hints of two kinds
                free[plain.rows] = False
                plain.rows = rows[plain.rows]
                if len(plain.rows):
                    yield plain


def _select(kinds: Sequence[_Kind], table: pa.Table) -> tuple[str, pa.Table, dict[str, object]]:
    """Return the SELECT for these kinds, its table and parameters: hints and paths are never part of the SQL."""
    values: dict[str, object] = {}
    columns = []
    for i, kind in enumerate(kinds):
        values[f"hint{i}"] = kind.hint
        values[f"paths{i}"] = ["$" + "".join(f'."{key}"' for key in path) for path in kind.paths.values()]
        columns.append(
            f"case when contains(line, $hint{i}) then try(json_extract(line, $paths{i})) end::varchar[] as cells{i}"
        )
    return f"select row, {', '.join(columns)} from lines", table, values  # noqa: S608


def _plain(kind: _Kind, cells: pa.ListArray, these: Rows, lengths: NDArray[np.integer], lines: pa.Array) -> JsonLines:
    """Return the plain lines of one kind; `these` are its rows."""
    names, width = list(kind.paths), len(kind.paths)
    values = cells.flatten()
    found = JsonLines(kind.hint, names, these, Cells(values, width), _what_they_are(values, len(these), width))
    plain = _accounted_for(kind, found, values) == lengths
    plain &= (found.kinds != OTHER).all(axis=1)
    plain[np.unique(_with_escapes(values) // width)] = False
    found = _with_settled(found.only(plain), lines)
    return JsonLines(found.hint, names, found.rows, Cells(_unquoted(found), width), found.kinds)


def _lengths(lines: pa.Array) -> NDArray[np.integer]:
    """Return the bytes of each line, a slash that is written \\/ counting as one."""
    lengths = np.diff(bytes_of(lines)[1])
    escaped = np.unique(_with_escapes(lines))
    if len(escaped):
        texts = lines.take(pa.array(escaped))
        slashes = np.asarray(pc.count_substring(texts, "\\/"))
        only_slashes = np.asarray(pc.count_substring(texts, "\\")) == slashes
        lengths[escaped] = np.where(only_slashes, lengths[escaped] - slashes, -1)
    return lengths


def _what_they_are(values: pa.Array, rows: int, width: int) -> NDArray[np.uint8]:
    data, offsets = bytes_of(values)
    if not len(data):
        return np.zeros((rows, width), np.uint8)
    kinds = _BY_FIRST_BYTE[data[np.minimum(offsets[:-1], len(data) - 1)]]
    kinds[offsets[1:] == offsets[:-1]] = NONE
    kinds = kinds.reshape(rows, width)
    for at in np.flatnonzero((kinds == WHOLE).any(axis=0)).tolist():
        numbers = np.flatnonzero(kinds[:, at] == WHOLE)
        kinds[numbers, at] = _kinds_of_numbers(values.take(pa.array(numbers * width + at)))
    return kinds


def _kinds_of_numbers(numbers: pa.Array) -> NDArray[np.uint8] | int:
    try:
        numbers.cast(pa.int64())
    except pa.ArrowInvalid:
        sizes = np.abs(np.asarray(numbers.cast(pa.float64())))
        kinds = np.where((sizes == 0) | ((sizes >= _LEAST) & (sizes < _MOST)), DECIMAL, OTHER).astype(np.uint8)
        others = np.flatnonzero(~np.asarray(pc.match_substring(numbers, ".")))
        whole = pc.match_substring_regex(numbers.take(pa.array(others)), "^-?[0-9]+$")
        kinds[others] = np.where(whole, WHOLE, OTHER)
        return kinds
    return WHOLE


def _accounted_for(kind: _Kind, found: JsonLines, values: pa.Array) -> NDArray[np.integer]:
    """Return how many bytes of each line are its values, its keys, and the braces and commas between them."""
    present, paths = found.cells.present(), list(kind.paths.values())
    _, offsets = bytes_of(values)
    size = offsets[found.cells.width :: found.cells.width] - offsets[: -1 : found.cells.width] + 1
    size = size + present @ np.array([len(path[-1].encode()) + 4 for path in paths])
    for above in {path[:depth] for path in paths for depth in range(1, len(path))}:
        inside = present[:, [path[: len(above)] == above for path in paths]].any(axis=1)
        size += inside * (len(above[-1].encode()) + 5)
    return np.asarray(size)


def _with_settled(found: JsonLines, lines: pa.Array) -> JsonLines:
    """Return the lines without exponents; tiny decimals and lists are written as the careful reader does."""
    keep = np.ones(len(found.rows), bool)
    width, kinds, values = found.cells.width, found.kinds.ravel(), found.cells.values
    decimals = np.flatnonzero(kinds == DECIMAL)
    if len(decimals):
        keep &= ~np.isin(found.rows, _with_exponents(lines))
        texts = values.take(pa.array(decimals))
        tiny = decimals[np.asarray(pc.starts_with(pc.utf8_ltrim(texts, "-"), _TINY))]
        values = _with_written(values, tiny, lambda text: repr(float(text)))
    lists = np.flatnonzero(kinds == LIST)
    if len(lists):
        texts = values.take(pa.array(lists))
        values = _with_written(values, lists[~np.asarray(pc.match_substring_regex(texts, _SIMPLE_LIST))], _written)
        keep[lists[~np.asarray(values.take(pa.array(lists)).is_valid())] // width] = False
    return JsonLines(found.hint, found.names, found.rows, Cells(values, width), found.kinds).only(keep)


def _with_written(values: pa.Array, at: Rows, write: Callable[[str], str | None]) -> pa.Array:
    """Return the values, some of them written otherwise."""
    if not len(at):
        return values
    mask = np.zeros(len(values), bool)
    mask[at] = True
    written = pa.array([write(text) for text in values.take(pa.array(at)).to_pylist()], pa.string())
    return pc.replace_with_mask(values, pa.array(mask), written)


def _with_exponents(lines: pa.Array) -> Rows:
    """Return which lines hold a number with an exponent, or a text that looks like one."""
    data, offsets = bytes_of(lines)
    after_digits = (data[:-1] - np.uint8(ord("."))) <= ord("9") - ord(".")
    after_digits &= (data[1:] | np.uint8(0x20)) == ord("e")
    rows = np.unique(_row_of(np.flatnonzero(after_digits), offsets))
    has_one = np.asarray(pc.match_substring_regex(lines.take(pa.array(rows)), _EXPONENT))
    return rows[np.flatnonzero(has_one)]


def _written(text: str) -> str | None:
    """Return a list as the careful reader writes it; None if that would refuse it."""
    try:
        if text.count("[") + text.count("{") < _FLAT and _AS_TEXT(orjson.loads(text)) == text:
            return text  # the usual case: nothing is given twice, and no number is too long
        return text_of(loads_exactly(f'{{"":{text}}}'.encode())[""])
    except ValueError:
        return None


def _unquoted(found: JsonLines) -> pa.Array:
    """Return the values with texts as they are: without their quotes."""
    values = found.cells.values
    data, offsets = bytes_of(values)
    texts = np.flatnonzero(found.kinds.ravel() == TEXT)
    keep = np.ones(len(data), bool)
    keep[offsets[texts]] = keep[offsets[texts + 1] - 1] = False
    shorter = np.zeros(len(offsets), offsets.dtype)
    shorter[texts + 1] = 2
    moved = (offsets - np.cumsum(shorter, dtype=offsets.dtype)).astype(np.int32)
    bits = pa.py_buffer(np.packbits(np.asarray(values.is_valid()), bitorder="little"))
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(moved), pa.py_buffer(data[keep]), bits)


def _with_escapes(values: pa.Array) -> Rows:
    data, offsets = bytes_of(values)
    return _row_of(np.flatnonzero(data == ord("\\")), offsets)


def _row_of(places: Rows, offsets: NDArray[np.int32]) -> Rows:
    return np.searchsorted(offsets, places, side="right") - 1
