"""A Parquet file → its rows in blocks of bounded size, and as lines of JSON, for the readers of records.

A file is judged by what it says of itself before it is decoded, and texts are kept in dictionaries, also within lists and
objects: a few bytes may stand for each of a million long texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.formats.table._table_arrow import json_value, rows_of
from socml.formats.table._table_columns import check_header, check_width, unique_names
from socml.project import FormatError

__all__ = [
    "PARQUET",
    "Damage",
    "RowLines",
    "check_depth",
    "holds_objects",
    "json_lines",
    "open_parquet",
    "row_lines",
    "small_parts",
    "sound_blocks",
]

PARQUET = b"PAR1"
_ROWS = 20_000
_VALUES = 1_000_000  # of one block of rows that become Python's own
_ROWS_AS_JSON = 2000
_CELLS_LIMIT = 1 << 26  # bytes of the texts of one block of rows
_ROW_LIMIT = 16 << 20  # bytes of text in one row, as of one line
_PART_LIMIT = 1 << 30  # bytes of one column in one row group, unpacked: writers aim at 128 MB to 1 GB for all columns
_PART_VALUES = 1 << 24  # of a column within lists, in one row group: a page of a few bytes may stand for all of them
_DEEPEST = 64  # objects and lists within one another
_VALUE_BYTES = 8  # that a value in a list counts for


@dataclass(frozen=True)
class RowLines:
    """Some rows as lines of JSON; `share` of the file's rows are read with them. `damage`: why rows after them are not."""

    data: bytes
    share: float
    damage: str = ""


@dataclass(frozen=True)
class Damage:
    """Rows that cannot be read: how many, and why."""

    rows: int
    told: str


def row_lines(path: Path, where: str) -> Iterator[RowLines]:
    """Yield a Parquet file's rows as JSON, one a line, without what is null. What a damaged row group still holds is read.

    Raises
    ------
    FormatError
        If it is none, or says that it holds more than is read.
    """
    file = open_parquet(path, where)
    metadata = file.metadata
    done = 0
    for group in range(metadata.num_row_groups):
        at_once = min(_ROWS_AS_JSON, max(_VALUES // _values_a_row(metadata, group), 1))
        for block in _blocks_of_group(file, where, group, done, rows=at_once):
            done += block.rows if isinstance(block, Damage) else len(block)
            share = done / max(metadata.num_rows, 1)
            yield RowLines(b"", share, block.told) if isinstance(block, Damage) else RowLines(json_lines(block), share)


def sound_blocks(file: pq.ParquetFile, where: str) -> Iterator[pa.Table | Damage]:
    """Yield rows in blocks as `small_blocks` does; from damage on, what each row group still holds."""
    done = 0
    try:
        for block in small_blocks(file, where):
            done += len(block)
            yield block
    except (pa.ArrowException, OSError):  # a block may have rows of several groups, of which one is damaged
        first = 0
        for group in range(file.metadata.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            if end > done:
                yield from _blocks_of_group(file, where, group, first, done=done)
                done = end
            first = end


def _blocks_of_group(
    file: pq.ParquetFile, where: str, group: int, first: int, *, done: int = 0, rows: int = _ROWS
) -> Iterator[pa.Table | Damage]:
    """Yield the rows of a row group, of which `first` of the file are before it, beyond the `done` first of the file."""
    end = first + file.metadata.row_group(group).num_rows
    done = max(done, first)
    try:
        for block in small_blocks(file, where, rows=rows, groups=[group]):
            first += len(block)
            if first > done:
                yield block.slice(len(block) - (first - done))
                done = first
    except (pa.ArrowException, OSError) as error:
        told = (
            f"row {done + 1:,} cannot be read, and {end - done - 1:,} after it ({_told(error)}); a mended copy is another "
            "file, whose rows are added to those that were read: read it with --anew"
        )
        yield Damage(end - done, told)


def holds_objects(path: Path, where: str) -> bool:
    """Return whether a column of a Parquet file holds objects or lists: then it is no plain table."""
    return any(map(pa.types.is_nested, open_parquet(path, where).schema_arrow.types))


def open_parquet(path: Path, where: str) -> pq.ParquetFile:
    """Open a Parquet file whose claims are within bounds.

    Raises
    ------
    FormatError
        If it cannot be read, or claims too much.
    """
    try:
        metadata = pq.read_metadata(path)
        check_width(metadata.num_columns, where)
        columns = [metadata.schema.column(number) for number in range(metadata.num_columns)]
        check_depth(max((column.path.count(".") for column in columns), default=0), where)
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        file = pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False)
        check_header(file.schema_arrow.names, where)
        for kind in file.schema_arrow.types:
            check_names_within(kind, where)
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise FormatError(f"{where} is a Parquet file that cannot be read: {_told(error)}") from error
    _check_claims(file.metadata, where)
    return file


def small_blocks(
    file: pq.ParquetFile, where: str, *, rows: int = _ROWS, groups: list[int] | None = None
) -> Iterator[pa.Table]:
    """Yield rows in blocks whose texts fit into memory, though a few bytes of a dictionary may stand for each of them."""
    for batch in file.iter_batches(batch_size=rows, row_groups=groups):
        yield from small_parts(batch, where)


def small_parts(batch: pa.RecordBatch, where: str) -> Iterator[pa.Table]:
    """Yield a batch of rows in tables whose texts fit into memory. Raises FormatError for a row whose texts do not."""
    sizes = sum((_sizes(values) for values in batch.columns), np.zeros(len(batch), np.int64))
    if len(sizes) and sizes.max() > _ROW_LIMIT:
        raise FormatError(
            f"{where}: a row has {sizes.max():,} bytes of text, and {_ROW_LIMIT >> 20} MB is the most. "
            "Leave out the column that holds them."
        )
    block = np.cumsum(sizes) // _CELLS_LIMIT
    starts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(batch)]
    for start, end in pairwise(starts):
        yield pa.Table.from_batches([batch.slice(start, end - start)])


def _sizes(values: pa.Array) -> np.ndarray:
    """Return how many bytes of text each value of a column stands for, and some for each value in a list."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return np.asarray(pc.binary_length(values.dictionary).take(values.indices).fill_null(0), np.int64)
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    ):
        return np.asarray(pc.binary_length(values).fill_null(0), np.int64)
    if pa.types.is_struct(kind):
        return sum((_sizes(part) for part in values.flatten()), np.zeros(len(values), np.int64))
    if pa.types.is_map(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = [values.keys, values.items] if pa.types.is_map(kind) else [values.values]
        inside = sum((_sizes(part) for part in parts), np.full(len(parts[0]), _VALUE_BYTES, np.int64))
        ends = np.concatenate([[0], np.cumsum(inside)])[np.asarray(values.offsets)]
        return np.diff(ends)
    if pa.types.is_fixed_size_list(kind):
        width, inside = kind.list_size, _sizes(values.values) + _VALUE_BYTES
        own = inside[values.offset * width : (values.offset + len(values)) * width]
        sums: np.ndarray = own.reshape(len(values), width).sum(axis=1)
        return sums
    return np.zeros(len(values), np.int64)


def json_lines(rows: pa.Table) -> bytes:
    """Return rows as JSON, one a line, without what is null."""
    if len(set(rows.column_names)) < rows.num_columns:
        rows = rows.rename_columns(unique_names(rows.column_names))
    return b"".join(orjson.dumps(json_value(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows_of(rows))


def _values_a_row(metadata: pq.FileMetaData, group: int) -> int:
    """Return how many values a row of a row group has on average, in lists too; at least 1."""
    part = metadata.row_group(group)
    values: int = sum(part.column(number).num_values for number in range(part.num_columns))
    rows: int = max(part.num_rows, 1)
    return max(values // rows, 1)


def _told(error: Exception) -> str:
    return " ".join(str(error).split())


def check_names_within(kind: pa.DataType, where: str) -> None:
    """Refuse objects that name a field twice: no row can hold both."""
    inside = [kind.field(number) for number in range(kind.num_fields)]
    if pa.types.is_struct(kind) and len({one.name for one in inside}) < len(inside):
        raise FormatError(f"{where}: an object names a field twice: {str(kind)[:80]}. Give each a name of its own.")
    for one in inside:
        check_names_within(one.type, where)


def check_depth(deepest: int, where: str) -> None:
    """Refuse columns that lie too deep in others."""
    if deepest > _DEEPEST:
        raise FormatError(
            f"{where}: a column lies {deepest:,} deep in others, and {_DEEPEST} is the most that is read."
        )


def _check_claims(metadata: pq.FileMetaData, where: str) -> None:
    """Refuse a file by what it says of itself: a part of a column is decoded in one piece."""
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        for column in range(metadata.num_columns):
            part = metadata.row_group(group).column(column)
            if part.total_uncompressed_size > _PART_LIMIT:
                raise FormatError(
                    f"{where}: column {part.path_in_schema[:80]!r} unpacks to {part.total_uncompressed_size >> 20:,} MB "
                    f"in one row group, and {_PART_LIMIT >> 20:,} MB is the most. Write smaller row groups."
                )
            if part.num_values > max(_PART_VALUES, rows):
                raise FormatError(
                    f"{where}: column {part.path_in_schema[:80]!r} has {part.num_values:,} values in lists of one row "
                    f"group, and {_PART_VALUES:,} is the most. Write smaller row groups."
                )
