"""What one file yields → rows that are kept or dropped as a whole: events, ground truth, records that did not parse."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from socml.ingestion.days import by_day
from socml.ingestion.parts import FileRows, PartWriter, complete, fits_events
from socml.project import Part, private_file

__all__ = ["ALL_LINES", "KINDS", "ShippedFile", "StagedFile", "staging_writers"]

ALL_LINES = -1
KINDS = ("events", "truth", "quarantine")


def staging_writers(folder: Path) -> dict[str, PartWriter]:
    """Return what writes the parts of each kind, below a folder of a staging area."""
    events = PartWriter(folder / "events", finished=complete, split=by_day)
    return {"events": events, "truth": PartWriter(folder / "truth"), "quarantine": PartWriter(folder / "quarantine")}


class StagedFile:
    """One file's rows of each kind.

    Attributes
    ----------
    rows : kind → rows
    replaced : lines of the file's segment (`ALL_LINES`: all) whose stored events give way to these
    """

    def __init__(self, writers: dict[str, PartWriter]) -> None:
        self.rows = {kind: FileRows(writers[kind]) for kind in KINDS}
        self.replaced: set[int] = set()

    def add_events(self, events: pa.Table) -> None:
        """Take events that are new, with their ids."""
        self.rows["events"].add(events if fits_events(events) else complete(events))

    def replace_events(self, lines: set[int]) -> None:
        """Note that the stored events of these lines give way to the file's."""
        self.replaced |= lines

    def add_truth(self, table: pa.Table) -> None:
        """Take what is known to be malicious or benign."""
        self.rows["truth"].add(table)

    def add_rejects(self, table: pa.Table) -> None:
        """Take records that did not parse."""
        self.rows["quarantine"].add(table)

    def drop(self, *kinds: str) -> None:
        """Throw away the rows of these kinds; of all, if none is named, as if the file had not been read."""
        for kind in kinds or KINDS:
            self.rows[kind].drop()
        if "events" in (kinds or KINDS):
            self.replaced = set()

    def shipped(self) -> ShippedFile:
        """Write the rows that are not in a part yet beside those that are, and say where all of them are."""
        rows = {kind: ShippedRows.of(rows) for kind, rows in self.rows.items()}
        return ShippedFile(rows, frozenset(self.replaced))


@dataclass(frozen=True)
class ShippedRows:
    """One file's rows of a kind, on their way from a process that read them; `rest` holds those that are in no part."""

    folder: Path
    parts: tuple[Part, ...]
    rest: Path | None

    @classmethod
    def of(cls, rows: FileRows) -> ShippedRows:
        """Write what is in no part yet to a file of its own."""
        if not rows.tables:
            return cls(rows.folder, tuple(rows.parts), None)
        rest = rows.folder / f"rest-{secrets.token_hex(8)}"
        with pa.OSFile(str(private_file(rest)), "wb") as file:
            for table in rows.tables:
                with pa.ipc.new_stream(file, table.schema) as stream:
                    stream.write_table(table)
        return cls(rows.folder, tuple(rows.parts), rest)

    @property
    def tables(self) -> list[pa.Table]:
        """The rows that are in no part yet."""
        if self.rest is None:
            return []
        tables = []
        with pa.OSFile(str(self.rest), "rb") as file:
            while file.tell() < file.size():
                tables.append(pa.ipc.open_stream(file).read_all().combine_chunks())
        return tables

    @property
    def paths(self) -> list[Path]:
        """The files that hold them."""
        return [*(self.folder / part.file for part in self.parts), *([self.rest] if self.rest else [])]

    def drop(self) -> None:
        """Remove them."""
        for path in self.paths:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class ShippedFile:
    """What another process read of a file: `rows` of each kind, and the lines whose events are `replaced`."""

    rows: dict[str, ShippedRows]
    replaced: frozenset[int]

    @property
    def bytes(self) -> int:
        """What it takes on disk."""
        paths = [path for rows in self.rows.values() for path in rows.paths]
        return sum(path.stat().st_size for path in paths)

    def drop(self) -> None:
        """Throw it away, as if the file had not been read."""
        for rows in self.rows.values():
            rows.drop()
