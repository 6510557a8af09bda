"""What was done beside labelling → one append-only record of it, from which cases, rules and responses are folded.

An entry is never changed: what it did is taken back by another entry. So who did what, and when, is always there.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping

import sqlalchemy as sa

from socml.labels.database import JOURNAL, Connections, now
from socml.labels.records import Entry
from socml.project import DataError

LONGEST_BODY = 1_000_000  # characters of one entry
_LONGEST = 500
_LONE = re.compile("[\ud800-\udfff]")  # half a letter, which no page and no file takes


class Journal:
    """The entries of one store, in the order they were stored.

    Examples
    --------
    >>> from socml.labels import LabelStore
    >>> with LabelStore("sqlite://") as store:
    ...     entry = store.journal.add("case.opened", "c1", {"title": "scan"}, by="ana", client_id="a")
    ...     again = store.journal.add("case.opened", "c1", {"title": "scan"}, by="ana", client_id="a")
    ...     entry.id == again.id, [e.body["title"] for e in store.journal.entries("case.")]
    (True, ['scan'])
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def check_writable(self) -> None:
        """Raise ConfigurationError if whoever opened the store may only look: before what would be recorded is done."""
        self._connections.check_writable()

    def add(
        self,
        kind: str,
        subject: str | Callable[[set[str]], str],
        body: Mapping[str, object] | None = None,
        *,
        by: str,
        client_id: str = "",
        dataset: str = "",
    ) -> Entry:
        """Store an entry. A `client_id` that is sent again stores nothing more.

        Parameters
        ----------
        subject : or what makes it of those that the kind has so far, while nobody else writes

        Raises
        ------
        DataError
            If it says nothing of who or of what, is too long, or its `client_id` was used for something else.
        """
        client_id = client_id or uuid.uuid4().hex
        text = _LONE.sub("\ufffd", json.dumps(dict(body or {}), ensure_ascii=False, sort_keys=True))
        for name, value in (("kind", kind), ("subject", subject), ("by", by), ("client_id", client_id)):
            if isinstance(value, str) and (not value or len(value) > _LONGEST):
                raise DataError(f"A record needs a {name} of 1 to {_LONGEST} characters, not {len(value)}.")
        if len(text) > LONGEST_BODY:
            raise DataError(f"{kind}: {len(text):,} characters are too many; at most {LONGEST_BODY:,} are kept.")
        body = json.loads(text)
        values = {"kind": kind, "dataset": dataset, "by": by, "client_id": client_id, "body": body}
        with self._connections.write() as connection:
            before = connection.execute(sa.select(JOURNAL).where(JOURNAL.c.client_id == client_id)).first()
            if before is not None:
                wanted = subject if isinstance(subject, str) else before.subject
                if (before.kind, before.subject, before.by) != (kind, wanted, by):
                    raise DataError(f"The client_id {client_id!r} was used before, for something else.")
                return Entry(*before)
            if not isinstance(subject, str):
                known = sa.select(JOURNAL.c.subject).where(JOURNAL.c.kind == kind)
                subject = subject(set(connection.execute(known).scalars()))
            moment = now(connection)
            values["subject"] = subject
            stored = sa.insert(JOURNAL).values(time=moment, **values).returning(JOURNAL.c.id)
            entry_id = connection.execute(stored).scalar_one()
        return Entry(int(entry_id), moment, kind, subject, dataset, by, client_id, body)

    def entries(self, *kinds: str, subject: str = "", dataset: str = "") -> list[Entry]:
        """Return entries whose kind begins with one of `kinds` (all if none is given), in the order they were stored."""
        query = sa.select(JOURNAL).order_by(JOURNAL.c.id)
        if kinds:
            query = query.where(sa.or_(*(JOURNAL.c.kind.startswith(kind, autoescape=True) for kind in kinds)))
        if subject:
            query = query.where(JOURNAL.c.subject == subject)
        if dataset:
            query = query.where(JOURNAL.c.dataset.in_([dataset, ""]))
        with self._connections.read() as connection:
            return [Entry(*row) for row in connection.execute(query)]
