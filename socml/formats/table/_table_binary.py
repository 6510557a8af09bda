"""Parquet and NPZ files → events. The record of a row, and so its id, is the row as JSON."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import orjson
import pyarrow as pa

from socml.formats._reader import Parsed, ReadOptions, Reject, Source, no_events, without_rows
from socml.formats.table._table_arrow import as_text, rows_of, storable
from socml.formats.table._table_columns import (
    MOST_COLUMNS,
    Layout,
    event_columns,
    lay_out,
    truth_of,
    unique_names,
)
from socml.formats.table._table_events import TableLog, log_of
from socml.formats.table._table_parquet import Damage, open_parquet, sound_blocks
from socml.project import FormatError, TableShape, Truth, check_archive

_ROWS = 20_000
_CELLS_LIMIT = 1 << 26  # bytes of one block of an array


def is_npz(head: bytes) -> bool:
    """Return whether a file that starts like this is a zip archive of NumPy arrays."""
    return head.startswith(b"PK\x03\x04") and b".npy" in head[:256]


def read_parquet(source: Source, options: ReadOptions) -> Iterator[Parsed]:
    """Yield a Parquet file's rows."""
    file = open_parquet(source.path, source.name)
    names = unique_names(file.schema_arrow.names)
    layout = lay_out(names, options, where=source.name)
    first, is_first = 1, True  # the latter: no block was read yet
    log: TableLog | None = None
    for rows in sound_blocks(file, source.name):
        if isinstance(rows, Damage):
            yield _lost(rows, first)
            first += rows.rows
            continue
        table = rows.rename_columns(names)
        if is_first:
            log = _log(table, source, options)
        parsed = _parsed(table, first, layout, options, log)
        parsed.warnings = ([log.note()] if log else []) + list(layout.notes) if is_first else []
        first, is_first = first + len(rows), False
        yield parsed


def _lost(damage: Damage, first: int) -> Parsed:
    """Return what rows that cannot be read are: one bad record, and a warning that says how many they are."""
    told = f"The file is damaged: {damage.told}"
    return Parsed(no_events(), [], rejects=[Reject(first, told, b"")], warnings=[f"{told}."])


def _log(table: pa.Table, source: Source, options: ReadOptions) -> TableLog | None:
    """Return how the rows become events of a log, None if they are none."""
    numbers = sum(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in table.schema.types)
    return log_of(_texts(table), numbers, source, options, {})


def _texts(table: pa.Table) -> dict[str, pa.Array]:
    return {name: as_text(table[name].combine_chunks()) for name in table.column_names}


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


def _parsed(table: pa.Table, first: int, layout: Layout, options: ReadOptions, log: TableLog | None = None) -> Parsed:
    records = [orjson.dumps(row, default=str) for row in rows_of(table)]
    columns: dict[str, object] = {}
    bad: dict[int, str] = {}
    text = {name: as_text(table[name].combine_chunks()) for names in layout.event.values() for name in names}
    zone = None
    columns = dict(log.columns(_texts(table)) if log else event_columns(layout, text, options, zone, bad))
    columns["raw"] = pa.array([record.decode() for record in records], pa.string())
    columns["source_line"] = pa.array(np.arange(first, first + len(table)))
    for name, own in layout.own.items():
        columns[own] = storable(table[name].combine_chunks())
    labels = {n: as_text(table[n].combine_chunks()) for n in (layout.label, layout.family) if n}
    truth = truth_of(layout, labels, options) if labels else None
    certain = log.clock.is_certain if log else "time" not in columns
    parsed = Parsed(pa.table(columns), records, truth, time_is_certain=certain)
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
