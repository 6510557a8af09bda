"""Labelled rows that deserve a second look → a list that outlives the session, each until the row is labelled again."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from socml.labels.database import LABEL_EVENT, SECOND_LOOK, Connections, in_dataset, last_labels, now
from socml.labels.records import SecondLook


class SecondLooks:
    """Second looks that were asked for. Asking twice for a row that was not labelled in between asks once."""

    def __init__(self, connections: Connections) -> None:
        self._store = connections

    def ask(self, rows: Mapping[str, float | None], *, reason: str, by: str, dataset: str = "") -> int:
        """Queue labelled rows, with the probability that their label is wrong; return how many are new."""
        with self._store.write() as connection:
            newest = _current_ids(connection, dataset)
            open_rows = {look.row_id for look in _open(connection, dataset, newest)}
            new = [row_id for row_id in rows if row_id in newest and row_id not in open_rows]
            for row_id in new:
                values = {
                    "time": now(connection),
                    "dataset": dataset or None,
                    "row_id": row_id,
                    "reason": reason,
                    "probability": rows[row_id],
                    "last_label_id": newest[row_id],
                    "by": by,
                    "client_id": f"second-look:{reason}:{row_id}:{newest[row_id]}",
                }
                sent = sa.select(SECOND_LOOK.c.id).where(SECOND_LOOK.c.client_id == values["client_id"])
                if connection.execute(sent).first() is None:
                    connection.execute(sa.insert(SECOND_LOOK).values(values))
            return len(new)

    def waiting(self, *, dataset: str = "") -> list[SecondLook]:
        """Return the rows that were not labelled again since, the most probable error first."""
        with self._store.read() as connection:
            looks = _open(connection, dataset)
        return sorted(looks, key=lambda look: -(look.probability or 0.0))


def _open(connection: sa.Connection, dataset: str, newest: Mapping[str, int] | None = None) -> list[SecondLook]:
    query = in_dataset(sa.select(SECOND_LOOK).order_by(SECOND_LOOK.c.id), SECOND_LOOK, dataset)
    looks = {look.row_id: look for look in (SecondLook(*row) for row in connection.execute(query))}
    if not looks:
        return []
    newest = _current_ids(connection, dataset) if newest is None else newest
    latest = sa.select(LABEL_EVENT.c.row_id, sa.func.max(LABEL_EVENT.c.id)).group_by(LABEL_EVENT.c.row_id)
    latest = in_dataset(latest, LABEL_EVENT, dataset)
    touched = {row_id: int(last) for row_id, last in connection.execute(latest) if row_id in looks}
    return [look for look in looks.values() if look.row_id in newest and touched[look.row_id] <= look.last_label_id]


def _current_ids(connection: sa.Connection, dataset: str) -> dict[str, int]:
    return {label.row_id: int(label.id) for label in connection.execute(last_labels(["row_id"], dataset))}
