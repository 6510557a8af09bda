"""A row of a run → its raw records and what else its entity did, as text that cannot act.

Both are read in the background, ahead of the event on screen: a busy entity has many, and a verdict waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from figures import cell_text, error_in_words

from labelling.background import Answer, background
from socml.explanations import feature_columns, normal_of_rows
from socml.ingestion import RowEvents, events_of_rows
from socml.project import Project, SocmlError, Words, read_metadata, run_features_path, visible, visible_line
from socml.review import Triage

RECORDS = 20  # raw records of one row that are shown; a window may hold thousands
RELATED = 15
PATIENCE_S = 0.8  # that the first event of a page waits for its records, to come with them
FIRST, AT_ONCE = 4, 30  # rows whose records are read together: few while the first is waited for
SOON, MANY = 8, 10  # rows ahead of which none may lack, and that may lack further down
_LONGEST = 4_000  # characters of one record that go to the browser
_LONGEST_CELL = 120
_COLUMNS = 8
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
        self._path = path if path.is_file() else None
        self._metadata = read_metadata(path) if path.is_file() else {}
        self._begun: dict[str, Hashable] = {}  # worker → the last question of the reading begun last

    def of(self, row_ids: Sequence[str], say: Words, *, but: Collection[str] = ()) -> dict[str, Any]:
        """Return the records of those of `row_ids` that are read by now, `but` some; the others are being read after this.

        The first is wanted most. A row whose records cannot be read says why.
        """
        found: dict[str, Any] = {}
        for row_id, answer in self._ahead(row_ids, "records", self._question, self._events, but).items():
            found[row_id] = (
                self._told(answer.value[row_id], say) if answer.value is not None else _unread(answer.error, say)
            )
        return found

    def normal(self, row_ids: Sequence[str], say: Words, *, but: Collection[str] = ()) -> dict[str, list[str]]:
        """Return what would make each of `row_ids` ordinary, `but` some, where that is worked out by now."""
        language = say.language

        def work(some: Sequence[str]) -> dict[str, str]:
            return normal_of_rows(self._run_id, some, project=self._project, language=language)

        ready = self._ahead(row_ids, "explanations", lambda row_id: self._normal_question(row_id, language), work, but)
        return {
            row_id: [visible(answer.value[row_id])] if answer.value is not None else []
            for row_id, answer in ready.items()
        }

    def _told(self, read: RowEvents, say: Words) -> dict[str, Any]:
        own, related = read.own, read.related
        columns = [name for name in _TOLD if name in related.column_names and related[name].null_count < len(related)]
        columns = columns[:_COLUMNS]
        here = set(own["event_id"].to_pylist())
        return {
            "raw": [_record(event, say) for event in own.to_pylist()],
            "related": [_line(event, columns, here, say) for event in related.to_pylist()],
            "related_columns": ["time", *columns] if len(related) else [],
            "error": "",
        }

    def _ahead(
        self,
        row_ids: Sequence[str],
        worker: str,
        question: Callable[[str], Hashable],
        work: Callable[[Sequence[str]], Mapping[str, Any]],
        but: Collection[str],
    ) -> dict[str, Answer]:
        """Return what is answered, `but` some rows, and start what nobody asked: when a page is opened, the first rows by themselves.

        While one reading is under way none is begun: what is wanted may be another by then. Nor is one begun for a few
        rows that are far down: it costs about as much as one for many.
        """
        questions = {row_id: question(row_id) for row_id in dict.fromkeys(row_ids)}
        line = background(worker)
        known = {row_id: line.known(one) for row_id, one in questions.items()}
        last = line.known(self._begun[worker]) if worker in self._begun else None
        new = [row_id for row_id, answer in known.items() if answer is None]
        worth = len(new) >= MANY or any(row_id in new for row_id in row_ids[:SOON])
        if worth and not (last and last.pending):
            first = AT_ONCE if worker in self._begun else FIRST
            for some in (new[:first], new[first:AT_ONCE]):
                line.start([questions[row_id] for row_id in some], partial(work, some))
            self._begun[worker] = questions[new[:AT_ONCE][-1]]
        return {
            row_id: answer
            for row_id, answer in known.items()
            if answer is not None and not answer.pending and row_id not in but
        }

    def wait_for(self, row_ids: Sequence[str]) -> None:
        """Begin to read rows, and wait a little for the first: a page that asks again takes longer."""
        self._ahead(row_ids, "records", self._question, self._events, ())
        background("records").wait(self._question(row_ids[0]), PATIENCE_S)

    def _question(self, row_id: str) -> Hashable:
        return ("events", str(self._project.workspace), self._run_id, row_id)

    def _normal_question(self, row_id: str, language: str) -> Hashable:
        return ("normal", str(self._project.workspace), self._run_id, row_id, language)

    def _events(self, row_ids: Sequence[str]) -> dict[str, RowEvents]:
        return events_of_rows(
            self._dataset,
            rows=self._rows(row_ids),
            entity=list(self._metadata.get("entity", [])),
            window_seconds=int(self._metadata.get("window_seconds") or 0),
            told=_TOLD,
            own_limit=RECORDS,
            related_limit=RELATED,
            project=self._project,
        )

    def _rows(self, row_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return row_id, time and entity of rows, in the order asked for."""
        found: dict[str, dict[str, Any]] = {}
        if self._path is not None:
            columns = feature_columns(self._path)
            names = ["time", *self._metadata.get("entity", [])]
            rows = columns.take(columns.positions(row_ids), names).reset_index()
            found = {
                str(row["row_id"]): {str(name): cell for name, cell in row.items()} for row in rows.to_dict("records")
            }
        return [found.get(row_id, {"row_id": row_id, "time": None}) for row_id in row_ids]


def _unread(error: SocmlError | None, say: Words) -> dict[str, Any]:
    return {"raw": [], "related": [], "related_columns": [], "error": visible_line(error_in_words(error, say))}


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
    cells = [time_text(event["time"], say), *[cell_text(name, event[name], say, _LONGEST_CELL) for name in columns]]
    return {"cells": cells, "here": event["event_id"] in here}
