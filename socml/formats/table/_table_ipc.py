"""An Arrow IPC file (Feather since version 2) → its rows as lines of JSON, for the readers of records.

The messages are read in the order in which they are written, and each is judged by what it says of itself before it is
decoded: a few bytes may unpack to gigabytes, and a column of nulls takes none. Feather's first version is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from socml.formats.table._table_columns import check_header, check_width
from socml.formats.table._table_parquet import RowLines, check_depth, check_names_within, json_lines, small_parts
from socml.project import FormatError

__all__ = ["ARROW", "arrow_lines"]

ARROW = b"ARROW1"
_NOT_READ = (
    pa.types.is_union, pa.types.is_run_end_encoded, pa.types.is_interval, pa.types.is_string_view, pa.types.is_binary_view,
    pa.types.is_list_view, pa.types.is_large_list_view,
)  # fmt: skip
_START = 8  # bytes of the mark and what fills it up
_GOES_ON = 0xFFFFFFFF  # before the length of each message
_HEAD_LIMIT = 1 << 26  # bytes of what a message says of itself
_UNPACKED_LIMIT = 1 << 30  # bytes of one batch of rows
_MOST_VALUES = 1 << 24  # of a column, and within the lists of one, in one batch
_DAMAGE = (pa.ArrowException, OSError, KeyError, UnicodeDecodeError, struct.error)
_ROWS_AT_ONCE = 2000
_HEADER, _BODY_LENGTH = 2, 3  # fields of a message
_NODES, _BUFFERS, _COMPRESSION = 1, 2, 3  # fields of a batch of rows
_DICTIONARY, _ROWS = 2, 3  # kinds of message


def arrow_lines(path: Path, where: str) -> Iterator[RowLines]:
    """Yield a file's rows as JSON, one a line, without what is null. What is before damage is read.

    Raises
    ------
    FormatError
        If it is none, or says that it holds more than is read.
    """
    size = path.stat().st_size
    try:
        with pa.OSFile(str(path)) as file, path.open("rb") as again:
            claims = _Claims(again, size, where)
            file.seek(_START)
            reader = pa.ipc.open_stream(file)
            _check_schema(reader.schema, where)
            yield from _lines(reader, claims, where)
    except _DAMAGE as error:
        raise FormatError(f"{where} is an Arrow file that cannot be read: {_told(error)}") from error


def _lines(reader: pa.ipc.RecordBatchStreamReader, claims: _Claims, where: str) -> Iterator[RowLines]:
    done = 0
    while True:
        try:
            claims.check_next()
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except _DAMAGE as error:
            yield RowLines(b"", 1.0, f"row {done + 1:,} cannot be read, nor what is after it ({_told(error)})")
            return
        done += len(batch)
        try:
            batch.validate(full=True)
            plain = pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=batch.schema.names)
        except _DAMAGE as error:
            first = done - len(batch) + 1
            yield RowLines(
                b"", claims.share, f"row {first:,} cannot be read, and {len(batch) - 1:,} after it ({_told(error)})"
            )
            continue
        for part in small_parts(plain, where):
            for start in range(0, len(part), _ROWS_AT_ONCE):
                yield RowLines(json_lines(part.slice(start, _ROWS_AT_ONCE)), claims.share)


def _told(error: Exception) -> str:
    return " ".join(str(error).split())


def _plain(column: pa.Array) -> pa.Array:
    """Return a column whose dictionary, if it has one, holds texts."""
    is_coded = pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type)
    return column.dictionary_decode() if is_coded else column


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_it(kind)
        for is_it in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _check_schema(schema: pa.Schema, where: str) -> None:
    check_width(len(schema), where)
    check_header(schema.names, where)
    for column in schema:
        _check_kind(column.type, 0, column.name, where)
        check_names_within(column.type, where)


def _check_kind(kind: pa.DataType, depth: int, name: str, where: str) -> None:
    """Refuse what lies too deep, and kinds of columns in which a few bytes stand for many values."""
    check_depth(depth, where)
    if any(is_it(kind) for is_it in _NOT_READ) or (
        pa.types.is_dictionary(kind) and (depth or pa.types.is_nested(kind.value_type))
    ):
        raise FormatError(
            f"{where}: column {name[:80]!r} is {str(kind)[:80]}, which is not read. Write it as plain values."
        )
    for number in range(kind.num_fields):
        _check_kind(kind.field(number).type, depth + 1, name, where)


@dataclass
class _Claims:
    """What the messages say of themselves, one after the other: how many values they hold, and what they unpack to."""

    file: BinaryIO
    size: int
    where: str
    at: int = _START

    @property
    def share(self) -> float:
        """How much of the file the messages so far are."""
        return min(self.at / max(self.size, 1), 1.0)

    def check_next(self) -> None:
        """Look at the messages up to the next batch of rows. Raises FormatError if one claims too much."""
        kind = 0
        while kind != _ROWS:
            self.file.seek(self.at)
            mark, length = struct.unpack("<Ii", self.file.read(8))
            if mark == 0 or (mark == _GOES_ON and length == 0):
                return
            if mark != _GOES_ON or not 0 < length <= min(_HEAD_LIMIT, self.size):
                raise FormatError(
                    f"{self.where} is an Arrow file of before 2019, or a message in it says that it has {length:,} bytes."
                )
            head = _Flat(self.file.read(length))
            body, kind = self.at + 8 + length, head.byte(head.root, 1)
            if kind in (_DICTIONARY, _ROWS):
                self._check(head, head.table(head.root, _HEADER, 1 if kind == _DICTIONARY else None), body)
            self.at = body + head.number(head.root, _BODY_LENGTH)
            if self.at > self.size:
                raise OSError("the file ends within a batch of rows")

    def _check(self, head: _Flat, batch: int, body: int) -> None:
        values = max((length for length, _ in head.pairs(batch, _NODES)), default=0)
        unpacked = 0
        for start, length in head.pairs(batch, _BUFFERS):
            if head.has(batch, _COMPRESSION) and length >= 8:
                self.file.seek(body + start)
                (plain,) = struct.unpack("<q", self.file.read(8))
                unpacked += max(plain, 0)
            unpacked += length
        if unpacked > _UNPACKED_LIMIT or max(values, head.number(batch, 0)) > _MOST_VALUES:
            raise FormatError(
                f"{self.where}: a batch of rows has {values:,} values in a column and unpacks to {unpacked >> 20:,} MB; "
                f"{_MOST_VALUES:,} and {_UNPACKED_LIMIT >> 20:,} MB are the most. Write smaller batches."
            )


class _Flat:
    """The fields of a flatbuffer, by their number in a table. What is out of bounds raises struct.error."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        (self.root,) = struct.unpack_from("<I", data)

    def _place(self, table: int, field: int) -> int:
        """Return where a field is; 0 if the table has none."""
        (back,) = struct.unpack_from("<i", self.data, table)
        (size,) = struct.unpack_from("<H", self.data, table - back)
        if 4 + 2 * field >= size:
            return 0
        (offset,) = struct.unpack_from("<H", self.data, table - back + 4 + 2 * field)
        return table + offset if offset else 0

    def has(self, table: int, field: int) -> bool:
        """Say whether a table has a field."""
        return self._place(table, field) > 0

    def byte(self, table: int, field: int) -> int:
        """Return a field of one byte; 0 if there is none."""
        return self.data[at] if 0 < (at := self._place(table, field)) < len(self.data) else 0

    def number(self, table: int, field: int) -> int:
        """Return a field of 8 bytes; 0 if there is none. A negative one raises struct.error."""
        at = self._place(table, field)
        (found,) = struct.unpack_from("<q", self.data, at) if at else (0,)
        if found < 0:
            raise struct.error("a negative length")
        return int(found)

    def table(self, table: int, *fields: int | None) -> int:
        """Return where the table is that these fields lead to."""
        for field in fields:
            if field is None:
                continue
            at = self._place(table, field)
            if not at:
                raise struct.error("a message without its batch")
            table = at + struct.unpack_from("<I", self.data, at)[0]
        return table

    def pairs(self, table: int, field: int) -> list[tuple[int, int]]:
        """Return the pairs of numbers of 8 bytes in a list."""
        at = self._place(table, field)
        if not at:
            return []
        at += struct.unpack_from("<I", self.data, at)[0]
        (count,) = struct.unpack_from("<I", self.data, at)
        if at + 4 + 16 * count > len(self.data):
            raise struct.error("a list beyond its message")
        pairs = list(struct.iter_unpack("<qq", self.data[at + 4 : at + 4 + 16 * count]))
        if any(number < 0 for pair in pairs for number in pair):
            raise struct.error("a negative length")
        return pairs
