"""What the page Today reports → verdicts in the store, and the day as the browser draws it.

Every message is safe to take twice: `client_id` makes the store keep it once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st
from addressed import link
from figures import error_in_words
from labelling.choices import choices, sentences
from labelling.exchange import as_list, seen_ms

from daylist.event_pages import EventPages, key_of
from daylist.exchange import DayPayload
from daylist.rows import before_text, day_text, false_text, note_of, opinions_of, row_payload, strip_payload
from socml.jobs import BLIND, BY_LOT, LISTED, MODEL, QUEUES, Today, TodayList, TodayRow, effect_in_words
from socml.labels import SEEN_LEAST_MS, LabelStore, NewLabel, SavedView, SavedViews
from socml.project import (
    DataError,
    Project,
    Sentence,
    SocmlError,
    TryLater,
    UnknownName,
    Words,
    recipe_names,
    visible_line,
)

if TYPE_CHECKING:
    import pandas as pd
    from frame import Visit

PAST = 100  # own verdicts that the browser may take back
KEPT_EFFECTS = 30
_PREFIX = "today."


@dataclass(frozen=True)
class DayReport:
    """What the component says: messages not acknowledged, which day it shows, and which events it lacks."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    events: tuple[dict[str, Any], ...] = ()
    day: str = ""
    dataset: str = ""
    scope: str = ""
    tick: str = ""
    queue: str = ""

    @classmethod
    def read(cls, state: object) -> DayReport:
        """Return the report in `state`, empty if it is none; a browser's word is not trusted for its shape."""
        if not isinstance(state, Mapping):
            return cls()
        messages = [dict(m) for m in as_list(state.get("messages")) if isinstance(m, Mapping) and m.get("client_id")]
        events = tuple(dict(e) for e in as_list(state.get("events")) if isinstance(e, Mapping))[:10]
        texts = {name: str(state.get(name) or "") for name in ("day", "dataset", "scope", "tick", "queue")}
        return cls(messages, events, **texts)


class DayDesk:
    """One person before one dataset's days, for one session of the page."""

    def __init__(self, today: Today, analyst: str, store: LabelStore, *, may_write: bool) -> None:
        self.today, self.by, self._store, self.may_write = today, analyst, store, may_write
        self.scope = f"{today.project.workspace} {today.dataset}"
        self._done: set[str] = set()
        self._problems: dict[str, Exception] = {}
        self._effects: dict[str, str] = {}
        self._events = EventPages(today)
        self._lists: dict[str, TodayList] = {}

    def receive(self, report: DayReport, say: Words) -> bool:
        """Record what is new in a report, in the order it was given; say whether anything was."""
        if report.scope != f"{self.scope} {self.by}":
            return False
        new = [m for m in report.messages if str(m["client_id"]) not in self._done]
        for message in new:
            client_id = str(message["client_id"])
            try:
                self._record(message, client_id, say)
            except TryLater as error:
                self._problems[client_id] = error
                break  # it stays in the browser, and what follows it too
            except (SocmlError, TypeError, ValueError) as error:
                self._problems[client_id] = error
            self._done.add(client_id)
        return any(str(m["client_id"]) in self._done for m in new)

    def take_problems(self, say: Words) -> list[str]:
        """Return what could not be recorded, once."""
        problems, self._problems = list(dict.fromkeys(error_in_words(one, say) for one in self._problems.values())), {}
        return problems

    def payload(self, report: DayReport, say: Words, *, day: str, queue: str = "") -> DayPayload:
        """Return the day as the component draws it; `day` and `queue` are the address's, until the browser says others."""
        queue = report.queue or queue
        queue = queue if queue in QUEUES else LISTED
        listed = self._of(report.day or day, queue)
        self._lists = {str(listed.day): listed}
        current = self._store.current(dataset=self.today.dataset)
        judged = self._store.reasons.current(dataset=self.today.dataset)
        given = self._store.by_analyst(dataset=self.today.dataset)
        opinions = opinions_of(given, say)
        cases = _case_of_rows(self._store, self.today.dataset)
        rows = [
            self._row(row, listed, current, judged, opinions.get(row.row_id, ""), cases, say) for row in listed.rows
        ]
        wanted = [e for e in report.events if report.dataset == self.today.dataset]
        if not wanted and rows:
            wanted = [{"key": key_of(rows[0]["id"]), "row": rows[0]["id"]}]
        return {
            "least_seen_ms": SEEN_LEAST_MS,
            "answers": report.tick,  # an answer like the one before would not reach the component
            "scope": self.scope,
            "by": self.by,
            "may_write": self.may_write,
            "lang": say.language,
            "words": _sentences(say),
            **choices(say),
            "columns": self._events.titles(say),
            "dataset": self.today.dataset,
            "day": str(listed.day),
            "queue": queue,
            "queues": [{"value": name, "text": say(f"today.queue.{name}")} for name in QUEUES],
            "days": [{"day": str(one), "text": day_text(one, say)} for one in listed.days],
            "rows": rows,
            "of_all": listed.of_all,
            "new": listed.new,
            "false_expected": false_text(listed, say),
            "note": note_of(listed, say),
            "views": [
                view_payload(v, self.by)
                for v in self._store.views.seen_by(self.by, dataset=self.today.dataset, page="")
            ],
            "events": self._events.of(wanted, self._store, say),
            "history": self._history(judged, given),
            "acked": [str(m["client_id"]) for m in report.messages if str(m["client_id"]) in self._done],
            "effects": self._effects,
            "entity_link": link("entity", dataset=self.today.dataset),
            "pages": {
                name: link(name, dataset=self.today.dataset) for name in ("hunt", "cases", "labels", "runs", "data")
            }
            | {"today": link("", dataset=self.today.dataset)},
        }

    def _row(
        self,
        row: TodayRow,
        listed: TodayList,
        current: pd.DataFrame,
        judged: Any,
        opinions: str,
        cases: dict[str, str],
        say: Words,
    ) -> dict[str, Any]:
        days = self.today.strip(self._store, row.role, row.entity, until=listed.day)
        more = {
            "strip": strip_payload(days, current, listed.day, say),
            "before": before_text(days, current, listed.day, say),
            "opinions": opinions,
        }
        whole = row_payload(row, listed, current, judged, cases, say) | more
        blind = row.cause in BLIND and (whole["verdict"] or {}).get("by") != visible_line(self.by)
        return whole | ({"verdict": None, "judged": {}, "opinions": ""} if blind else {})

    def _of(self, day: str, queue: str) -> TodayList:
        try:
            return self.today.of(self._store, day, queue=queue, by=self.by)
        except UnknownName:
            return self.today.of(self._store, queue=queue, by=self.by)

    def _record(self, message: Mapping[str, Any], client_id: str, say: Words) -> None:
        if not self.may_write:
            raise DataError(Sentence("error.viewer"))
        if message.get("kind") == "undo":
            self._undo(str(message.get("undo_of", "")), client_id)
            return
        if str(message.get("kind", "")).startswith("view."):
            record_view(self._store.views, message, client_id, by=self.by, dataset=self.today.dataset)
            return
        day, verdict = str(message.get("day", "")), str(message.get("verdict", ""))
        queue = str(message.get("queue") or LISTED)
        listed = self._of(day, queue if queue in QUEUES else LISTED)
        rows = {row.row_id: row for row in listed.rows}
        wanted = [str(row_id) for row_id in as_list(message.get("row_ids")) if str(row_id) in rows]
        if not wanted:
            raise DataError(Sentence("error.not_recorded.row_gone"))
        seen, family = seen_ms(message), str(message.get("family") or "")
        before = [row.row_id for row in self.today.of(self._store, str(listed.day)).rows]
        if family:
            self._store.reasons.give(
                wanted[0], family, verdict, by=self.by, client_id=client_id, dataset=self.today.dataset, seen_ms=seen
            )
        else:
            self._store.record(self._labels(message, [rows[row] for row in wanted], verdict, client_id, seen, listed))
        after = [row.row_id for row in self.today.of(self._store, str(listed.day)).rows]
        moved = sum(row not in before or before.index(row) != place for place, row in enumerate(after))
        self._effects[client_id] = effect_in_words(rows[wanted[0]], verdict, family, moved, say)
        while len(self._effects) > KEPT_EFFECTS:
            del self._effects[next(iter(self._effects))]

    def _labels(
        self,
        message: Mapping[str, Any],
        rows: Sequence[TodayRow],
        verdict: str,
        client_id: str,
        seen: int,
        listed: TodayList,
    ) -> list[NewLabel]:
        """Return a label a row: the first is the one that was on screen, the others of its group carry its batch."""
        common: dict[str, Any] = {
            "by": self.by,
            "dataset": self.today.dataset,
            "reason": str(message.get("reason") or ""),
            "note": str(message.get("note") or ""),
            "how": "click" if message.get("how") == "click" else "key",
            "batch_id": client_id if len(rows) > 1 else "",
            "strategy": "today",
        }
        cause = rows[0].cause
        if cause != LISTED:
            common["queue_reason"] = cause
        if cause == BY_LOT:
            common["inclusion_probability"] = 1.0 / max(self.today.drawn_from(self._store, str(listed.day)), 1)
        return [
            NewLabel(row.row_id, verdict, client_id=client_id if not i else f"{client_id}:{i}", seen_ms=seen, **common)
            for i, row in enumerate(rows)
        ]

    def _undo(self, of: str, client_id: str) -> None:
        label = self._store.find(of)
        if label is None:
            self._store.reasons.undo(of, by=self.by, client_id=client_id)
        elif label.batch_id:
            self._store.undo_batch(label.batch_id, by=self.by, client_id=client_id)
        else:
            self._store.undo(of_client_id=of, by=self.by, client_id=client_id)

    def _history(self, judged: Mapping[tuple[str, str], Any], given: pd.DataFrame) -> list[dict[str, Any]]:
        """Return this person's verdicts that stand on listed rows, the oldest first."""
        rows = {row.row_id for listed in self._lists.values() for row in listed.rows}
        mine = given[(given["by"] == self.by) & given["row_id"].isin(rows)]
        found: dict[str, dict[str, Any]] = {}
        for label in mine.to_dict("records"):
            batch = label["batch_id"] if isinstance(label["batch_id"], str) and label["batch_id"] else ""
            key = batch or str(label["client_id"])
            texts = {n: label[n] if isinstance(label[n], str) else "" for n in ("reason", "note")}
            done = {"client_id": key, "row_ids": [], "verdict": label["verdict"], "family": "", "at": label["time"]}
            found.setdefault(key, {**done, **texts})["row_ids"].append(str(label["row_id"]))
        for (row_id, family), verdict in judged.items():
            if verdict.by == self.by and row_id in rows:
                one = {"client_id": verdict.client_id, "row_ids": [row_id], "verdict": verdict.verdict}
                found[verdict.client_id] = one | {"family": family, "at": verdict.time}
        whole = sorted(found.values(), key=lambda one: one["at"])
        return [{name: value for name, value in one.items() if name != "at"} for one in whole[-PAST:]]


def open_day_desk(visit: Visit) -> DayDesk:
    """Return the session's desk, opened anew when the dataset or the person changed."""
    wanted = (str(visit.project.workspace), visit.dataset, visit.analyst, visit.may_write)
    if st.session_state.get("day_desk_of") != wanted:
        today = kept_today(visit.project, visit.dataset)
        st.session_state["day_desk"] = DayDesk(today, visit.analyst, visit.store, may_write=visit.may_write)
        st.session_state["day_desk_of"] = wanted
    desk: DayDesk = st.session_state["day_desk"]
    return desk


_KEPT: dict[tuple[str, str], Today] = {}
_LOCK = threading.Lock()


def has_list(visit: Visit) -> bool:
    """Return whether the project has a daily list; if it has none, say so, and how to get one."""
    if MODEL in recipe_names("models", visit.project):
        return True
    st.subheader(visit.say("today.empty.no_list"), anchor=False)
    st.text(visit.say("today.empty.no_list_about"))
    return False


def kept_today(project: Project, dataset: str) -> Today:
    """Return the process's one list of a dataset, so that days are scored once for everybody."""
    with _LOCK:
        key = (str(project.workspace), dataset)
        if key not in _KEPT:
            _KEPT[key] = Today(dataset, project=project)
        return _KEPT[key]


def _sentences(say: Words) -> dict[str, str]:
    own = {key.removeprefix(_PREFIX): text for key, text in say.catalogue.items() if key.startswith(_PREFIX)}
    return sentences(say) | {key: text for key, text in own.items() if not key.startswith("short.")}


def _case_of_rows(store: LabelStore, dataset: str) -> dict[str, str]:
    """Return row_id → the id of the case it was put in last."""
    entries = store.journal.entries("case.row", dataset=dataset)
    found: dict[str, str] = {}
    for entry in entries:
        row = str(entry.body.get("row_id", ""))
        if entry.kind == "case.row_added":
            found[row] = entry.subject
        elif found.get(row) == entry.subject:
            del found[row]
    return found


def record_view(views: SavedViews, message: Mapping[str, Any], client_id: str, *, by: str, dataset: str) -> None:
    """Save, rename or delete a view as a message says; each is safe to take twice.

    Raises
    ------
    DataError
        If the message says nothing of the kind, or the view is another person's.
    """
    kind, view_id, name = (str(message.get(key) or "") for key in ("kind", "id", "name"))
    if kind == "view.save":
        state = message.get("state")
        kept = {str(key): str(value) for key, value in state.items()} if isinstance(state, Mapping) else {}
        shared = message.get("shared") is True
        views.save(name, kept, by=by, dataset=dataset, shared=shared, client_id=client_id)
    elif kind == "view.rename":
        views.rename(view_id, name, by=by, client_id=client_id)
    elif kind == "view.delete":
        views.delete(view_id, by=by, client_id=client_id)
    else:
        raise DataError(f"Not recorded: {kind!r} is nothing that can be done to a view.")


def view_payload(view: SavedView, by: str) -> dict[str, Any]:
    """Return a view as the component lists it."""
    return {
        "id": view.id,
        "name": visible_line(view.name),
        "by": visible_line(view.by),
        "own": view.by == by,
        "shared": view.shared,
        "state": dict(view.state),
    }
