"""A scored day → what an app keeps of it, for it keeps all days: whole, the few rows that have something to say.

Of the others, nine in ten and more, it keeps who they are and what they did; a day can be made whole again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csc_array

from socml.features import EntityDay
from socml.jobs.daily_listing import RankedDay, ScoredDay
from socml.models import row_keys

_ID = pa.binary(16)  # a row_id without its hexadecimal digits


@dataclass(frozen=True)
class KeptDay:
    """One day.

    Attributes
    ----------
    told : the rows that some family has evidence of, as they were scored
    at : which rows of the day they are
    keys : role and entity of each row of the day, as `row_keys` writes them
    role, roles : the role of each once more, as a position in `roles`
    ids : the row_id of each, as 16 bytes
    values : shape (rows of the day, columns)
    """

    told: ScoredDay
    at: NDArray[np.int64]
    keys: pa.Array
    role: NDArray[np.int64]
    roles: tuple[str, ...]
    ids: pa.Array
    values: csc_array

    @classmethod
    def of(cls, day: ScoredDay) -> KeptDay:
        """Return what is kept of a day."""
        at = np.flatnonzero(day.scores.evidence.any(axis=1))
        rows = replace(day.rows, role=day.rows.role[at], entity=day.rows.entity[at], values=day.rows.values[at])
        role, roles = pd.factorize(day.rows.role)
        return cls(
            told=ScoredDay(rows, day.scores.of(at), day.row_id[at]),
            at=at,
            keys=row_keys(day.rows.role, day.rows.entity),
            role=role.astype(np.min_scalar_type(len(roles))),
            roles=tuple(roles),
            ids=_ids(day.row_id),
            values=csc_array(day.rows.values),
        )

    def __len__(self) -> int:
        """Return how many rows the day has."""
        return len(self.keys)

    @property
    def day(self) -> date:
        """Return the day."""
        return self.told.rows.day

    def places(self, keys: pa.Array) -> NDArray[np.int64]:
        """Return where the rows of these keys, each once, are in the day; −1 for one that it does not have."""
        return _where(self.keys, keys)

    def named(self, row_ids: Collection[str]) -> NDArray[np.int64]:
        """Return where the rows of the day are that have these ids."""
        found = _where(self.ids, _ids([name for name in row_ids if _is_id(name)]))
        return found[found >= 0]

    def row_id(self, place: int) -> str:
        """Return the id of a row of the day."""
        return str(self.ids[place].as_py().hex())

    def remembered(self) -> tuple[EntityDay, NDArray[np.float64]]:
        """Return the rows of the day and their scores, as days are scored that come after it."""
        score = np.zeros(len(self))
        score[self.at] = self.told.scores.score
        return EntityDay(self.day, *self._names(), self.values.toarray()), score

    def who(self, place: int) -> tuple[str, str]:
        """Return role and entity of a row of the day."""
        role, _, entity = self.keys[place].as_py().partition("\0")
        return role, entity

    def cell(self, place: int, c: int) -> float:
        """Return one value of a row of the day."""
        places, values = self._column(c)
        found = int(np.searchsorted(places, place))
        return float(values[found]) if found < len(places) and places[found] == place else 0.0

    def above_zero(self, c: int, role: str) -> tuple[NDArray[np.float64], int]:
        """Return one column of the rows of a role: its values above 0, and how many rows there are in all."""
        if role not in self.roles:
            return np.empty(0), 0
        mine = self.role == self.roles.index(role)
        places, values = self._column(c)
        return values[mine[places]], int(mine.sum())

    def whole(self, ranked: RankedDay) -> RankedDay:
        """Return the day with all its rows, in their order; of what is ranked, `ranked` has the told ones."""
        role, entity = self._names()
        others = {"role": role, "entity": entity, "once_in": np.ones(len(self))}
        scores = ranked.scores.spread(self.at, len(self), others)
        learned, unlearned = (one.spread(self.at, len(self)) for one in (ranked.learned, ranked.unlearned))
        ids = np.array([one.hex() for one in self.ids.to_pylist()], object)
        order = np.argsort(-learned.score, kind="stable")
        return replace(ranked, scores=scores, learned=learned, unlearned=unlearned, row_id=ids, order=order)

    def _names(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        roles = np.array(self.roles, object)[self.role]
        starts = [len(role) + 1 for role in roles]
        names = [key[start:] for key, start in zip(self.keys.to_pylist(), starts, strict=True)]
        return roles, np.array(names, object)

    def _column(self, c: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        here = slice(self.values.indptr[c], self.values.indptr[c + 1])
        return self.values.indices[here], self.values.data[here]


def middle_of(days: Sequence[KeptDay], c: int, role: str, but: float, shares: Sequence[float]) -> list[float]:
    """Return which values these shares of a role's rows do not exceed, on all of `days`; one row of value `but` is left out.

    Nothing if there is no other row. Of two values that are as near, the one at the even place.
    """
    columns = [day.above_zero(c, role) for day in days]
    above = np.sort(np.concatenate([values for values, _ in columns]))
    zeros = sum(count for _, count in columns) - len(above)
    left_out = zeros + int(np.searchsorted(above, but)) if but > 0 else 0
    others = zeros + len(above) - 1
    if others < 1:
        return []
    places = [round(share * (others - 1)) for share in shares]
    places = [place + (place >= left_out) for place in places]
    return [0.0 if place < zeros else float(above[place - zeros]) for place in places]


def _ids(row_ids: Collection[str] | NDArray[np.object_]) -> pa.Array:
    return pa.array([bytes.fromhex(one) for one in row_ids], _ID)


def _is_id(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def _where(stored: pa.Array, wanted: pa.Array) -> NDArray[np.int64]:
    found = np.full(len(wanted), -1)
    of_wanted = pc.index_in(stored, value_set=wanted)
    places = pc.indices_nonzero(of_wanted.is_valid())
    found[of_wanted.take(places).to_numpy()] = places.to_numpy()
    return found
