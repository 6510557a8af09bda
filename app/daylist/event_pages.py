"""Which page of a row's events the browser lacks → that page as text, read in the background and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from figures import cell_text, error_in_words
from labelling.background import background

from socml.ingestion import EventPage, event_page
from socml.jobs import Today
from socml.labels import LabelStore
from socml.project import SocmlError, Words, visible_line

if TYPE_CHECKING:
    pass

SIZE = 20
AT_ONCE = 4  # questions in line
COLUMN_OF_ROLE = {"source": "source_ip", "destination": "destination_ip", "host": "host_name", "account": "user_name"}
ENTITY_COLUMNS = frozenset({"source_ip", "destination_ip", "host_name", "user_name"})
TOLD = (
    "event_action", "event_outcome", "source_ip", "user_name", "host_name", "destination_ip", "destination_port",
    "network_protocol", "connection_state", "dns_question_name", "url_original", "rule_name", "process_name", "duration_s",
    "source_bytes", "destination_bytes",
)  # fmt: skip
_COLUMNS = 9
_LONGEST = 160


class EventPages:
    """The pages of one dataset's rows that were read."""

    def __init__(self, today: Today) -> None:
        self._today = today

    def titles(self, say: Words) -> dict[str, str]:
        """Return event column → its name in words."""
        return {name: title(name, say) for name in TOLD}

    def of(self, wanted: Sequence[Mapping[str, Any]], store: LabelStore, say: Words) -> dict[str, Any]:
        """Return the pages that are read by now, by the key they were asked with; the others are being read."""
        found, pending = {}, 0
        for one in wanted:
            row_id, key = str(one.get("row", "")), str(one.get("key", ""))
            about = self._today.about_row(store, row_id)
            if about is None:
                continue
            day, role, entity = about
            offset = int(one.get("offset") or 0)
            only, exclude = (_pairs(one.get(name)) for name in ("only", "exclude"))
            question = (str(self._today.project.workspace), self._today.dataset, row_id, offset, only, exclude)
            answer = background("records").ask(
                ("page", *question),
                partial(self._read, day, role, entity, offset, only, exclude),
            )
            pending += answer.pending
            if not answer.pending:
                found[key] = told(answer.value, say) if answer.value is not None else unread(answer.error, say)
            if pending >= AT_ONCE:
                break
        return found

    def _read(self, day: date, role: str, entity: str, offset: int, only: Any, exclude: Any) -> EventPage:
        column = COLUMN_OF_ROLE[role.split(" ", maxsplit=1)[0]]
        return event_page(
            self._today.dataset, entity={column: entity}, first=day, offset=offset, limit=SIZE, only=only,
            exclude=exclude, project=self._today.project,
        )  # fmt: skip


def told(page: EventPage, say: Words) -> dict[str, Any]:
    """Return a page as the component draws it."""
    columns = [name for name in TOLD if name in page.columns][:_COLUMNS]
    rows = [
        {
            "cells": [_clock(event["time"], say), *(cell_text(name, event[name], say, _LONGEST) for name in columns)],
            "where": visible_line(str(event.get("raw") or ""))[:1_000],
        }
        for event in page.rows.to_dict("records")
    ]
    return {
        "total": page.total,
        "offset": page.offset,
        "size": SIZE,
        "hours": list(page.hours),
        "columns": ["time", *columns],
        "keys": [False, *(name in ENTITY_COLUMNS for name in columns)],
        "titles": [say("app.triage.related.time"), *(title(name, say) for name in columns)],
        "rows": rows,
        "error": "",
    }


def unread(error: SocmlError | None, say: Words) -> dict[str, Any]:
    """Return a page that could not be read, with the reason."""
    empty: dict[str, Any] = {"total": 0, "offset": 0, "size": SIZE, "hours": [0] * 24}
    return empty | {
        "columns": [],
        "keys": [],
        "titles": [],
        "rows": [],
        "error": visible_line(error_in_words(error, say)),
    }


def title(name: str, say: Words) -> str:
    """Return an event column's name in words."""
    key = f"app.triage.related.{name}"
    return say(key) if key in say.catalogue else name.replace("_", " ")


def _clock(moment: Any, say: Words) -> str:
    return "" if moment != moment else f"{moment:%H:%M:%S}"  # noqa: PLR0124  NaT is not itself


def _pairs(given: object) -> tuple[tuple[str, str], ...]:
    pairs = given if isinstance(given, list | tuple) else []
    return tuple((str(p[0]), str(p[1])) for p in pairs if isinstance(p, list | tuple) and len(p) == 2)


def key_of(row_id: str) -> str:
    """Return the key with which the browser asks for the first page of a row."""
    return json.dumps([row_id, 0, {"only": [], "exclude": []}], separators=(",", ":"))
