"""The parts of a dataset → the types of the columns that are a table's own, read from the files when first asked for.

Only tables have such columns. A night of logs asks for none, so that what it costs does not grow with the parts there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from socml.ingestion.staging import Staging
from socml.project import EVENT

__all__ = ["OwnColumns"]


class OwnColumns(Mapping[str, pa.DataType]):
    """Column → type, of what is stored and of what this run has read since."""

    def __init__(self, stage: Staging) -> None:
        self._stage = stage
        self._added: dict[str, pa.DataType] = {}
        self._stored: dict[str, pa.DataType] | None = None

    def add(self, schema: pa.Schema) -> None:
        """Note the columns of events that were read."""
        self._added |= {field.name: field.type for field in schema if field.name not in EVENT}

    def __getitem__(self, name: str) -> pa.DataType:
        return self._added[name] if name in self._added else self._of_parts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._of_parts(), **self._added})

    def __len__(self) -> int:
        return len({**self._of_parts(), **self._added})

    def _of_parts(self) -> dict[str, pa.DataType]:
        import pyarrow.parquet as pq

        if self._stored is None:
            self._stored = {}
            for part in self._stage.before.parts:
                schema = pq.read_schema(self._stage.stored / part.file)
                self._stored |= {field.name: field.type for field in schema if field.name not in EVENT}
        return self._stored
