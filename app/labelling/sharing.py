"""What the browser may still show → the events that are this analyst's alone, and those that are like one.

An event stays leased as long as the browser could show it: until it says that it has merged a later answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from figures import error_in_words

from labelling.evidence import time_text
from labelling.exchange import HELD, Report
from labelling.items import Items
from socml.project import SocmlError, Words, visible_line
from socml.review import Triage

if TYPE_CHECKING:
    import pandas as pd

SHARED = 25  # events that each has ahead when several label at once, so that nobody's queue begins far down
ANSWERS = 20  # of which it is remembered what they offered


class Offers:
    """The events that one session has been offered, answer by answer."""

    def __init__(self, triage: Triage, *, leases: bool = True) -> None:
        self._triage, self._leases = triage, leases
        self._answers: dict[str, set[str]] = {}

    def next(self, report: Report, open_row: str) -> pd.Series:
        """Return the rows for the next answer with their reasons; what the browser can show no more is given back."""
        if not self._leases:  # whoever may only look takes nothing from anybody
            return self._triage.queue_reasons(HELD)
        self._forget_before(report.merged)
        on_screen = [row for row in (report.on_screen, open_row, *report.reserve) if row and self._triage.has(row)]
        keep = {row for rows in self._answers.values() for row in rows} | set(on_screen)
        others = self._triage.held_by_others()
        queue = self._triage.offer_reasons(SHARED if others else HELD, keep=keep)
        offered = set(queue.index)
        self._triage.hold([row for row in on_screen if row not in offered | keep - set(on_screen)])
        self._answers.setdefault(report.tick, set()).update(offered)
        return queue

    def elsewhere(self, row_ids: Iterable[str], say: Words) -> dict[str, str]:
        """Return, for those of `row_ids` that a colleague has before them, a sentence that says who."""
        others = self._triage.held_by_others()
        return {row: say("app.triage.held", who=visible_line(others[row])) for row in row_ids if row in others}

    def _forget_before(self, merged: str) -> None:
        if merged in self._answers:
            for answer in list(self._answers):
                if answer == merged:
                    break
                del self._answers[answer]
        while len(self._answers) > ANSWERS:
            del self._answers[next(iter(self._answers))]


def similar_events(triage: Triage, items: Items, query: Mapping[str, Any], say: Words) -> dict[str, Any] | None:
    """Answer what the browser asks about similar events; None if it asks nothing."""
    row_id = str(query.get("row_id", ""))
    if not triage.has(row_id):
        return None
    try:
        percent = min(max(float(query.get("at_least", 70)), 0.0), 100.0)
        same_entity = bool(query.get("same_entity"))
        similar = triage.similar(row_id, at_least=percent / 100 - 1e-9, same_entity=same_entity)
    except (SocmlError, TypeError, ValueError) as error:
        return {
            "query": dict(query),
            "row_ids": [],
            "nearest": [],
            "furthest": [],
            "error": visible_line(error_in_words(error, say)),
        }
    return {
        "query": dict(query),
        "row_ids": similar.rows["row_id"].to_list(),
        "nearest": _lines(similar.nearest, items, say),
        "furthest": _lines(similar.furthest, items, say),
        "error": "",
    }


def _lines(rows: pd.DataFrame, items: Items, say: Words) -> list[dict[str, Any]]:
    lines = items.of(rows["row_id"].to_list(), {}, say)
    return [
        {
            "entity": visible_line(row["entity"] if isinstance(row["entity"], str) else "—"),
            "time": time_text(row["time"], say),
            "alike": say.number(100 * row["alike"]),
            "headline": lines[row["row_id"]]["headline"],
            "pending": bool(lines[row["row_id"]].get("pending")),
        }
        for row in rows.to_dict("records")
    ]
