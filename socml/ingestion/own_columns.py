"""The parts of a dataset → the types of the columns that are a table's own, read from the files when first asked for.

Only tables have such columns. A night of logs asks for none, so that what it costs does not grow with the parts there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from socml.project import EVENT

__all__ = ["OutOfTurn", "OwnColumns"]


class OutOfTurn(Exception):
    """A file's columns depend on files before it that were not read yet: it is read again when it is its turn."""


class OwnColumns(Mapping[str, pa.DataType]):
    """Column → type, of what is stored and of what this run has read since.

    Parameters
    ----------
    parts : the files that are stored
    added : what this run has read so far
    complete : whether all files before the one that asks were read; if not, to ask raises `OutOfTurn`
    """

    def __init__(
        self, parts: Sequence[Path], added: Mapping[str, pa.DataType] | None = None, *, complete: bool = True
    ) -> None:
        self._parts, self.added, self._complete = parts, dict(added or {}), complete
        self._stored: dict[str, pa.DataType] | None = None

    def add(self, schema: pa.Schema) -> None:
        """Note the columns of events that were read."""
        self.added |= {field.name: field.type for field in schema if field.name not in EVENT}

    def __getitem__(self, name: str) -> pa.DataType:
        self._check_turn()
        return self.added[name] if name in self.added else self._of_parts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._of_parts(), **self.added})

    def __len__(self) -> int:
        return len({**self._of_parts(), **self.added})

    def _check_turn(self) -> None:
        if not self._complete:
            raise OutOfTurn

    def _of_parts(self) -> dict[str, pa.DataType]:
        import pyarrow.parquet as pq

        self._check_turn()
        if self._stored is None:
            self._stored = {}
            for path in self._parts:
                schema = pq.read_schema(path)
                self._stored |= {field.name: field.type for field in schema if field.name not in EVENT}
        return self._stored
