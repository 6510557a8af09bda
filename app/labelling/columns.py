"""The features that an analyst chose → the columns of Hunt's list: what stands above them, and each row's value in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from socml.explanations import cell_in_words, feature_columns, feature_label, run_metadata
from socml.project import DataError, Project, Run, Words, open_table, run_features_path, visible_line

MOST = 6  # columns; for more there is no room beside the event


class Column(TypedDict):
    """A feature: the name that the filter knows it by, and what it means."""

    name: str
    about: str


class Columns:
    """The columns of one run's list. What a row has in them is read once, until others are chosen."""

    def __init__(self, project: Project, run: Run) -> None:
        self._path = run_features_path(project, run)
        self._metadata = run_metadata(run, project)
        self._of: tuple[str, ...] = ()
        self._cells: dict[str, list[str]] = {}

    def headings(self, chosen: Sequence[str], say: Words) -> list[Column]:
        """Return what stands above the columns, in the order in which they were chosen."""
        return [{"name": visible_line(name), "about": self.meaning(name, say)} for name in chosen]

    def meaning(self, name: str, say: Words) -> str:
        """Return what a feature means, in words."""
        return feature_label(name, self._metadata, say.language)

    def known(self) -> list[str]:
        """Return the features of the run; none if its feature table is not there any more."""
        if not self._path.is_file():
            return []
        there = open_table(self._path).schema_arrow.names
        return [name for name in self._metadata.get("features", there) if name in there]

    def cells(self, chosen: Sequence[str], row_ids: Iterable[str], say: Words) -> dict[str, list[str]]:
        """Return each row's values in words; a row that the feature table does not have is left out."""
        if self._of != (say.language, *chosen):
            self._of, self._cells = (say.language, *chosen), {}
        wanted = dict.fromkeys(row_ids) if chosen else {}
        if new := [row_id for row_id in wanted if row_id not in self._cells]:
            self._cells |= {row_id: self._in_words(row, chosen, say) for row_id, row in self._read(new, chosen).items()}
        return {row_id: self._cells[row_id] for row_id in wanted if row_id in self._cells}

    def _read(self, row_ids: Sequence[str], chosen: Sequence[str]) -> dict[str, dict[str, Any]]:
        try:
            table = feature_columns(self._path)
            rows = table.take(table.positions(row_ids), chosen).to_dict("index")
        except DataError:  # the table was built anew, or is gone: the list says so by a dash
            return {}
        return {str(row_id): {str(name): cell for name, cell in row.items()} for row_id, row in rows.items()}

    def _in_words(self, row: dict[str, Any], chosen: Sequence[str], say: Words) -> list[str]:
        return [cell_in_words(name, row[name], self._metadata, say) for name in chosen]
