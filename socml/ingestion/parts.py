"""Rows of one table → Parquet files of bounded size, each named by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from socml.project import EVENT, PART, QUARANTINE, Part, check_table, content_hash, private_file, private_folder, schema

__all__ = [
    "FileRows",
    "PartWriter",
    "Spool",
    "complete",
    "fits_events",
    "named_part",
    "quarantine_table",
    "read_rejects",
    "write_options",
    "write_part",
]

PART_ROWS = 250_000
PART_BYTES = 256 << 20
_HARDLY_REPEAT = {"event_id", "raw", "message", "time", "source_line", "duration_s"}


class PartWriter:
    """Writes rows of one table as parts in a folder.

    Parameters
    ----------
    finished : makes rows of one schema what is to be written
    split : divides rows into tables that become a part each, with the day that each is of
    """

    def __init__(
        self,
        folder: Path,
        *,
        finished: Callable[[pa.Table], pa.Table] = lambda table: table,
        split: Callable[[pa.Table], list[tuple[str, pa.Table]]] = lambda table: [("", table)],
    ) -> None:
        self.folder, self._finished, self._split = folder, finished, split
        private_folder(folder)

    def write(self, tables: Sequence[pa.Table]) -> list[Part]:
        """Write tables one after the other, those of one schema together."""
        if not tables:
            return []
        alike = [pa.concat_tables(list(some)) for _, some in groupby(tables, key=lambda table: table.schema)]
        whole = pa.concat_tables([self._finished(table) for table in alike], promote_options="default")
        return [replace(write_part(self.folder, rows), day=day) for day, rows in self._split(whole)]


class FileRows:
    """Rows of one file, written out in parts of bounded size; what is not written yet is in `tables`."""

    def __init__(self, writer: PartWriter) -> None:
        self._writer, self._held = writer, _Held()
        self.folder = writer.folder
        self.parts: list[Part] = []

    @property
    def tables(self) -> list[pa.Table]:
        """The rows that are too few for a part."""
        return self._held.tables

    def add(self, table: pa.Table) -> None:
        """Take rows of the file."""
        if len(table):
            self._held.add(table.combine_chunks())  # pages end where chunks do: the same rows are the same bytes
        if self._held.is_large:
            self.parts += self._writer.write(self._held.tables)
            self._held = _Held()

    def drop(self) -> None:
        """Throw the file's rows away."""
        for part in self.parts:
            (self.folder / part.file).unlink(missing_ok=True)
        self._held, self.parts = _Held(), []


class Spool:
    """Rows of the files that were kept: the parts that each wrote, and the rest of several files together."""

    def __init__(self, writer: PartWriter) -> None:
        self.writer, self._kept = writer, _Held()
        self.parts: list[Part] = []

    def keep(self, folder: Path, parts: Iterable[Part], tables: Iterable[pa.Table]) -> None:
        """Take what a file wrote to a folder, and its rows that are not written yet."""
        for part in parts:
            (folder / part.file).replace(self.writer.folder / part.file)
            self.parts.append(part)
        for table in tables:
            self._kept.add(table)
        if self._kept.is_large:
            self.finish()

    def finish(self) -> list[Part]:
        """Write out what is kept and return all parts."""
        self.parts += self.writer.write(self._kept.tables)
        self._kept = _Held()
        return self.parts


class _Held:
    """Tables, and how much they are together."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []
        self._rows = self._bytes = 0

    def add(self, table: pa.Table) -> None:
        self.tables.append(table)
        self._rows += len(table)
        self._bytes += table.nbytes

    @property
    def is_large(self) -> bool:
        return self._rows >= PART_ROWS or self._bytes >= PART_BYTES


def fits_events(table: pa.Table) -> bool:
    """Return whether a table's columns are already as the contract for events has them; it may lack some."""
    known = [(name, EVENT[name]) for name in table.column_names if name in EVENT]
    return all(table[name].type == c.type and not (c.required and table[name].null_count) for name, c in known)


def complete(events: pa.Table) -> pa.Table:
    """Return events with every column of the contract, null where the format fills none, their own columns after."""
    absent = {name: column.type for name, column in EVENT.items() if name not in events.column_names}
    nothing = {kind: pa.nulls(len(events), kind) for kind in set(absent.values())}
    columns = {name: nothing[absent[name]] if name in absent else events[name] for name in EVENT}
    own = {name: events[name] for name in events.column_names if name not in EVENT}
    return check_table(pa.table({**columns, **own}), EVENT, what="events", more=True)


def quarantine_table(
    source_file: str, lines: list[int], reasons: list[str], raws: list[bytes], *, segment: str, put_at: datetime
) -> pa.Table:
    """Return the quarantine table of some bad records of a file."""
    rows = len(lines)
    columns = {"source_file": [source_file] * rows, "source_line": lines, "reason": reasons, "raw": raws}
    columns |= {"segment": [segment] * rows, "put_at": [put_at] * rows}
    wanted = schema(QUARANTINE)
    table = pa.table({name: pa.array(columns[name], wanted.field(name).type) for name in wanted.names})
    return check_table(table, QUARANTINE, what="quarantine")


def read_rejects(paths: list[Path]) -> pa.Table:
    """Return the records in files of a quarantine."""
    empty = schema(QUARANTINE).empty_table()
    return pa.concat_tables([empty, *(pq.read_table(path) for path in paths)], promote_options="default")


def write_part(folder: Path, table: pa.Table) -> Part:
    """Write a table as a part, named by its content."""
    temporary = private_file(folder / "writing")
    pq.write_table(table, temporary, **write_options(table.schema))
    return named_part(temporary, len(table))


def named_part(temporary: Path, rows: int) -> Part:
    """Give a file that was written the name that its content asks for."""
    part = Part(f"{PART}{content_hash(temporary)}.parquet", temporary.stat().st_size, rows)
    temporary.replace(temporary.with_name(part.file))
    return part


def write_options(names: pa.Schema) -> dict[str, object]:
    """Return how a Parquet file of events is written.

    A dictionary of values that hardly repeat only costs time, and so does the least and the largest of texts: no
    search asks for a range of them.
    """
    nested = {"extra": ["extra.key_value.key", "extra.key_value.value"]}
    nested |= {f.name: [f"{f.name}.list.element"] for f in names if pa.types.is_list(f.type)}
    repeating = [leaf for f in names if f.name not in _HARDLY_REPEAT for leaf in nested.get(f.name, [f.name])]
    counted = {name: "DELTA_BINARY_PACKED" for name in ("time", "source_line") if name in names.names}
    encodings = {"use_dictionary": repeating, "column_encoding": counted}
    ranged = [f.name for f in names if pa.types.is_primitive(f.type)]
    return {"compression": "zstd", "compression_level": 1, "write_statistics": ranged, **encodings}
