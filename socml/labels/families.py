"""Families that were renamed, merged, split or swapped → what the labels given before say now.

An edit is one event of its own: the labels stay as they were given, and taking the edit back restores
exactly what they said. It holds for labels that were stored before it; whoever uses the old name later
means the old family again.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from socml.labels.database import FAMILY_EDIT, LABEL_EVENT, Connections, last_labels, now
from socml.labels.records import FamilyEdit, LabelEvent
from socml.project import DataError, Sentence, UnknownName

KINDS = ("rename", "merge", "split", "swap")
OTHER_SIDE = {"malicious": "benign", "benign": "malicious", "false_alarm": "malicious"}
_LONGEST = 500


def edited(label: LabelEvent, edits: Sequence[FamilyEdit]) -> LabelEvent:
    """Return what a label says after `edits`, which are in the order they were made.

    Examples
    --------
    >>> label = LabelEvent(1, None, "r1", None, None, None, "malicious", None, "scan", *[None] * 2, "ana",
    ...                    None, "c", None, None, 1.0, None)
    >>> edit = FamilyEdit(1, None, None, "rename", "scan", "port scan", frozenset(), 1, "ana", "e", None)
    >>> edited(label, [edit]).family
    'port scan'
    """
    for edit in edits:
        if not edit.touches(label):
            continue
        if edit.kind == "swap":
            label = label._replace(verdict=OTHER_SIDE.get(str(label.verdict), label.verdict))
        else:
            label = label._replace(family=edit.into)
    return label


class Families:
    """The families of a label store, and their edits."""

    def __init__(self, connections: Connections) -> None:
        self._store = connections

    def edits(self, *, dataset: str = "") -> list[FamilyEdit]:
        """Return the edits that stand, in the order they were made."""
        with self._store.read() as connection:
            return standing_edits(connection, dataset)

    def history(self) -> list[FamilyEdit]:
        """Return every edit that was ever made, undone ones and undos too."""
        with self._store.read() as connection:
            return [FamilyEdit(*row) for row in connection.execute(sa.select(FAMILY_EDIT).order_by(FAMILY_EDIT.c.id))]

    def counts(self, *, dataset: str = "") -> dict[str, dict[str, int]]:
        """Return how many rows each family has now, by verdict, counting the current label of a row."""
        counted: dict[str, dict[str, int]] = {}
        with self._store.read() as connection:
            for label in _current(connection, dataset):
                if label.family:
                    verdicts = counted.setdefault(label.family, {})
                    verdicts[str(label.verdict)] = verdicts.get(str(label.verdict), 0) + 1
        return dict(sorted(counted.items()))

    def rename(self, family: str, into: str, *, by: str, dataset: str = "", client_id: str = "") -> FamilyEdit:
        """Give a family a name that no other has.

        Raises
        ------
        UnknownName, DataError
            If there is no such family, or the new name is taken.
        """
        return self._record("rename", family, into, by=by, dataset=dataset, client_id=client_id)

    def merge(self, family: str, into: str, *, by: str, dataset: str = "", client_id: str = "") -> FamilyEdit:
        """Let a family become part of another that exists."""
        return self._record("merge", family, into, by=by, dataset=dataset, client_id=client_id)

    def split(
        self, family: str, into: str, row_ids: Collection[str], *, by: str, dataset: str = "", client_id: str = ""
    ) -> FamilyEdit:
        """Take some rows of a family out into a new one."""
        return self._record("split", family, into, row_ids, by=by, dataset=dataset, client_id=client_id)

    def swap(self, family: str, *, by: str, dataset: str = "", client_id: str = "") -> FamilyEdit:
        """Change sides: what was malicious in a family is benign now; benign and false alarms are malicious."""
        return self._record("swap", family, "", by=by, dataset=dataset, client_id=client_id)

    def undo(self, edit_id: int | None = None, *, by: str, dataset: str = "", client_id: str = "") -> FamilyEdit:
        """Take an edit back, the last that stands if none is named; whoever made it. Undoing twice is undoing once.

        Raises
        ------
        DataError
            If there is no such edit.
        """
        with self._store.write() as connection:
            sent = _sent_before(connection, client_id)
            if sent is not None:
                return sent
            if edit_id is None:
                standing = standing_edits(connection, dataset)
                if not standing:
                    raise DataError(Sentence("error.family.no_edit"))
                edit_id = standing[-1].id
            rows = [FamilyEdit(*row) for row in connection.execute(sa.select(FAMILY_EDIT).order_by(FAMILY_EDIT.c.id))]
            undone = next((edit for edit in rows if edit.undo_of == edit_id), None)
            if undone is not None:
                return undone
            edit = next((edit for edit in rows if edit.id == edit_id and edit.undo_of is None), None)
            if edit is None:
                raise DataError(f"There is no edit {edit_id} of a family.")
            values = {"dataset": edit.dataset, "last_label_id": edit.last_label_id, "by": by, "undo_of": edit.id}
            return _insert(connection, values, client_id)

    def _record(
        self, kind: str, family: str, into: str, row_ids: Collection[str] = (), *, by: str, dataset: str, client_id: str
    ) -> FamilyEdit:
        if not by:
            raise DataError("An edit of a family needs a by.")
        with self._store.write() as connection:
            sent = _sent_before(connection, client_id)
            if sent is not None:
                if (sent.kind, sent.family, sent.into or "") != (kind, family, into):
                    raise DataError(f"The client_id {client_id!r} was used before, for another edit.")
                return sent
            labels = _current(connection, dataset)
            _check(kind, family, into, set(row_ids), labels)
            values = {
                "dataset": dataset or None,
                "kind": kind,
                "family": family,
                "into": into or None,
                "row_ids": frozenset(row_ids) if kind == "split" else None,
                "last_label_id": connection.execute(sa.select(sa.func.max(LABEL_EVENT.c.id))).scalar() or 0,
                "by": by,
            }
            return _insert(connection, values, client_id)


def standing_edits(connection: sa.Connection, dataset: str = "") -> list[FamilyEdit]:
    """Return the edits that were not undone, of one dataset or of all; an edit that names none holds for each."""
    edits = [FamilyEdit(*row) for row in connection.execute(sa.select(FAMILY_EDIT).order_by(FAMILY_EDIT.c.id))]
    undone = {edit.undo_of for edit in edits}
    stand = [edit for edit in edits if edit.undo_of is None and edit.id not in undone]
    return [edit for edit in stand if not dataset or edit.dataset in {None, dataset}]


def _current(connection: sa.Connection, dataset: str) -> list[LabelEvent]:
    edits = standing_edits(connection, dataset)
    return [edited(LabelEvent(*row), edits) for row in connection.execute(last_labels(["row_id"], dataset))]


def _check(kind: str, family: str, into: str, row_ids: set[str], labels: Iterable[LabelEvent]) -> None:
    rows_of: dict[str, set[str]] = {}
    for label in labels:
        if label.family:
            rows_of.setdefault(label.family, set()).add(label.row_id)
    if family not in rows_of:
        raise UnknownName("family", family, rows_of)
    if kind == "merge" and (into not in rows_of or into == family):
        raise UnknownName("family to merge into", into, [name for name in rows_of if name != family])
    if kind in {"rename", "split"}:
        _check_new_name(into, rows_of)
    if kind == "split":
        _check_rows(row_ids, family, rows_of[family])


def _check_new_name(name: str, known: Collection[str]) -> None:
    if not name.strip() or len(name) > _LONGEST:
        raise DataError(Sentence("error.family.name", most=_LONGEST))
    if name in known:
        raise DataError(Sentence("error.family.there", name=name))


def _check_rows(row_ids: set[str], family: str, members: set[str]) -> None:
    if not row_ids:
        raise DataError(Sentence("error.family.rows"))
    if strange := row_ids - members:
        raise DataError(Sentence("error.family.strange", n=len(strange), family=family))


def _sent_before(connection: sa.Connection, client_id: str) -> FamilyEdit | None:
    if not client_id:
        return None
    row = connection.execute(sa.select(FAMILY_EDIT).where(FAMILY_EDIT.c.client_id == client_id)).first()
    return None if row is None else FamilyEdit(*row)


def _insert(connection: sa.Connection, values: Mapping[str, object], client_id: str) -> FamilyEdit:
    complete = {"time": now(connection), "client_id": client_id or uuid.uuid4().hex, **values}
    connection.execute(sa.insert(FAMILY_EDIT).values(complete))
    stored = sa.select(FAMILY_EDIT).where(FAMILY_EDIT.c.client_id == complete["client_id"])
    return FamilyEdit(*connection.execute(stored).one())
