"""A map in TOML → the reader of the format that it describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from socml.formats._continued import Continued, continued, no_comments
from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._envelope import first_objects, members
from socml.formats._field_names import flat_fields
from socml.formats._inner import with_inner
from socml.formats._json import flatten, loads_exactly
from socml.formats._json_rows import DEEPEST_ROWS, ROWS_OPEN, rows_of
from socml.formats._maps import FormatMap
from socml.formats._old_encodings import head_of
from socml.formats._pairs import pairs_of
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, clocked, line_records
from socml.formats._spellings import respelled
from socml.formats._times import Clock

__all__ = ["MapReader"]

_HEAD_LINES = 60  # that a sniff of text looks at
_SURE = 0.96
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});")


class MapReader:
    """The format that a map describes."""

    def __init__(self, format_map: FormatMap) -> None:
        self.map = format_map
        self.name, self.about, self.specification = format_map.name, format_map.about, format_map.specification
        self.examples: tuple[str | bytes, ...] = format_map.examples
        self.one_a_line = format_map.kind in ("key-values", "text")
        self.may_span_lines = format_map.kind == "blocks"

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first records that have the fields which tell the format."""
        if self.map.kind == "blocks":
            return self._sniff_blocks(head)
        if self.map.pattern is not None:
            lines = [line for line in head_lines(head, _HEAD_LINES, stripped=b"\r\0") if not self._is_skipped(line)]
            if not any(map(self._tells, lines)):
                return 0.0
            return _SURE * sum(map(self._matches, lines[:20])) / len(lines[:20])
        found = [self.map.is_of(names) for names in self._names(head)]
        return _SURE * sum(found) / len(found) if found else 0.0

    def _names(self, head: bytes) -> list[set[str]]:
        if self.map.kind == "csv":
            return [set(csv_head(head))]
        if self.map.kind == "key-values":
            return [set(pairs_of(line.decode("utf-8", "replace"))[1]) for line in head_lines(head, 20)]
        if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
            return []
        rows = rows_of(head)
        objects = rows.first(head, 10) if rows else first_objects(head, *self.map.lists, limit=10)
        return [
            {*one, *flatten(one), *flat_fields(one)} for one in (respelled(one, self.map.spellings) for one in objects)
        ]

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        if self.map.kind == "csv":
            held: list[Clock] = []
            by_name = rows_by_name(lambda found: self.map.row(found, held[0]), self.map.names)

            def cells(record: bytes, clock: Clock) -> dict[str, object]:
                held[:] = [clock]
                return by_name(record)

            return clocked(csv_records(source), cells, source, options)
        if self.map.kind == "key-values":
            return clocked(line_records(source), self._pairs, source, options)
        if self.map.kind == "text":
            return clocked(line_records(source), self._line, source, options)
        if self.map.kind == "blocks":
            return clocked(
                continued(line_records(source), self._begins, is_comment=no_comments), self._block, source, options
            )
        if rows := rows_of(head_of(source)):
            found = members(source, *rows.lists, deepest=DEEPEST_ROWS, opens=ROWS_OPEN)
            return clocked(found, lambda row, clock: self.map.row_of(rows.record(row), clock), source, options)
        return clocked(members(source, *self.map.lists), self._object, source, options)

    def _matches(self, line: bytes) -> bool:
        return self.map.pattern is not None and self.map.pattern.match(line.decode("utf-8", "replace")) is not None

    def _tells(self, line: bytes) -> bool:
        """Return whether a line has what tells the format: a pattern may also take lines that any tool may write."""
        found = self.map.pattern.match(line.decode("utf-8", "replace")) if self.map.pattern else None
        return found is not None and self.map.is_of({name for name, text in found.groupdict().items() if text})

    def _is_skipped(self, line: bytes) -> bool:
        return line.startswith(b"#") if self.map.skips is None else self._skips(line)

    def _skips(self, line: bytes) -> bool:
        return self.map.skips is not None and self.map.skips.match(line.decode("utf-8", "replace")) is not None

    def _begins(self, line: bytes) -> bool:
        return self._matches(line) or self._skips(line)

    def _sniff_blocks(self, head: bytes) -> float:
        """As sure as the share of whole records that have what tells the format; the last may be cut."""
        lines = [(0, line) for line in head_lines(head, 400, stripped=b"\r\0") if not self._skips(line)]
        if not lines or not self._matches(lines[0][1]):
            return 0.0
        records = [
            record
            for _, record in continued(lines, self._matches, is_comment=no_comments)
            if not isinstance(record, Continued)
        ]
        whole = records[:-1] or records
        told = [self.map.patterns[0].search(record.decode("utf-8", "replace")) is not None for record in whole]
        return _SURE * sum(told) / len(told)

    def _block(self, record: bytes, clock: Clock) -> dict[str, object]:
        if self._skips(record[:1000]):
            raise Skip("not a record")
        if not self._matches(record):
            raise ValueError(f"not a record of {self.name}: it does not begin as one")
        text = record.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        found: dict[str, str] = {}
        for pattern in self.map.patterns:
            if match := pattern.search(text):
                found |= {n: t for n, t in match.groupdict().items() if n not in found and t not in (None, "", "-")}
        if text.startswith("<"):  # of XML
            found = {name: _ENTITY.sub(lambda one: unescape(one[0]), value) for name, value in found.items()}
        return self.map.row(found, clock)

    def _line(self, line: bytes, clock: Clock) -> dict[str, object]:
        if self._is_skipped(line):
            raise Skip("comment" if line.startswith(b"#") else "not a record")
        found = self.map.pattern.match(line.decode("utf-8", "backslashreplace")) if self.map.pattern else None
        if found is None:
            raise ValueError(f"not a line of {self.name}: its pattern does not match")
        row = self.map.row(
            {name: text for name, text in found.groupdict().items() if text not in (None, "", "-")}, clock
        )
        return with_inner(row, row.get("message"), clock)

    def _object(self, record: bytes, clock: Clock) -> dict[str, object]:
        return self.map.row_of(loads_exactly(record), clock)

    def _pairs(self, line: bytes, clock: Clock) -> dict[str, object]:
        if line.startswith(b"#"):
            raise Skip("comment")
        found = pairs_of(line.decode("utf-8", "backslashreplace"))[1]
        if not found:
            raise ValueError("no key=value in the line")
        return self.map.row(found, clock)
