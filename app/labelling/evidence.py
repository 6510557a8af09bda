"""A row of a run → its raw records and what else its entity did, as text that cannot act.

Both are read in the background, ahead of the event on screen: a busy entity has many, and a verdict waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds

from labelling.background import Answer, background
from socml.explanations import explanation_in_words
from socml.ingestion import events_of_row, related_events
from socml.project import Project, Words, read_metadata, run_features_path, visible, visible_line
from socml.review import Triage

if TYPE_CHECKING:
    import pandas as pd

RECORDS = 20  # raw records of one row that are shown; a window may hold thousands
RELATED = 15
AT_ONCE = 4  # questions in line
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

    def __init__(self, project: Project, triage: Triage) -> None:
        self._project = project
        self._dataset = str(triage.run["dataset"])
        self._run_id = str(triage.run["run_id"])
        path = run_features_path(project, triage.run)
        self._features = ds.dataset(str(path)) if path.is_file() else None
        self._metadata = read_metadata(path) if path.is_file() else {}

    def of(self, row_ids: Sequence[str], say: Words) -> dict[str, Any]:
        """Return the records of those of `row_ids` that are read by now; a few more are being read after this.

        The first is wanted most. A row whose records cannot be read says why.
        """
        found: dict[str, Any] = {}
        for row_id, answer in _first_ready(row_ids, self._asked):
            found[row_id] = self._told(answer.value, say) if answer.value is not None else _unread(answer.error)
        return found

    def normal(self, row_ids: Sequence[str], say: Words) -> dict[str, list[str]]:
        """Return what would make each of `row_ids` ordinary, where that is worked out by now."""
        ready = _first_ready(row_ids, lambda row_id: self._asked_normal(row_id, say))
        return {
            row_id: [visible(answer.value.would_be_normal)] if answer.value is not None else []
            for row_id, answer in ready
        }

    def _told(self, read: tuple[pd.DataFrame, pd.DataFrame], say: Words) -> dict[str, Any]:
        own, related = read
        columns = [name for name in _TOLD if name in related and related[name].notna().any()][:_COLUMNS]
        here = set(own["event_id"])
        return {
            "raw": [_record(event, say) for event in own.to_dict("records")],
            "related": [_line(event, columns, here, say) for event in related.to_dict("records")],
            "related_columns": ["time", *columns] if len(related) else [],
            "error": "",
        }

    def _asked(self, row_id: str) -> Answer:
        question = ("events", str(self._project.workspace), self._run_id, row_id)
        return background("records").ask(question, lambda: self._events(row_id))

    def _asked_normal(self, row_id: str, say: Words) -> Answer:
        question = ("normal", str(self._project.workspace), self._run_id, row_id, say.language)
        return background("explanations").ask(
            question,
            lambda: explanation_in_words(self._run_id, row_id, project=self._project, language=say.language),
        )

    def _events(self, row_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        row = self._row(row_id)
        own = events_of_row(
            self._dataset, row=row, feature_metadata=self._metadata, limit=RECORDS, project=self._project
        )
        names = [name for name in self._metadata.get("entity", []) if row.get(name) is not None]
        entity = {name: row[name] for name in names}
        if not entity and len(own):
            first = own.iloc[0]
            entity = next(({name: first[name]} for name in _ENTITY if first[name] is not None), {})
        around = row.get("time")
        if not entity:
            return own, own.iloc[:0]
        related = related_events(self._dataset, entity=entity, around=around, limit=RELATED, project=self._project)
        return own, related

    def _row(self, row_id: str) -> dict[str, Any]:
        if self._features is None:
            return {"row_id": row_id, "time": None}
        names = ["row_id", "time", *self._metadata.get("entity", [])]
        known = [name for name in dict.fromkeys(names) if name in self._features.schema.names]
        rows = self._features.to_table(columns=known, filter=ds.field("row_id") == row_id).to_pylist()
        return dict(rows[0]) if rows else {"row_id": row_id, "time": None}


def _first_ready(row_ids: Sequence[str], ask: Callable[[str], Answer]) -> list[tuple[str, Answer]]:
    """Return what is answered; not too much is asked at once, so that what is wanted next need not wait in line."""
    ready, pending = [], 0
    for row_id in dict.fromkeys(row_ids):
        answer = ask(row_id)
        pending += answer.pending
        if not answer.pending:
            ready.append((row_id, answer))
        if pending >= AT_ONCE:
            break
    return ready


def _unread(error: str) -> dict[str, Any]:
    return {"raw": [], "related": [], "related_columns": [], "error": visible_line(error)}


def time_text(value: Any, say: Words) -> str:
    """Return a moment as it is written in the language, in UTC; a dash where there is none."""
    if value is None or value != value:  # noqa: PLR0124  NaT is not itself
        return "—"
    return str(value.strftime(say("app.time")))


def _record(event: Mapping[Any, Any], say: Words) -> dict[str, str]:
    raw = str(event["raw"])
    cut = f"\n… (+{say.number(len(raw) - _LONGEST)})" if len(raw) > _LONGEST else ""
    where = say("app.triage.raw.where", file=event["source_file"], line=say.number(event["source_line"]))
    return {"text": visible(raw[:_LONGEST]) + cut, "where": visible_line(where)}


def _line(event: Mapping[Any, Any], columns: list[str], here: set[str], say: Words) -> dict[str, Any]:
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
