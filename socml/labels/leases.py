"""Rows that analysts are looking at → each is before one of them at a time, until it is labelled or the lease ends.

Leases are taken under the store's one write lock, on SQLite and on PostgreSQL, so two claims never meet.
They only say who is offered what: a label is stored whoever holds the row, because a label is never lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from socml.labels.database import LABEL_EVENT, LABEL_LEASE, Connections, in_dataset, now
from socml.labels.records import Lease
from socml.project import DataError

_AT_ONCE = 500  # SQLite takes a limited number of values in one query


class Leases:
    """Who has which row before them. A campaign is what rows are shared in: a dataset, mostly."""

    def __init__(self, connections: Connections) -> None:
        self._store = connections

    def claim(
        self,
        row_ids: Sequence[str],
        *,
        by: str,
        n: int,
        seconds: float,
        campaign: str = "",
        dataset: str = "",
        again: Mapping[str, int] | None = None,
        keep: Collection[str] | None = None,
    ) -> list[Lease]:
        """Take the first `n` of `row_ids` that nobody else holds and that have no label, in one step.

        Rows that `by` holds already are renewed and count.

        Parameters
        ----------
        dataset : whose labels count; all if empty, since the same record may be a row of several
        again : rows that may be offered though they are labelled, for a second opinion; the value is the
            newest label known of the row, so that a third is not asked for by mistake
        keep : rows of `by` that are prolonged beside these; all else that `by` holds is given back. Without
            it nothing is given back.

        Returns
        -------
        Leases in the order of `row_ids`
        """
        if not by:
            raise DataError("A lease needs a by.")
        wanted, known = list(dict.fromkeys(row_ids)), again or {}
        with self._store.write() as connection:
            moment = now(connection)
            free: list[str] = []
            for some in _parts(wanted):  # what lies behind the first that are free need not be looked at
                holders = _holders(connection, some, campaign, moment)
                newest = _newest_labels(connection, some, dataset)
                free += [r for r in some if holders.get(r, by) == by and newest.get(r, 0) <= known.get(r, 0)]
                if len(free) >= n:
                    break
            taken = _take(connection, free[:n], by, campaign, moment, seconds)
            if keep is not None:
                _keep_only(connection, {*free[:n]}, {*keep}, by, campaign, moment + timedelta(seconds=seconds))
            return taken

    def release(self, row_ids: Collection[str] | None = None, *, by: str, campaign: str = "") -> None:
        """Give rows back before their time, all that `by` holds in the campaign if none are named."""
        mine = (LABEL_LEASE.c.by == by) & (LABEL_LEASE.c.campaign == campaign)
        with self._store.write() as connection:
            if row_ids is None:
                connection.execute(sa.delete(LABEL_LEASE).where(mine))
                return
            for some in _parts(list(row_ids)):
                connection.execute(sa.delete(LABEL_LEASE).where(mine, LABEL_LEASE.c.row_id.in_(some)))

    def held(self, *, campaign: str = "") -> list[Lease]:
        """Return the leases that run now."""
        with self._store.read() as connection:
            running = (LABEL_LEASE.c.campaign == campaign) & (LABEL_LEASE.c.expires > now(connection))
            return [Lease(*row) for row in connection.execute(sa.select(LABEL_LEASE).where(running))]


def release_labelled(connection: sa.Connection, row_ids: Collection[str], by: Collection[str]) -> None:
    """End the leases of rows that their holders have just labelled, in the label's own transaction."""
    for some in _parts(list(row_ids)):
        connection.execute(sa.delete(LABEL_LEASE).where(LABEL_LEASE.c.row_id.in_(some), LABEL_LEASE.c.by.in_(list(by))))


def _holders(connection: sa.Connection, row_ids: list[str], campaign: str, moment: datetime) -> dict[str, str]:
    holders: dict[str, str] = {}
    for some in _parts(row_ids):
        query = sa.select(LABEL_LEASE.c.row_id, LABEL_LEASE.c.by).where(
            LABEL_LEASE.c.campaign == campaign, LABEL_LEASE.c.row_id.in_(some), LABEL_LEASE.c.expires > moment
        )
        holders.update(tuple(row) for row in connection.execute(query))
    return holders


def _newest_labels(connection: sa.Connection, row_ids: list[str], dataset: str) -> dict[str, int]:
    newest: dict[str, int] = {}
    undone = LABEL_EVENT.alias()  # not the view of current labels: a claim reads these rows alone
    for some in _parts(row_ids):
        query = sa.select(LABEL_EVENT.c.row_id, sa.func.max(LABEL_EVENT.c.id)).group_by(LABEL_EVENT.c.row_id)
        stands = LABEL_EVENT.c.verdict.is_not(None) & ~sa.exists().where(undone.c.undo_of == LABEL_EVENT.c.id)
        query = in_dataset(query.where(LABEL_EVENT.c.row_id.in_(some), stands), LABEL_EVENT, dataset)
        newest |= {row_id: int(label_id) for row_id, label_id in connection.execute(query)}
    return newest


def _take(
    connection: sa.Connection, row_ids: list[str], by: str, campaign: str, moment: datetime, seconds: float
) -> list[Lease]:
    expires = moment + timedelta(seconds=seconds)
    if not row_ids:
        return []
    for some in _parts(row_ids):
        connection.execute(
            sa.delete(LABEL_LEASE).where(LABEL_LEASE.c.campaign == campaign, LABEL_LEASE.c.row_id.in_(some))
        )
    leases = [Lease(campaign, row_id, by, moment, expires) for row_id in row_ids]
    connection.execute(sa.insert(LABEL_LEASE), [lease._asdict() for lease in leases])
    return leases


def _keep_only(
    connection: sa.Connection, taken: set[str], keep: set[str], by: str, campaign: str, expires: datetime
) -> None:
    mine = (LABEL_LEASE.c.by == by) & (LABEL_LEASE.c.campaign == campaign)
    held = set(connection.execute(sa.select(LABEL_LEASE.c.row_id).where(mine)).scalars())
    for some in _parts(sorted(held - taken - keep)):
        connection.execute(sa.delete(LABEL_LEASE).where(mine, LABEL_LEASE.c.row_id.in_(some)))
    for some in _parts(sorted(held & keep - taken)):
        connection.execute(sa.update(LABEL_LEASE).where(mine, LABEL_LEASE.c.row_id.in_(some)).values(expires=expires))


def _parts(row_ids: list[str]) -> list[list[str]]:
    return [row_ids[start : start + _AT_ONCE] for start in range(0, len(row_ids), _AT_ONCE)]
