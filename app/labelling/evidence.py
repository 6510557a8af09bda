"""A row of a run → its raw records and what else its entity did, as text that cannot act."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
from labelling.background import Background

from socml.datasets import events_of_row, related_events
from socml.errors import SocmlError
from socml.explanations import explanation_in_words
from socml.inert import visible, visible_line
from socml.project import Project
from socml.triage import Triage
from socml.words import Words
from socml.workspace import features_path, read_metadata

if TYPE_CHECKING:
    import pandas as pd

RECORDS = 20  # raw records of one row that are shown; a window may hold thousands
RELATED = 15
_LONGEST = 4_000  # characters of one record that go to the browser
_LONGEST_CELL = 120
_COLUMNS = 8
_ENTITY = ("source_ip", "user_name", "host_name")  # whom an event is about, if its feature set does not say
_TOLD = (
    "source_ip",
    "destination_ip",
    "destination_port",
    "network_protocol",
    "event_action",
    "event_outcome",
    "user_name",
    "host_name",
    "dns_question_name",
    "url_original",
    "rule_name",
    "connection_state",
    "source_bytes",
    "destination_bytes",
    "duration_s",
)


class Evidence:
    """The records behind the rows of one run, each read once."""

    def __init__(self, project: Project, triage: Triage, background: Background) -> None:
        self._project = project
        self._dataset = str(triage.run["dataset"])
        self._run_id = str(triage.run["run_id"])
        self._background = background
        path = _features_of(triage.run, project)
        self._features = ds.dataset(str(path)) if path.is_file() else None
        self._metadata = read_metadata(path) if path.is_file() else {}
        self._read: dict[str, Any] = {}

    def of(self, row_id: str, say: Words) -> dict[str, Any]:
        """Return raw records and related events of one row in words; a record that cannot be read says why.

        `normal`, what would make the row ordinary, is null while it is being worked out.
        """
        normal = self._normal(row_id, say)
        if row_id not in self._read:
            try:
                self._read[row_id] = self._events(row_id)
            except SocmlError as error:
                nothing: dict[str, Any] = {"raw": [], "related": [], "related_columns": []}
                return {**nothing, "normal": normal, "error": visible_line(error)}
        own, related = self._read[row_id]
        columns = [name for name in _TOLD if name in related and related[name].notna().any()][:_COLUMNS]
        here = set(own["event_id"])
        return {
            "raw": [_record(event, say) for event in own.to_dict("records")],
            "related": [_line(event, columns, here, say) for event in related.to_dict("records")],
            "related_columns": ["time", *columns] if len(related) else [],
            "normal": normal,
            "error": "",
        }

    def _normal(self, row_id: str, say: Words) -> list[str] | None:
        answer = self._background.ask(
            ("normal", self._run_id, row_id, say.language),
            lambda: explanation_in_words(self._run_id, row_id, project=self._project, language=say.language),
        )
        if answer.pending:
            return None
        return [visible(answer.value.would_be_normal)] if answer.value is not None else []

    def _events(self, row_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        row = self._row(row_id)
        own = events_of_row(
            self._dataset, row=row, feature_metadata=self._metadata, limit=RECORDS, project=self._project
        )
        names = [name for name in self._metadata.get("entity", []) if name in row]
        entity = {name: row[name] for name in names}
        if not entity and len(own):
            first = own.iloc[0]
            entity = next(({name: first[name]} for name in _ENTITY if first[name] is not None), {})
        around = row.get("time")
        if not entity:
            return own, own.iloc[:0]
        related = related_events(
            self._dataset, entity=entity, around=around, limit=RELATED, project=self._project
        )
        return own, related

    def _row(self, row_id: str) -> dict[str, Any]:
        if self._features is None:
            return {"row_id": row_id, "time": None}
        names = ["row_id", "time", *self._metadata.get("entity", [])]
        known = [name for name in dict.fromkeys(names) if name in self._features.schema.names]
        rows = self._features.to_table(columns=known, filter=ds.field("row_id") == row_id).to_pylist()
        return dict(rows[0]) if rows else {"row_id": row_id, "time": None}


def _features_of(run: dict[str, Any], project: Project) -> Path:
    if run.get("features_path"):
        return (project.workspace / run["features_path"]).resolve()
    return features_path(project, str(run["dataset"]), str(run["feature_set"]))


def time_text(value: Any, say: Words) -> str:
    """Return a moment as it is written in the language, in UTC; a dash where there is none."""
    if value is None or value != value:  # noqa: PLR0124  NaT is not itself
        return "—"
    return str(value.strftime(say("app.time")))


def _record(event: dict[str, Any], say: Words) -> dict[str, str]:
    raw = str(event["raw"])
    cut = f"\n… (+{say.number(len(raw) - _LONGEST)})" if len(raw) > _LONGEST else ""
    where = say("app.triage.raw.where", file=event["source_file"], line=say.number(event["source_line"]))
    return {"text": visible(raw[:_LONGEST]) + cut, "where": visible_line(where)}


def _line(event: dict[str, Any], columns: list[str], here: set[str], say: Words) -> dict[str, Any]:
    cells = [time_text(event["time"], say), *[_cell(name, event[name], say) for name in columns]]
    return {"cells": cells, "here": event["event_id"] in here}


def _cell(name: str, value: Any, say: Words) -> str:
    if value is None or value != value:  # noqa: PLR0124  NaN is not itself
        return ""
    if name.endswith("_port"):
        return str(int(value))
    if isinstance(value, int | float):
        return say.number(value, 0 if value == int(value) else 3)
    return visible_line(value)[:_LONGEST_CELL]
