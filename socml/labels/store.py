"""Labels of several processes at once → one database, each stored once, none changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from socml.labels.accounts import Accounts
from socml.labels.benign_rules import BenignRules
from socml.labels.database import FAMILY_EDIT, JOURNAL, LABEL_EVENT, Connections, in_dataset, last_labels
from socml.labels.export import label_frame
from socml.labels.families import Families, edited, standing_edits
from socml.labels.journal import Journal
from socml.labels.leases import Leases, release_labelled
from socml.labels.reason_verdicts import ReasonVerdicts
from socml.labels.records import LabelEvent
from socml.labels.saved_views import SavedViews
from socml.labels.second_looks import SecondLooks
from socml.labels.verdicts import Acknowledgement, NewLabel
from socml.project import DataError, Sentence

if TYPE_CHECKING:
    import pandas as pd

_KNOWN_AT_ONCE = 500  # client ids asked for in one query; SQLite takes a limited number of values


class LabelStore:
    """The label store at an SQLAlchemy address (SQLite or PostgreSQL). Threads and processes may share it.

    With `read_only` nothing is written through it, whatever is asked: that is what a viewer gets.

    Attributes
    ----------
    leases : who has which row before them
    families : edits of families, which change what labels given before say
    second_looks : labelled rows to be looked at again
    journal : what else was done: cases, rules, responses
    rules : «always benign when …»
    reasons : verdicts on one reason of a row of the daily list
    views : named filters of the daily list
    accounts : who may sign in, and as what

    Examples
    --------
    >>> with LabelStore("sqlite://") as store:
    ...     first = store.record([NewLabel("r1", "malicious", client_id="a")])[0]
    ...     again = store.record([NewLabel("r1", "malicious", client_id="a")])[0]
    ...     undone = store.undo(by="analyst", client_id="b")
    ...     len(store.history()), len(store.current())
    (2, 0)
    >>> first.label_id == again.label_id, again.stored_before, undone.undo_of == first.label_id
    (True, True, True)
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._connections = Connections(url, read_only=read_only)
        self._engine, self._writer = self._connections.engine, self._connections.writer
        self._read, self._write = self._connections.read, self._connections.write
        self.leases = Leases(self._connections)
        self.families = Families(self._connections)
        self.second_looks = SecondLooks(self._connections)
        self.journal = Journal(self._connections)
        self.rules = BenignRules(self.journal)
        self.reasons = ReasonVerdicts(self.journal)
        self.views = SavedViews(self.journal)
        self.accounts = Accounts(self._connections, self.journal)

    def __enter__(self) -> LabelStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. What was acknowledged is on disk already."""
        self._engine.dispose()

    def record(self, labels: Sequence[NewLabel]) -> list[Acknowledgement]:
        """Store labels in one transaction, all or none, and acknowledge each in the order given.

        Raises
        ------
        DataError
            If a `client_id` was used before for another row, verdict or analyst.
        TryLater
            If the database is busy or away; the same call is safe to repeat.
        """
        with self._write() as connection:
            known = _known(connection, [label.client_id for label in labels])
            acknowledged = []
            for label in labels:
                before = known.get(label.client_id)
                if before is not None:
                    _check_same(before, label)
                    acknowledged.append(_acknowledge(before, stored_before=True))
                    continue
                values = {n: v if v != "" else None for n, v in asdict(label).items()}
                stored = _insert(connection, values)
                known[label.client_id] = stored
                acknowledged.append(_acknowledge(stored, stored_before=False))
            release_labelled(connection, {label.row_id for label in labels}, {label.by for label in labels})
            return acknowledged

    def undo(
        self, label_id: int | None = None, *, by: str, client_id: str, of_client_id: str = "", dataset: str = ""
    ) -> Acknowledgement:
        """Undo one label: that of `label_id`, or of `of_client_id`, or else the last of `by` that stands in `dataset`.

        Undoing what is undone changes nothing and is acknowledged as the first time.

        Raises
        ------
        DataError
            If there is no such label, or it is another analyst's.
        """
        if not by or not client_id:
            raise DataError("An undo needs a by and a client_id.")
        with self._write() as connection:
            sent_before = _known(connection, [client_id]).get(client_id)
            if sent_before is not None:
                if sent_before.undo_of is None or sent_before.by != by:
                    raise DataError(f"The client_id {client_id!r} was used before, for something else.")
                return _acknowledge(sent_before, stored_before=True)
            label = _label_to_undo(connection, label_id, of_client_id, by, dataset)
            undone = _one(connection, LABEL_EVENT.c.undo_of == label.id)
            if undone is not None:
                return _acknowledge(undone, stored_before=True)
            return _acknowledge(_insert(connection, _undo_of(label, by, client_id)), stored_before=False)

    def undo_batch(self, batch_id: str, *, by: str, client_id: str) -> list[Acknowledgement]:
        """Undo what still stands of one's own batch (a propagation, an import), all or nothing, and acknowledge each.

        What others stored under the same id stays, and keeps nobody from taking back their own.

        Raises
        ------
        DataError
            If there is no such batch, or it is another analyst's.
        """
        if not by or not client_id or not batch_id:
            raise DataError("An undo of a batch needs a batch_id, a by and a client_id.")
        with self._write() as connection:
            query = sa.select(LABEL_EVENT).where(LABEL_EVENT.c.batch_id == batch_id).order_by(LABEL_EVENT.c.id)
            events = [LabelEvent(*row) for row in connection.execute(query)]
            if not events:
                raise DataError(f"There is no batch {batch_id!r}.")
            own = [event for event in events if event.by == by]
            if not own:
                raise DataError(Sentence("error.label.batch_of", batch=batch_id, by=events[0].by))
            undone = {event.undo_of for event in own}
            stand = [event for event in own if event.undo_of is None and event.id not in undone]
            undos = [_undo_of(event, by, f"{client_id}:{event.id}") for event in stand]
            return [_acknowledge(_insert(connection, undo), stored_before=False) for undo in undos]

    def version(self) -> tuple[int, ...]:
        """Return numbers that change whenever anything that teaches was stored: a label, an edit of a family, a rule."""
        newest = [sa.select(sa.func.max(table.c.id)).scalar_subquery() for table in (LABEL_EVENT, FAMILY_EDIT, JOURNAL)]
        with self._read() as connection:
            return tuple(int(n or 0) for n in connection.execute(sa.select(*newest)).one())

    def find(self, client_id: str) -> LabelEvent | None:
        """Return what was stored under `client_id`, if anything was."""
        with self._read() as connection:
            return _one(connection, LABEL_EVENT.c.client_id == client_id)

    def known(self, client_ids: Sequence[str]) -> set[str]:
        """Return those of `client_ids` under which something is stored."""
        with self._read() as connection:
            return set(_known(connection, list(client_ids)))

    def events_since(self, label_id: int, *, dataset: str = "") -> list[LabelEvent]:
        """Return the events after `label_id`, in the order they were stored, as they were given."""
        query = sa.select(LABEL_EVENT).where(LABEL_EVENT.c.id > label_id).order_by(LABEL_EVENT.c.id)
        with self._read() as connection:
            return [LabelEvent(*row) for row in connection.execute(in_dataset(query, LABEL_EVENT, dataset))]

    def current(self, *, dataset: str = "") -> pd.DataFrame:
        """Return the current label of each row, index `row_id`: the last that stands, whoever gave it.

        A suggested label is only here where no analyst gave one. Families are named as they were edited since.
        """
        return self._frame(last_labels(["row_id"], dataset), dataset).set_index("row_id")

    def by_analyst(self, *, dataset: str = "") -> pd.DataFrame:
        """Return the current label of each row and analyst."""
        return self._frame(last_labels(["row_id", "by"], dataset), dataset)

    def history(self, *, dataset: str = "") -> pd.DataFrame:
        """Return every event, undone ones and undos too, in the order they were stored."""
        query = sa.select(LABEL_EVENT).order_by(LABEL_EVENT.c.id)
        return self._frame(in_dataset(query, LABEL_EVENT, dataset), dataset, as_given=True)

    def _frame(self, query: sa.Select[Any], dataset: str, *, as_given: bool = False) -> pd.DataFrame:
        with self._read() as connection:
            edits = [] if as_given else standing_edits(connection, dataset)
            rows = [edited(LabelEvent(*row), edits) for row in connection.execute(query)]
        return label_frame(rows)


def _known(connection: sa.Connection, client_ids: list[str]) -> dict[str, LabelEvent]:
    known: dict[str, LabelEvent] = {}
    for start in range(0, len(client_ids), _KNOWN_AT_ONCE):
        some = client_ids[start : start + _KNOWN_AT_ONCE]
        for row in connection.execute(sa.select(LABEL_EVENT).where(LABEL_EVENT.c.client_id.in_(some))):
            event = LabelEvent(*row)
            known[event.client_id] = event
    return known


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> LabelEvent | None:
    row = connection.execute(sa.select(LABEL_EVENT).where(condition)).first()
    return None if row is None else LabelEvent(*row)


def _insert(connection: sa.Connection, values: dict[str, object]) -> LabelEvent:
    complete = {name: values.get(name) for name in LabelEvent._fields if name != "id"}
    complete |= {"time": datetime.now(UTC), "suggested": bool(values.get("suggested"))}
    stored = sa.insert(LABEL_EVENT).values(complete).returning(LABEL_EVENT.c.id)
    return LabelEvent(**{**complete, "id": int(connection.execute(stored).scalar_one())})  # type: ignore[arg-type]


def _undo_of(label: LabelEvent, by: str, client_id: str) -> dict[str, object]:
    same = {n: getattr(label, n) for n in ("row_id", "event_id", "run_id", "dataset", "model_version", "batch_id")}
    return {**same, "by": by, "client_id": client_id, "how": "undo", "weight": 1.0, "undo_of": label.id}


def _check_same(before: LabelEvent, label: NewLabel) -> None:
    if (before.row_id, before.verdict, before.by) != (label.row_id, label.verdict, label.by):
        raise DataError(
            f"The client_id {label.client_id!r} was used before, for {before.verdict or 'an undo'} on row "
            f"{before.row_id}. Make a new one for each decision."
        )


def _label_to_undo(
    connection: sa.Connection, label_id: int | None, of_client_id: str, by: str, dataset: str
) -> LabelEvent:
    if label_id is None and not of_client_id:
        return _last_standing(connection, by, dataset)
    found = _one(
        connection, LABEL_EVENT.c.id == label_id if label_id is not None else LABEL_EVENT.c.client_id == of_client_id
    )
    if found is None:
        raise DataError(Sentence("error.label.none", label=repr(of_client_id if label_id is None else label_id)))
    if found.undo_of is not None:
        raise DataError(f"Record {found.id} is an undo; label the row again instead.")
    if found.by != by:
        raise DataError(Sentence("error.label.of", label=found.id, by=found.by))
    return found


def _last_standing(connection: sa.Connection, by: str, dataset: str) -> LabelEvent:
    undone = LABEL_EVENT.alias()
    query = (
        sa.select(LABEL_EVENT)
        .where(LABEL_EVENT.c.by == by, LABEL_EVENT.c.undo_of.is_(None))
        .where(~sa.exists().where(undone.c.undo_of == LABEL_EVENT.c.id))
        .order_by(LABEL_EVENT.c.id.desc())
        .limit(1)
    )
    row = connection.execute(in_dataset(query, LABEL_EVENT, dataset)).first()
    if row is None:
        raise DataError(Sentence("error.label.none_of", by=by))
    return LabelEvent(*row)


def _acknowledge(event: LabelEvent, *, stored_before: bool) -> Acknowledgement:
    return Acknowledgement(event.id, event.client_id, event.row_id, event.verdict, stored_before, event.undo_of)
