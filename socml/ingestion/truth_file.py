"""A table of truth beside the records (`truth.parquet`) → the truth of every event, by its file and line.

A table of a million rows is kept; of a larger one, its rows about one file of records at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.project import TRUTH, TRUTH_BESIDE, DataError, DatasetRecipe, check_table, open_file

__all__ = ["TruthFile", "find_truth_file", "is_truth_table"]

PART = 65_536  # rows that are read at a time
KEPT_ROWS = 1_000_000  # of a table that is read once, and not for each file of records again


@dataclass
class TruthFile:
    """Ground truth by file and line: `rows` in all. `others` is what an event is that the table does not list."""

    path: Path
    rows: int
    others: bool | None
    warnings: tuple[str, ...] = ()
    found: int = 0  # of the records that it lists, so far
    _about: tuple[str, pa.Table] | None = None  # the file of records that was asked for last, and the rows about it
    _kept: pa.Table | None = None  # all rows, each file's name once

    @property
    def files(self) -> frozenset[Path]:
        """The table itself."""
        return frozenset({self.path})

    def of_events(self, events: pa.Table, path: Path) -> pa.Table:
        """Return the truth of events by their line, in the table's rows about this file."""
        name = path.resolve().relative_to(self.path.parent).as_posix() if self._is_beside(path) else path.name
        rows = self._rows_about(name)
        at = pc.index_in(events["source_line"].combine_chunks(), value_set=rows["source_line"].combine_chunks())
        self.found += len(at) - at.null_count
        found = rows.select(["malicious", "family", "technique"]).take(at)
        malicious = pc.if_else(at.is_valid(), found["malicious"], pa.scalar(self.others, pa.bool_()))
        return found.set_column(0, "malicious", malicious)

    def warnings_after(self) -> tuple[str, ...]:
        """Say so if nothing that the table lists was found."""
        if self.found or not self.rows:
            return ()
        return (f"None of the {self.rows:,} records that {self.path.name} lists is in these files.",)

    def _rows_about(self, name: str) -> pa.Table:
        if self._about is None or self._about[0] != name:
            parts = [self._all_rows()] if self.rows <= KEPT_ROWS else _parts(self.path)
            rows = [part.filter(_is_in(part["source_file"], name)) for part in parts]
            self._about = name, pa.concat_tables(rows).combine_chunks()
        return self._about[1]

    def _all_rows(self) -> pa.Table:
        if self._kept is None:
            rows = pa.concat_tables(_parts(self.path)).combine_chunks()
            at = rows.schema.get_field_index("source_file")
            self._kept = rows.set_column(at, "source_file", rows["source_file"].dictionary_encode().combine_chunks())
        return self._kept

    def __getstate__(self) -> dict[str, object]:
        """Return what a worker is sent: it reads the rows itself."""
        return {**self.__dict__, "_about": None, "_kept": None}

    def _is_beside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.path.parent)


def _is_in(names: pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    """Return which rows have this name; where each name stands once, numbers are compared."""
    if not pa.types.is_dictionary(names.type):
        return pc.equal(names, name)
    column = names.combine_chunks()
    return pc.equal(column.indices, pc.index(column.dictionary, name).as_py())


def is_truth_table(path: Path) -> bool:
    """Return whether a file is a Parquet table of ground truth: stored by a workspace, or beside the records."""
    with open_file(path) as file:
        if file.read(4) != b"PAR1":
            return False
    try:
        names = set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError):
        return False
    return names in ({*TRUTH}, {*TRUTH_BESIDE}, {"row_id", *TRUTH} - {"event_id"})


def find_truth_file(recipe: DatasetRecipe, files: list[Path]) -> TruthFile | None:
    """Return the table that a recipe says lies beside the records, None if it names none or there is none.

    Raises
    ------
    DataError
        If the file is not a table of truth.
    """
    if recipe.truth is None or not recipe.truth.file:
        return None
    for folder in dict.fromkeys(parent for file in files for parent in file.resolve().parents[:2]):
        path = (folder / recipe.truth.file).resolve()
        if path.is_file() and path.is_relative_to(folder):
            rows = sum(len(part) for part in _parts(path))
            return TruthFile(path, rows, False if recipe.truth.others == "benign" else None)
    return None


def _parts(path: Path) -> Iterator[pa.Table]:
    """Yield a table of truth in checked parts."""
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            if "event_id" in file.schema_arrow.names:
                raise DataError(
                    f"{path} lists events by ids, as an earlier socml did. It must list source_file and source_line: "
                    "write it anew (logs of the simulator: simulate them anew)."
                )
            yield check_table(file.schema_arrow.empty_table(), TRUTH_BESIDE, what=str(path))
            for batch in file.iter_batches(PART):
                yield check_table(pa.Table.from_batches([batch]), TRUTH_BESIDE, what=str(path))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from error
