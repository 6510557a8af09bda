"""A table of event ids beside the records → ground truth for every event, those that it does not list included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from socml.errors import DataError
from socml.recipes import DatasetRecipe
from socml.tables import TRUTH, check_table


@dataclass(frozen=True)
class TruthFile:
    """Ground truth keyed by event id. `others` is what an event is that the file does not list."""

    path: Path
    table: pa.Table
    others: bool | None

    def of(self, ids: list[str]) -> pa.Table:
        """Return the truth of these events, one row each: malicious, family, technique."""
        listed = self.table["event_id"].combine_chunks()
        rows = pc.index_in(pa.array(ids, pa.string()), value_set=listed)
        found = self.table.select(["malicious", "family", "technique"]).take(rows)
        malicious = pc.if_else(rows.is_valid(), found["malicious"], pa.scalar(self.others, pa.bool_()))
        return found.set_column(0, "malicious", malicious)


def find_truth_file(recipe: DatasetRecipe, files: list[Path]) -> TruthFile | None:
    """Return the truth that a recipe says lies beside the records, None if it names no file.

    Raises
    ------
    DataError
        If there is no such file beside any of the records, or it is not a table of truth.
    """
    if recipe.truth is None or not recipe.truth.file:
        return None
    for folder in dict.fromkeys(parent for file in files for parent in file.resolve().parents[:2]):
        path = (folder / recipe.truth.file).resolve()
        if path.is_file() and path.is_relative_to(folder):
            try:
                table = check_table(pq.read_table(path), TRUTH, what=str(path))
            except pa.ArrowInvalid as error:
                raise DataError(f"{path} is not a Parquet file: {error}") from error
            return TruthFile(path, table, False if recipe.truth.others == "benign" else None)
    raise DataError(
        f"Dataset {recipe.name!r} says its ground truth is {recipe.truth.file!r} beside the records, but there is none."
    )
