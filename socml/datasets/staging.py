"""Tables on their way → files of the workspace. A file's rows are kept or dropped as a whole, and all become
visible together: they are written to a staging folder and renamed at the end.

Killed at any point, nothing is half there twice: truth is stored before the events it is about, events that
were already renamed are known by their ids in the next run, and the staging folder is cleared by it.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from socml.datasets.compaction import compact
from socml.datasets.known import KnownIds
from socml.engines import sealed_connection
from socml.errors import TryLater
from socml.identity import Occurrences, event_ids
from socml.project import Project
from socml.tables import EVENT, QUARANTINE, TRUTH, check_table, schema
from socml.workspace import parts_in_use, replacing, safe_name, truth_path

PART_ROWS = 250_000
PART_BYTES = 256 << 20
_HARDLY_REPEAT = {"event_id", "raw", "message", "time", "source_line", "duration_s"}

_MERGE_TRUTH = """
with said as (
    select event_id, any_value(malicious) as malicious, any_value(family) as family, any_value(technique) as technique
    from new_truth group by event_id
)
select * from said
union all
select event_id, malicious, family, technique from old_truth where event_id not in (select event_id from said)
order by event_id
"""


class Spool:
    """Rows of one table, written out in parts of bounded size. Rows since the last `keep` can be dropped."""

    def __init__(self, folder: Path, *, written: Callable[[Path], None] | None = None) -> None:
        self._folder = folder
        self._written = written or (lambda path: None)
        self._kept: list[pa.Table] = []
        self._current: list[pa.Table] = []
        self._current_parts: list[Path] = []
        self.parts: list[Path] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, table: pa.Table) -> None:
        """Take rows of the current file."""
        if len(table):
            self._current.append(table)
        if _is_large(self._current):
            self._current_parts += self._write(self._current)
            self._current = []

    def keep(self) -> None:
        """Count the current file's rows as good."""
        self.parts += self._current_parts
        self._kept += self._current
        self._current, self._current_parts = [], []
        if _is_large(self._kept):
            self.parts += self._write(self._kept)
            self._kept = []

    def drop(self) -> list[Path]:
        """Throw the current file's rows away; return the parts that are gone."""
        gone = self._current_parts
        for path in gone:
            path.unlink(missing_ok=True)
        self._current, self._current_parts = [], []
        return gone

    def finish(self) -> list[Path]:
        """Write out what is kept and return all parts."""
        self.parts += self._write(self._kept)
        self._kept = []
        return self.parts

    def _write(self, tables: list[pa.Table]) -> list[Path]:
        if not tables:
            return []
        path = _write_part(pa.concat_tables(tables, promote_options="default"), self._folder)
        self._written(path)
        return [path]


class Staging:
    """One ingest into one dataset, from the first row to the renames."""

    def __init__(self, project: Project, dataset: str, folder: Path) -> None:
        self.project, self.dataset = project, dataset
        self.stored = project.workspace / "events" / safe_name(dataset)
        self.quarantined = project.workspace / "quarantine" / safe_name(dataset)
        self.known = KnownIds(parts_in_use(self.stored))
        self._unwritten: set[str] = set()  # ids of rows that no part holds yet
        self._of_file: set[str] = set()  # those of the current file
        self._written: list[Path] = []  # parts whose ids are still in these two
        self.events = Spool(folder / "events", written=self._count_part)
        self.truth = Spool(folder / "truth")
        self.quarantine = Spool(folder / "quarantine")
        self._bad_known: set[str] | None = None

    def add_events(self, events: pa.Table, *, time_is_certain: bool) -> int:
        """Take events with their ids; return how many were new."""
        self._forget_written()
        ids = events["event_id"].to_pylist()
        times = events["time"] if "time" in events.column_names else None
        known = self.known.are_known(ids, times, time_is_certain=time_is_certain)
        fresh = set(ids)
        held = not (self._unwritten.isdisjoint(fresh) and self._of_file.isdisjoint(fresh))
        if held or known.any() or len(fresh) < len(ids):
            rows = self._new_rows(ids, known)
            events = events.take(pa.array(rows, pa.int64()))
            fresh = {ids[row] for row in rows}
        self._of_file |= fresh
        self.events.add(complete(events))
        return len(fresh)

    def _new_rows(self, ids: list[str], known: np.ndarray) -> list[int]:
        seen: set[str] = set()
        rows = []
        for row, (event_id, is_known) in enumerate(zip(ids, known.tolist(), strict=True)):
            if not (is_known or event_id in seen or event_id in self._unwritten or event_id in self._of_file):
                seen.add(event_id)
                rows.append(row)
        return rows

    def add_rejects(self, table: pa.Table, ids: list[str]) -> None:
        """Take records that did not parse, but for those that are in quarantine already."""
        if self._bad_known is None:
            self._bad_known = _quarantined_ids(self.quarantined)
        fresh = [row for row, i in enumerate(ids) if i not in self._bad_known]
        self._bad_known.update(ids)
        self.quarantine.add(table.take(pa.array(fresh, pa.int64())))

    def keep_file(self) -> None:
        """The file was read to its end."""
        self._unwritten |= self._of_file
        self._of_file = set()
        for spool in (self.events, self.truth, self.quarantine):
            spool.keep()

    def drop_file(self) -> None:
        """The file is refused: none of its events are stored, but its bad records are."""
        for path in self.events.drop():
            self.known.forget(path)
        self._of_file = set()
        self.truth.drop()
        self.quarantine.keep()

    def commit(self) -> None:
        """Make everything kept visible, in an order that a second run can complete."""
        truth, quarantine, events = self.truth.finish(), self.quarantine.finish(), self.events.finish()
        if truth:
            self._merge_truth(truth)
        for parts, folder in ((quarantine, self.quarantined), (events, self.stored)):
            if parts:
                folder.mkdir(parents=True, exist_ok=True)
            for part in parts:
                part.replace(folder / part.name)
        if events:
            with suppress(OSError):  # the events are stored: what is not merged now is merged another time
                compact(self.stored, write=_write_part, content_hash=_content_hash)

    def _count_part(self, path: Path) -> None:
        self.known.add(path)
        self._written.append(path)

    def _forget_written(self) -> None:
        for path in self._written:  # not when it is written: after the last part nobody asks
            if path.is_file():  # else its file of records was refused
                ids = pq.read_table(path, columns=["event_id"])["event_id"].to_pylist()
                self._unwritten.difference_update(ids)
                self._of_file.difference_update(ids)
        self._written.clear()

    def _merge_truth(self, parts: list[Path]) -> None:
        import pyarrow.dataset as ds  # imports pandas, which takes a second

        target = truth_path(self.project, self.dataset)
        old = ds.dataset(str(target)) if target.is_file() else ds.dataset(schema(TRUTH).empty_table())
        tables = {"new_truth": ds.dataset([str(p) for p in parts]), "old_truth": old}
        with (
            sealed_connection(
                tables, memory_limit=self.project.memory_limit, threads=self.project.threads
            ) as connection,
            replacing(target) as temporary,
        ):
            with pq.ParquetWriter(temporary, schema(TRUTH), compression="zstd") as writer:
                for batch in connection.sql(_MERGE_TRUTH).to_arrow_reader(100_000):
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema(TRUTH)))
            if target.is_file() and _content_hash(target) == _content_hash(temporary):
                temporary.unlink()
                target.replace(temporary)  # unchanged: keep the file, and its date


@contextmanager
def staging(project: Project, dataset: str) -> Iterator[Staging]:
    """Open a dataset for writing; nobody else can meanwhile.

    Raises
    ------
    TryLater
        If another ingest of this dataset is running.
    """
    base = project.folder("staging")
    folder = base / safe_name(dataset)
    with (base / f"{safe_name(dataset)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryLater(f"Another ingest of {dataset!r} is running. Try again when it is done.") from None
        shutil.rmtree(folder, ignore_errors=True)  # what a killed run left
        try:
            yield Staging(project, dataset, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def complete(events: pa.Table) -> pa.Table:
    """Return events with every column of the contract, null where the format fills none, their own columns after."""
    absent = {name: column.type for name, column in EVENT.items() if name not in events.column_names}
    nothing = {kind: pa.nulls(len(events), kind) for kind in set(absent.values())}
    columns = {name: nothing[absent[name]] if name in absent else events[name] for name in EVENT}
    own = {name: events[name] for name in events.column_names if name not in EVENT}
    return check_table(pa.table({**columns, **own}), EVENT, what="events", more=True)


def reject_ids(lines: list[int], reasons: list[str], raws: list[bytes], seen: Occurrences) -> list[str]:
    """Return one id a bad record, by its bytes; one without bytes is told apart by its line and reason."""
    return event_ids([raw or f"{n}:{why}".encode() for n, why, raw in zip(lines, reasons, raws, strict=True)], seen)


def _quarantined_ids(folder: Path) -> set[str]:
    ids: set[str] = set()
    for path in sorted(folder.glob("*.parquet")):
        seen: dict[str, Occurrences] = {}
        for row in pq.read_table(path).to_pylist():
            of_file = seen.setdefault(row["source_file"], Occurrences())
            ids.update(reject_ids([row["source_line"]], [row["reason"]], [row["raw"]], of_file))
    return ids


def quarantine_table(source_file: str, lines: list[int], reasons: list[str], raws: list[bytes]) -> pa.Table:
    """Return the quarantine table of some bad records."""
    return check_table(
        pa.table({"source_file": [source_file] * len(lines), "source_line": lines, "reason": reasons, "raw": raws}),
        QUARANTINE,
        what="quarantine",
    )


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


def _is_large(tables: list[pa.Table]) -> bool:
    return sum(len(t) for t in tables) >= PART_ROWS or sum(t.nbytes for t in tables) >= PART_BYTES


def _write_part(table: pa.Table, folder: Path) -> Path:
    """Write rows into a folder, under a name that their content gives."""
    temporary = folder / "writing"
    pq.write_table(table, temporary, **write_options(table.schema))
    return temporary.replace(folder / f"{_content_hash(temporary)}.parquet")


def _content_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
