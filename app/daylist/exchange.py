"""What Python and the scripts of Today say to each other, declared once: what is drawn from, and each message by its kind."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from labelling.exchange import Choice, Choices


class DayOption(TypedDict):
    """A day that can be chosen, and how it is written."""

    day: str
    text: str


class DayPayload(Choices):
    """What Today is drawn from: the rows of a day, their events by key, and what can be chosen instead."""

    least_seen_ms: int
    answers: str
    scope: str
    by: str
    may_write: bool
    lang: str
    words: dict[str, str]
    columns: dict[str, str]
    dataset: str
    day: str
    queue: str
    queues: list[Choice]
    days: list[DayOption]
    rows: list[dict[str, Any]]
    of_all: int
    new: int
    false_expected: str
    note: str
    views: list[dict[str, Any]]
    events: dict[str, Any]
    history: list[dict[str, Any]]
    acked: list[str]
    effects: dict[str, str]
    entity_link: str
    pages: dict[str, str]


class VerdictMessage(TypedDict):
    """A verdict on rows of a day, or on one reason of a row (`family`)."""

    day: str
    dataset: str
    queue: str
    row_ids: list[str]
    verdict: str
    family: str
    how: str
    seen_ms: int
    reason: NotRequired[str]
    note: NotRequired[str]


class UndoMessage(TypedDict):
    """A verdict that is taken back, by the id it was sent with."""

    day: str
    dataset: str
    undo_of: str


MESSAGES = {"verdict": VerdictMessage, "undo": UndoMessage}
