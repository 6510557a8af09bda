"""Blocks of Zeek's JSON lines → events, column by column. Lines that are not plain are read by themselves, the careful way.

What a kernel does not read as the careful way does (lists, decimals that Python writes in another way, the fields of
lines that are not plain) is written as text behind the block, and then lies there like any other value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.formats._reader import Block, Parsed, ReadOptions, Reject
from socml.formats._span_records import SpanRecords
from socml.formats._zeek import event_columns, log_events, log_type
from socml.formats._zeek_cells import strings
from socml.formats._zeek_json_fields import Behind, SpanFields, Table
from socml.formats._zeek_json_lines import MEMBER, first_part, parsed_lines, read_line, zeek_text
from socml.formats._zeek_logs import SIGNATURES
from socml.kernels.json_columns import types
from socml.kernels.json_lines import Fields, fields_for, scan
from socml.kernels.json_names import Names
from socml.kernels.json_tables import name_bits, names_met, spans_of
from socml.kernels.json_texts import copies
from socml.kernels.json_values import NONE

__all__ = ["ZeekJsonBlocks"]

_PATH = "_path"
_TELLING = [_PATH, *sorted({name for _, names in SIGNATURES for name in names})]  # names that tell the type of a log
_BITS = {name: 1 << i for i, name in enumerate(_TELLING)}


@dataclass
class _Lines:
    """The lines of a block: `fields` of the plain ones, and what the careful way makes of the others."""

    fields: Fields
    paths: dict[str, list[NDArray[np.int64]]]  # the lines of each type of log, in parts
    odd: dict[int, dict[str, Any]] = field(default_factory=dict)  # the fields of a line that is not plain
    rejects: list[Reject] = field(default_factory=list)
    blank: int = 0


class ZeekJsonBlocks:
    """Reads the blocks of one file; what names it met in one it knows in the next."""

    def __init__(self, file_name: str, options: ReadOptions) -> None:
        self._file_name, self._options = file_name, options
        self._names, self._paths = Names([_PATH], loose=True), Names([])
        self._first: dict[str, int] = {}  # the lowest number of each name
        self._room = (-1, -1)  # bytes and lines of a block that there is room for

    def parse(self, block: Block) -> Iterator[Parsed]:
        """Yield the rejects and skips of a block, then the events of each type of log in it."""
        text = block.data if block.data.endswith(b"\n") else block.data + b"\n"
        lines = self._scanned(text)
        logs = None
        if 2 * np.count_nonzero(lines.fields.plain) >= len(lines.fields.plain):
            self._read_odd(text, lines, block.first_line)
            logs = self._tables(text, lines)
        if logs is None:
            yield from parsed_lines(block, self._file_name, self._options)
            return
        yield first_part(lines.rejects, lines.blank)
        tables, whole = logs
        for table, of_log in tables:
            yield self._events(table, of_log, lines.fields, whole, block.first_line)

    def _scanned(self, text: bytes) -> _Lines:
        """Return the fields of plain lines, and their types of log. A line that says it in an odd way is not plain."""
        count = text.count(b"\n")
        if len(text) > self._room[0] or count > self._room[1]:
            self._room = len(text) * 5 // 4, count * 5 // 4
            self._fields = fields_for(*self._room)
        data = np.frombuffer(text, np.uint8)
        fields, _ = scan(data, 0, self._names, self._fields)
        names = self._names.texts()
        for number in range(len(names)):
            self._first.setdefault(names[number], number)
        self._same = np.array([self._first[name] for name in names])
        bits = name_bits(fields, self._same, np.array([_BITS.get(name, 0) for name in names], np.uint64))
        said = types(data, fields._replace(plain=fields.plain.copy()), self._names.number(_PATH), self._paths)
        fields.plain[(said == NONE) & (bits & np.uint64(_BITS[_PATH]) != 0)] = False
        paths: dict[str, list[NDArray[np.int64]]] = {}
        for codes, are_these in ((said, said != NONE), (bits, said == NONE)):
            of_these = np.flatnonzero(are_these & fields.plain)
            for code in np.unique(codes[of_these]).tolist():
                path = self._paths.texts()[code] if codes is said else self._told(code)
                paths.setdefault(path, []).append(of_these[codes[of_these] == code])
        return _Lines(fields, paths)

    def _told(self, bits: int) -> str:
        return log_type({name for name, bit in _BITS.items() if bits & bit}, self._file_name)

    def _read_odd(self, text: bytes, lines: _Lines, first_line: int) -> None:
        """Read the lines that are not plain."""
        begins, stops = lines.fields.begins, lines.fields.stops
        for i in np.flatnonzero(~lines.fields.plain).tolist():
            line = text[begins[i] : stops[i]].lstrip(b"\r\0")
            begins[i] = stops[i] - len(line)
            line = line.rstrip(b"\r\0")
            stops[i] = begins[i] + len(line)
            if not line.strip():
                lines.blank += 1
                continue
            try:
                path, lines.odd[i] = read_line(line, self._file_name)
            except ValueError as error:
                lines.rejects.append(Reject(first_line + i, str(error), line))
                continue
            lines.paths.setdefault(path, []).append(np.array([i]))

    def _tables(self, text: bytes, lines: _Lines) -> tuple[list[tuple[Table, NDArray[np.int64]]], bytes] | None:
        """Return the values of each type of log with its lines, and the bytes they lie in; None if there is no room."""
        found: list[tuple[Table, NDArray[np.int64]]] = []
        behind = Behind(text)
        size = 0
        for path, parts in sorted(lines.paths.items(), key=lambda item: min(int(part[0]) for part in item[1])):
            of_log = parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
            names = self._names_met(lines, of_log)
            size += len(names) * len(of_log)
            if size > len(text):  # few values in many columns would fill the memory
                return None
            table = self._table(path, names, lines, of_log, behind)
            table.settle(text, behind)
            found.append((table, of_log))
        return found, behind.whole()

    def _names_met(self, lines: _Lines, of_log: NDArray[np.int64]) -> dict[str, int]:
        """Return the names of some lines, numbered in the order in which they are met."""
        texts = self._names.texts()
        plain = of_log[lines.fields.plain[of_log]]
        numbers, at = names_met(lines.fields, plain, self._same)
        met = [texts[number] for number in numbers.tolist()]
        if len(plain) < len(of_log):
            first = {name: (line, i) for i, (name, line) in enumerate(zip(met, plain[at].tolist(), strict=True))}
            for line in of_log[~lines.fields.plain[of_log]].tolist():
                for i, name in enumerate(lines.odd[line]):
                    first[name] = min(first.get(name, (line, i)), (line, i))
            met = sorted(first, key=first.__getitem__)
        return {name: i for i, name in enumerate(name for name in met if name != _PATH)}

    def _table(
        self, path: str, names: dict[str, int], lines: _Lines, of_log: NDArray[np.int64], behind: Behind
    ) -> Table:
        is_plain = lines.fields.plain[of_log]
        columns = np.array([names.get(name, NONE) for name in self._names.texts()])
        shape, places = (len(names), len(of_log)), np.flatnonzero(is_plain)
        table = Table(path, names, spans_of(lines.fields, of_log[places], columns, shape, places, behind.words))
        cells = [
            (name, place, text)
            for place in np.flatnonzero(~is_plain).tolist()
            for name, value in lines.odd[int(of_log[place])].items()
            if (text := zeek_text(name, value)) is not None
        ]
        if cells:
            table.put(cells, behind)
        return table

    def _events(self, table: Table, of_log: NDArray[np.int64], fields: Fields, whole: bytes, first_line: int) -> Parsed:
        found = SpanFields(table, whole)
        begins, stops = fields.begins[of_log], fields.stops[of_log]
        columns, bad = event_columns(table.path, found, MEMBER)
        columns["raw"] = strings(*copies(np.frombuffer(whole, np.uint8), begins, stops))
        columns["source_line"] = pa.array(of_log + first_line)
        return log_events(columns, bad, SpanRecords(whole, begins, stops), found, self._options)
