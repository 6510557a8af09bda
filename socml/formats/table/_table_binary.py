"""Parquet and NPZ files → events. The record of a row, and so its id, is the row as JSON."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from typing import IO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.formats._reader import Parsed, ReadOptions, Source, without_rows
from socml.formats.table._table_arrow import as_text, rows_of, storable
from socml.formats.table._table_columns import (
    MOST_COLUMNS,
    Layout,
    check_header,
    event_columns,
    lay_out,
    truth_of,
    unique_names,
)
from socml.project import FormatError, TableShape, Truth, check_archive

_ROWS = 20_000
_CELLS_LIMIT = 1 << 26  # bytes of one block of an array, or of the texts of one block of rows
_ROW_LIMIT = 16 << 20  # bytes of text in one row, as of one line
_PART_LIMIT = 1 << 30  # bytes of one column in one row group, unpacked: writers aim at 128 MB to 1 GB for all columns


def is_npz(head: bytes) -> bool:
    """Return whether a file that starts like this is a zip archive of NumPy arrays."""
    return head.startswith(b"PK\x03\x04") and b".npy" in head[:256]


def read_parquet(source: Source, options: ReadOptions) -> Iterator[Parsed]:
    """Yield a Parquet file's rows."""
    file = _open_parquet(source)
    _check_claims(file.metadata, source.name)
    names = unique_names(file.schema_arrow.names)
    layout = lay_out(names, options, where=source.name)
    first = 1
    for rows in _small_blocks(file, source.name):
        parsed = _parsed(rows.rename_columns(names), first, layout, options)
        parsed.warnings = list(layout.notes) if first == 1 else []
        first += len(rows)
        yield parsed


def _check_claims(metadata: pq.FileMetaData, where: str) -> None:
    """Refuse a file by what it says of itself: a part of a column is decoded in one piece."""
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            part = metadata.row_group(group).column(column)
            if part.total_uncompressed_size > _PART_LIMIT:
                raise FormatError(
                    f"{where}: column {part.path_in_schema[:80]!r} unpacks to {part.total_uncompressed_size >> 20:,} MB "
                    f"in one row group, and {_PART_LIMIT >> 20:,} MB is the most. Write smaller row groups."
                )


def _small_blocks(file: pq.ParquetFile, where: str) -> Iterator[pa.Table]:
    """Yield rows in blocks whose texts fit into memory, though a few bytes of a dictionary may stand for each of them."""
    for batch in file.iter_batches(batch_size=_ROWS):
        sizes = np.zeros(len(batch), np.int64)
        for values in batch.columns:
            if pa.types.is_dictionary(values.type):
                lengths = pc.binary_length(values.dictionary)
                sizes += np.asarray(lengths.take(values.indices).fill_null(0), np.int64)
        if len(sizes) and sizes.max() > _ROW_LIMIT:
            raise FormatError(
                f"{where}: a row has {sizes.max():,} bytes of text, and {_ROW_LIMIT >> 20} MB is the most. "
                "Leave out the column that holds them."
            )
        block = np.cumsum(sizes) // _CELLS_LIMIT
        starts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(batch)]
        for start, end in pairwise(starts):
            yield pa.Table.from_batches([batch.slice(start, end - start)])


def _open_parquet(source: Source) -> pq.ParquetFile:
    try:
        found = pq.read_schema(source.path)
        texts = [f.name for f in found if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        check_header(found.names, source.name)
        return pq.ParquetFile(source.path, read_dictionary=texts, pre_buffer=False)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FormatError(f"{source.name} is a Parquet file that cannot be read: {error}") from error


def read_npz(source: Source, options: ReadOptions) -> Iterator[Parsed]:
    """Yield the rows of `X`, columns x1, x2, …; `y`, if it is there, is ground truth: 1 is malicious."""
    try:
        check_archive(source.path)
        archive = zipfile.ZipFile(source.path)
    except (zipfile.BadZipFile, ValueError) as error:
        raise FormatError(f"{source.name} is an NPZ file that cannot be read: {error}") from error
    with archive:
        if "X.npy" not in archive.namelist():
            raise FormatError(f"{source.name} holds no array named X, but {', '.join(archive.namelist()[:5])}.")
        labels = _whole_array(archive, "y.npy", source.name) if "y.npy" in archive.namelist() else None
        shape = options.table or TableShape()
        truth = options.truth or Truth(column="y", malicious=["1"], benign=["0"])
        first = 1
        for block in _row_blocks(archive, "X.npy", source.name):
            names = shape.columns or [f"x{n}" for n in range(1, block.shape[1] + 1)]
            if len(names) != block.shape[1]:
                raise FormatError(f"{source.name}: X has {block.shape[1]} columns, and the recipe names {len(names)}.")
            table = pa.table({name: pa.array(block[:, i], from_pandas=True) for i, name in enumerate(names)})
            if labels is not None:
                verdicts = [_label(v) for v in labels[first - 1 : first - 1 + len(block)]]
                if len(verdicts) != len(block):
                    raise FormatError(f"{source.name}: y has {len(labels):,} values, which are fewer than X has rows.")
                table = table.append_column(truth.column or "y", pa.array(verdicts, pa.string()))
            known = options if labels is None else _with_truth(options, truth)
            layout = lay_out(table.column_names, known, where=source.name)
            parsed = _parsed(table, first, layout, known)
            parsed.warnings = list(layout.notes) if first == 1 else []
            first += len(block)
            yield parsed


def _parsed(table: pa.Table, first: int, layout: Layout, options: ReadOptions) -> Parsed:
    records = [orjson.dumps(row, default=str) for row in rows_of(table)]
    columns: dict[str, object] = {}
    bad: dict[int, str] = {}
    text = {name: as_text(table[name].combine_chunks()) for names in layout.event.values() for name in names}
    zone = None
    columns = dict(event_columns(layout, text, options, zone, bad))
    columns["raw"] = pa.array([record.decode() for record in records], pa.string())
    columns["source_line"] = pa.array(np.arange(first, first + len(table)))
    for name, own in layout.own.items():
        columns[own] = storable(table[name].combine_chunks())
    labels = {n: as_text(table[n].combine_chunks()) for n in (layout.label, layout.family) if n}
    truth = truth_of(layout, labels, options) if labels else None
    parsed = Parsed(pa.table(columns), records, truth, time_is_certain="time" not in columns)
    return without_rows(parsed, bad) if bad else parsed


def _with_truth(options: ReadOptions, truth: Truth) -> ReadOptions:
    from dataclasses import replace

    return replace(options, truth=truth)


def _label(value: object) -> str | None:
    if isinstance(value, np.floating):
        return None if np.isnan(value) else (str(int(value)) if value == int(value) else str(value))
    return str(value)


def _row_blocks(archive: zipfile.ZipFile, member: str, where: str) -> Iterator[np.ndarray]:
    """Yield blocks of rows of a two-dimensional array, without the whole of it in memory where its order allows."""
    with archive.open(member) as file:
        shape, fortran, kind = _header(file, where)
        if len(shape) != 2:
            raise FormatError(f"{where}: X has {len(shape)} dimensions, not 2.")
        if shape[1] > MOST_COLUMNS:
            raise FormatError(f"{where}: X has {shape[1]:,} columns, and {MOST_COLUMNS:,} is the most that is read.")
        width = max(shape[1] * kind.itemsize, 1)
        if fortran:
            if shape[0] * width > 4 * _CELLS_LIMIT:
                raise FormatError(
                    f"{where}: X is over {4 * _CELLS_LIMIT >> 20} MB and stored by columns. Save it by rows."
                )
            whole = np.frombuffer(file.read(shape[0] * width), kind).reshape(shape, order="F")
            yield from (whole[i : i + _ROWS] for i in range(0, shape[0], _ROWS))
            return
        step = max(1, min(_ROWS, _CELLS_LIMIT // width))
        for start in range(0, shape[0], step):
            rows = min(step, shape[0] - start)
            data = file.read(rows * width)
            if len(data) < rows * width:
                raise FormatError(f"{where}: X ends after row {start + len(data) // width:,} of {shape[0]:,}.")
            yield np.frombuffer(data, kind).reshape(rows, shape[1])


def _whole_array(archive: zipfile.ZipFile, member: str, where: str) -> np.ndarray:
    with archive.open(member) as file:
        shape, _, kind = _header(file, where)
        size = math.prod(shape) * kind.itemsize  # in whole numbers without a limit: a forged shape may exceed 64 bits
        if size > archive.getinfo(member).file_size:
            raise FormatError(f"{where}: {member} says it has {size:,} bytes, which is more than it holds.")
        data = file.read(size)
        return np.frombuffer(data, kind).ravel()


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    start = io.BytesIO(file.read(8))
    version = np.lib.format.read_magic(start)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(file)
    if kind.hasobject or kind.kind not in "fiubU":
        raise FormatError(f"{where}: an array of {kind}: only numbers are read, and nothing is unpickled.")
    return shape, fortran, kind
