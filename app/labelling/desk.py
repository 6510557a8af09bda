"""What the component reports → labels recorded through `Triage`, and what it needs to draw the next events.

Every message is safe to take twice: `client_id` makes the store keep it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, cast

import streamlit as st
from figures import error_in_words
from people import kept_store

from labelling.background import background
from labelling.choices import FAMILIES, choices, sentences
from labelling.closing import leave_when_closed
from labelling.columns import Columns
from labelling.evidence import Evidence
from labelling.exchange import Payload, Report, as_list, seen_ms
from labelling.items import Items, label_line
from labelling.sharing import Offers, similar_events
from socml.labels import SEEN_LEAST_MS, LabelEvent, LabelStore
from socml.project import Project, SocmlError, TryLater, Words
from socml.review import LiveRanking, Triage, rows_that_fit, warm_up

STRATEGY = "mixed"
SECOND_LOOKS = ("likely-error", "second-opinion", "check-suggestion")
BLIND = SECOND_LOOKS[1:]  # nobody sees what was said before, or the second opinion would be the first
SHOWN = 25  # rows of which it is told how many are new
WATCHED = 100  # rows among which moves are counted
AHEAD = 30  # events whose records are read before the page asks for them
PAST = 200  # own labels that the browser may take back
NOT_LABELS = ("undo", "propagate", "undo_batch")  # kinds of messages that are recorded each by itself
_TEXTS = ("reason", "family", "note")


class Desk:
    """One analyst before one run, for one session of the page."""

    def __init__(
        self,
        project: Project,
        run_id: str,
        analyst: str,
        store: LabelStore,
        *,
        may_write: bool = True,
        strategy: str = STRATEGY,
        only: str = "",
    ) -> None:
        ranking = kept_ranking(project, run_id)
        fits = rows_that_fit(ranking, only) if only else None
        self.triage = Triage(by=analyst, strategy=strategy, store=store, ranking=ranking, only=fits)
        self.only = only
        self.fit = None if fits is None else int(fits.sum())  # rows that the filter leaves, labelled ones among them
        self._offers = Offers(self.triage, leases=may_write)
        self._may_write = may_write
        self.scope = f"{run_id} {analyst}"
        self._store = store
        self._done: set[str] = set()
        self._problems: dict[str, Exception] = {}
        self._current: dict[int, LabelEvent] = {}
        self._last_event = 0
        self._moves: tuple[int, int, int] | None = None
        self._sent: dict[str, set[str]] = {"raw": set(), "normal": set()}  # the rows whose evidence this page was given
        self._items = Items(project, self.triage)
        self._evidence = Evidence(project, self.triage)
        self.columns = Columns(project, self.triage.run)

    def has(self, row_id: str) -> bool:
        """Say whether the run has this row."""
        return self.triage.has(row_id)

    def receive(self, report: Report) -> bool:
        """Record what is new in a report, in the order it was given; say whether anything was."""
        if report.scope != self.scope:
            return False
        new = [m for m in report.messages if str(m["client_id"]) not in self._done]
        if not new:
            return False
        before = self._order(WATCHED)
        for _, together in groupby(new, key=lambda m: str(m["client_id"]) if m.get("kind") in NOT_LABELS else ""):
            if not self._take(list(together)):
                break  # it stays in the browser, and what follows it too
        recorded = [m for m in new if str(m["client_id"]) in self._done]
        if recorded:
            self._moves = moves(before, self._order(WATCHED), {str(m.get("row_id", "")) for m in recorded})
        return bool(recorded)

    def _take(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Record labels in one step, or one by one where one of them cannot be; say whether the store took its part."""
        first = str(messages[0]["client_id"])
        try:
            self._record(messages)
        except TryLater as error:
            self._problems[first] = error
            return False
        except (SocmlError, TypeError, ValueError) as error:
            if len(messages) > 1:
                return all(self._take([message]) for message in messages)
            self._problems[first] = error
        self._done.update(str(message["client_id"]) for message in messages)
        return True

    def leave(self) -> None:
        """Give back the events that were offered; if the store is away, their leases end by themselves."""
        if self._may_write:
            with suppress(TryLater):
                self.triage.leave()

    def take_problems(self, say: Words) -> list[str]:
        """Return what could not be recorded, once."""
        problems, self._problems = list(dict.fromkeys(error_in_words(one, say) for one in self._problems.values())), {}
        return problems

    def payload(self, report: Report, say: Words, *, open_row: str, columns: Sequence[str] = ()) -> Payload:
        """Return what the component draws from. Events it holds already in this language are left out."""
        self.triage.refresh()
        self._catch_up()
        current = report.scope == self.scope
        holds = report.holds if current and report.lang == say.language else frozenset()
        queue = self._offers.next(report if current else Report(), open_row)
        reasons = {str(row): str(reason) for row, reason in queue.items()}
        order = list(reasons)
        history = self._history()
        near = [label["row_id"] for label in history[-12:]]
        first = list(dict.fromkeys([*([open_row] if open_row else []), *order]))[:AHEAD]
        if not holds:
            self._sent = {part: set() for part in self._sent}
        if not holds and first:
            self._evidence.wait_for(first)
        similar = similar_events(self.triage, self._items, report.similar if current else {}, say)
        shown = [report.on_screen] if current and self.has(report.on_screen) else []
        rows = dict.fromkeys([*([open_row] if open_row else []), *shown, *order, *near])
        items = self._items.of([row for row in rows if row not in holds], reasons, say)
        evidence = self._evidence_of(report, first, say)
        self._items.prepare()  # after what is asked for now
        background("warming up").start(["kernels"], warm_up)
        return {
            "least_seen_ms": SEEN_LEAST_MS,
            "only": self.only,
            "answers": report.tick,  # an answer like the one before would not reach the component
            "run": self.triage.run["run_id"],
            "by": self.triage.by,
            "may_write": self._may_write,
            "lang": say.language,
            "words": sentences(say),
            **choices(say),
            "order": order,
            "open": open_row,
            "items": items,
            "columns": self.columns.headings(columns, say),
            "cells": self.columns.cells(columns, [*rows, *(row for row in holds if self.has(row))], say),
            # As they are sent, not as they are by now: the page asks again for what it got without an explanation.
            "explaining": [row for row, item in items.items() if item.get("pending")],
            "labels": self._labels_of([row for row in rows if reasons.get(row) not in BLIND], say),
            "again": [row for row, reason in reasons.items() if reason in SECOND_LOOKS],
            "held": self._offers.elsewhere([open_row, report.on_screen], say),
            "similar": similar,
            "evidence": evidence,
            "history": history,
            "acked": [str(m["client_id"]) for m in report.messages if str(m["client_id"]) in self._done],
            "effect": self._effect(say),
            "totals": {
                "rows": int(self.triage.run.get("rows", 0)),
                "labelled": len({e.row_id for e in self._current.values() if not e.suggested}),
            },
        }

    def _order(self, n: int) -> list[str]:
        return [str(row_id) for row_id in self.triage.queue_reasons(n).index]

    def _record(self, messages: Sequence[Mapping[str, Any]]) -> None:
        message, client_id = messages[0], str(messages[0]["client_id"])
        if message.get("kind") == "undo":
            self.triage.undo(of_client_id=str(message.get("undo_of", "")), client_id=client_id)
            return
        if message.get("kind") == "propagate":
            seen_ms(message)  # suggestions carry none, for nobody has looked at each
            similar = [str(row_id) for row_id in as_list(message.get("row_ids"))]
            self.triage.propagate(str(message.get("row_id", "")), similar, batch_id=client_id)
            return
        if message.get("kind") == "undo_batch":
            self.triage.undo_batch(str(message.get("batch_id", "")), client_id=client_id)
            return
        self.triage.label_many([_label(message) for message in messages])

    def _catch_up(self) -> None:
        """Take in what anyone recorded since, so that marks and history are the store's."""
        for event in self._store.events_since(self._last_event, dataset=self.triage.run["dataset"]):
            self._last_event = event.id
            if event.undo_of is not None:
                self._current.pop(event.undo_of, None)
            elif self.has(event.row_id):
                self._current[event.id] = event

    def _history(self) -> list[dict[str, Any]]:
        """Return this analyst's labels that stand on this run's rows, the oldest first."""
        names = ("client_id", "row_id", "verdict", *_TEXTS)
        mine = (event for event in self._current.values() if event.by == self.triage.by)
        own = [event for event in mine if not event.suggested][-PAST:]
        return [{name: getattr(event, name) or "" for name in names} for event in own]

    def _labels_of(self, row_ids: Iterable[str], say: Words) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {row_id: [] for row_id in row_ids}
        for event in self._current.values():
            if event.row_id in found:
                found[event.row_id].append(label_line(event, say))
        return {row_id: lines for row_id, lines in found.items() if lines}

    def _evidence_of(self, report: Report, first: Sequence[str], say: Words) -> dict[str, Any]:
        """Return the evidence that the page asks for, and that on the next events: what is read by now, each once."""
        wanted, unfinished = (
            [row_id for row_id in dict.fromkeys([*asked, *first]) if self.has(row_id)]
            for asked in (report.wanted, report.unfinished)
        )
        found = self._evidence.of(wanted, say, but=self._sent["raw"].difference(report.wanted))
        normal = self._evidence.normal(unfinished, say, but=self._sent["normal"].difference(report.unfinished))
        self._sent["raw"].update(found)
        self._sent["normal"].update(normal)
        return found | {row_id: {**found.get(row_id, {}), "normal": sentence} for row_id, sentence in normal.items()}

    def _effect(self, say: Words) -> str:
        if self._moves is None:
            return ""
        up, down, entered = self._moves
        if not (up or down or entered):
            return say("app.triage.effect.none")
        parts = {"up": up, "down": down, "entered": entered}
        counts = {name: say(f"app.triage.effect.{name}", n=n) for name, n in parts.items()}
        return say("app.triage.effect.all", **counts)


def moves(before: list[str], after: list[str], acted_on: set[str]) -> tuple[int, int, int]:
    """Return how many rows rose, how many fell, and how many are new among the first `SHOWN`.

    Rows that got a label leave the queue; the places they free do not count.

    Examples
    --------
    >>> moves(["a", "b", "c", "d"], ["d", "b", "c"], {"a"})
    (1, 2, 0)
    """
    before, after = ([row for row in order if row not in acted_on] for order in (before, after))
    was = {row: place for place, row in enumerate(before)}
    gained = [was.get(row, len(before)) - place for place, row in enumerate(after)]
    entered = set(after[:SHOWN]) - set(before[:SHOWN]) if len(before) > SHOWN else set()
    return sum(g > 0 for g in gained), sum(g < 0 for g in gained), len(entered)


def open_desk(
    project: Project, run_id: str, analyst: str, *, may_write: bool = True, strategy: str = "", only: str = ""
) -> Desk:
    """Return the session's desk, opened anew when run, analyst, their role, project, queue or filter changed.

    Without a `strategy` the queue stays the one that was chosen last.

    Raises
    ------
    DataError
        If the filter `only` cannot be understood.
    """
    strategy = strategy or (st.session_state.get("kept_queue") or [STRATEGY])[0]
    wanted = (str(project.workspace), run_id, analyst, may_write, strategy, only)
    if st.session_state.get("desk_of") != wanted:
        desk = Desk(
            project,
            run_id,
            analyst,
            kept_store(project, read_only=not may_write),
            may_write=may_write,
            strategy=strategy,
            only=only,
        )
        if "desk" in st.session_state:
            st.session_state["desk"].leave()
        st.session_state["desk"], st.session_state["desk_of"] = desk, wanted
    desk = cast("Desk", st.session_state["desk"])
    if may_write:
        leave_when_closed(desk)
    return desk


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs={Project: lambda p: (str(p.workspace), p.labels_url)})
def kept_ranking(project: Project, run_id: str) -> LiveRanking:
    """Return the process's one ranking of a run: all its analysts look at the same, and a million rows are read once."""
    return LiveRanking(run_id, project=project, wait=False, told=0)


def _label(message: Mapping[str, Any]) -> dict[str, object]:
    return {
        "row_id": str(message.get("row_id", "")),
        "verdict": str(message.get("verdict", "")),
        "client_id": str(message["client_id"]),
        "how": "click" if message.get("how") == "click" else "key",
        "seen_ms": seen_ms(message),
        "technique": FAMILIES.get(str(message.get("family")), ""),
        **{name: str(message.get(name) or "") for name in _TEXTS},
    }
