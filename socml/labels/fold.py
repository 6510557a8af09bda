"""Label events in order → the labels that stand: the same answer as the store's views, kept up to date in memory."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from socml.labels.families import edited
from socml.labels.records import FamilyEdit, LabelEvent
from socml.labels.verdicts import DIRECTION


class CurrentLabels:
    """Labels that were not undone. Feed it events in the order of their id; each is taken once.

    What it holds depends on the events alone, not on the blocks they came in. A suggested label is never
    above one that an analyst gave.

    Attributes
    ----------
    edits : family edits that stand; they change what labels say, not which stand
    """

    def __init__(self) -> None:
        self.last_id = 0
        self.edits: Sequence[FamilyEdit] = ()
        self._current: dict[int, LabelEvent] = {}

    def add(self, events: Iterable[LabelEvent]) -> list[LabelEvent]:
        """Take events and return those that were new."""
        new = self.news(events)
        for event in new:
            if event.undo_of is None:
                self._current[event.id] = event
            else:
                self._current.pop(event.undo_of, None)
            self.last_id = event.id
        return new

    def news(self, events: Iterable[LabelEvent]) -> list[LabelEvent]:
        """Return the events that were not taken yet."""
        return [event for event in events if event.id > self.last_id]

    def current(self) -> dict[str, LabelEvent]:
        """Return the label of each row: the last that stands, whoever gave it."""
        return {event.row_id: event for event in self._in_order()}

    def by_analyst(self) -> dict[tuple[str, str], LabelEvent]:
        """Return the label of each row and analyst: the last that stands."""
        return {(event.row_id, event.by): event for event in self._in_order()}

    def training_labels(self) -> dict[str, float]:
        """Return what each row teaches, −1 (benign) to 1 (malicious), in the order of the labels.

        Analysts who contradict each other are averaged, a label's weight counting; a row on which they
        cancel out, and one that is only unsure or skipped, teaches nothing and is not there. What was
        suggested for a row teaches as long as no analyst looked at it.
        """
        labels = sorted(self.by_analyst().values(), key=lambda event: event.id)
        looked_at = {event.row_id for event in labels if not event.suggested}
        votes: dict[str, list[float]] = {}
        for event in labels:
            if event.verdict in DIRECTION and not (event.suggested and event.row_id in looked_at):
                votes.setdefault(event.row_id, []).append(DIRECTION[event.verdict] * event.weight)
        return {row_id: mean for row_id, cast in votes.items() if (mean := sum(cast) / len(cast))}

    def last_of(self, by: str, rows: Container[str]) -> LabelEvent | None:
        """Return the last standing label of one analyst on one of `rows`."""
        for event in reversed(self._current.values()):
            if event.by == by and event.row_id in rows:
                return event
        return None

    def standing(self) -> list[LabelEvent]:
        """Return every label that was not undone, in the order they were given."""
        return [edited(event, self.edits) for event in self._current.values()]

    def _in_order(self) -> list[LabelEvent]:
        """Return them with suggestions first, so that what an analyst gave comes after."""
        return sorted(self.standing(), key=lambda event: not event.suggested)
