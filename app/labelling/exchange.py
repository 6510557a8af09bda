"""What Python and the scripts of Hunt say to each other, declared once: what is drawn from, and each message by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from labelling.columns import Column
from socml.labels import LONGEST_SEEN_MS, SEEN_LEAST_MS
from socml.project import DataError, Sentence

HELD = 40  # events that the browser holds ahead: at 10 keys a second that is four seconds without an answer


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


@dataclass(frozen=True)
class Report:
    """What the component says: messages not acknowledged, and which events it holds already."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    holds: frozenset[str] = frozenset()
    wanted: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    scope: str = ""
    lang: str = ""
    tick: str = ""
    merged: str = ""
    on_screen: str = ""
    reserve: tuple[str, ...] = ()
    similar: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, state: object) -> Report:
        """Return the report in `state`, empty if it is none; a browser's word is not trusted for its shape."""
        if not isinstance(state, Mapping):
            return cls()
        messages = [dict(m) for m in as_list(state.get("messages")) if isinstance(m, Mapping) and m.get("client_id")]
        return cls(
            messages,
            frozenset(map(str, as_list(state.get("holds")))),
            tuple(map(str, as_list(state.get("wanted"))))[:HELD],
            tuple(map(str, as_list(state.get("unfinished"))))[:HELD],
            str(state.get("scope", "")),
            str(state.get("lang", "")),
            str(state.get("tick", "")),
            str(state.get("merged", "")),
            str(state.get("on_screen", "")),
            tuple(map(str, as_list(state.get("reserve"))))[:HELD],
            similar if isinstance(similar := state.get("similar"), Mapping) else {},
        )


def as_list(value: object) -> list[Any]:
    """Return what a browser sent as a list; an empty one if it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def seen_ms(message: Mapping[str, Any]) -> int:
    """Return for how long what a message is about was on screen. A page that does not say so recorded it unseen."""
    seen = message.get("seen_ms")
    if isinstance(seen, bool) or not isinstance(seen, int | float) or not seen >= SEEN_LEAST_MS:
        raise DataError(Sentence("error.not_recorded.too_fast", least=SEEN_LEAST_MS))
    return int(min(seen, LONGEST_SEEN_MS))
