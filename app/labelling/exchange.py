"""What Python and the scripts of Hunt say to each other, declared once: what is drawn from, and each message by its kind."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from labelling.columns import Column


class Choice(TypedDict):
    """What can be chosen, and the words for it."""

    value: str
    text: str


class Choices(TypedDict):
    """Reasons and families that a verdict may have."""

    reasons: list[Choice]
    families: list[Choice]


class Payload(Choices):
    """What Hunt is drawn from. By row: what is shown of it, its labels, and the records behind it."""

    least_seen_ms: int
    only: str
    answers: str
    run: str
    by: str
    may_write: bool
    lang: str
    words: dict[str, str]
    order: list[str]
    open: str
    items: dict[str, dict[str, Any]]
    columns: list[Column]
    cells: dict[str, list[str]]
    explaining: list[str]
    labels: dict[str, list[dict[str, str]]]
    again: list[str]
    held: dict[str, str]
    similar: dict[str, Any] | None
    evidence: dict[str, Any]
    history: list[dict[str, Any]]
    acked: list[str]
    effect: str
    totals: dict[str, int]


class LabelMessage(TypedDict):
    """A verdict on the event that was on screen."""

    row_id: str
    verdict: str
    how: str
    seen_ms: int
    reason: NotRequired[str]
    family: NotRequired[str]
    note: NotRequired[str]


class PropagateMessage(TypedDict):
    """A verdict that is suggested for similar events, which were on screen too."""

    row_id: str
    row_ids: list[str]
    seen_ms: int


class UndoMessage(TypedDict):
    """A label that is taken back, by the id it was sent with."""

    row_id: str
    undo_of: str


class UndoBatchMessage(TypedDict):
    """Suggestions that are taken back together."""

    batch_id: str


MESSAGES = {"label": LabelMessage, "propagate": PropagateMessage, "undo": UndoMessage, "undo_batch": UndoBatchMessage}
