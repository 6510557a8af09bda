"""Entity-days → a score each, which adds up from families of behaviour: the detector of the daily list.

A value is compared with all entities of the same role on that day and the days before, and with the largest that the
entity itself ever had. A role that has many more entities than there are sources inside (strangers) pays for the crowd. Of a family (scan, beacon, upload …) the most surprising column counts. The score is the largest
family, half of the second and a quarter of the third, so that one strong signal is never buried under many small ones.
Of a kind that many rows of the day tell, each further row counts less, so that no kind fills the list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csc_array

from socml.features import Column, EntityDay
from socml.models.signals import numbered, rank_rows

Floats = NDArray[np.float64]
MOST = 6.0  # a surprise beyond one in a million counts as that
MEMORY_DAYS = 60
FEWEST = 5  # values of a reference below which nothing is said
ENOUGH = 30  # entity-days of peers from which nothing needs to be assumed
_OF_ROWS = (
    "role",
    "entity",
    "values",
    "surprise",
    "evidence",
    "column",
    "parts",
    "score",
    "once_in",
    "peers",
    "own_largest",
    "days_seen",
)
OWN_SCALE = 0.35  # logarithm by which a value must exceed the entity's own largest to be as odd as 1 in 10


@dataclass(frozen=True)
class DayScores:
    """What the detector says of one day's rows, in their order.

    Attributes
    ----------
    families : names, in the order of the columns of `evidence` and `parts`
    surprise : shape (rows, columns), −log10 of how often the value or more is seen, after the entity's own history
    evidence : shape (rows, families), how much each family says; 0 is nothing, 5 the most
    column : shape (rows, families), position of the column that speaks for the family
    parts : shape (rows, families), what each family adds to the score; they sum to it exactly
    score : shape (rows,)
    once_in : shape (rows,), as rare as once in so many entity-days
    peers : shape (rows, columns), share of the peers' days that reach the value, 0 to 1
    own_largest : shape (rows, columns), the entity's largest value before; 0 if it has no history
    days_seen : shape (rows,), days on which the entity was seen before
    """

    day: date
    role: NDArray[np.object_]
    entity: NDArray[np.object_]
    values: Floats
    families: tuple[str, ...]
    surprise: Floats
    evidence: Floats
    column: NDArray[np.int64]
    parts: Floats
    score: Floats
    once_in: Floats
    peers: Floats
    own_largest: Floats
    days_seen: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> DayScores:
        """Return the same of some rows alone."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _OF_ROWS})

    def spread(self, at: NDArray[np.int64], count: int, others: Mapping[str, np.ndarray]) -> DayScores:
        """Return the same of `count` rows, of which these are those at `at`: of the others all is 0 or as `others` says."""
        return replace(self, **{name: spread(getattr(self, name), at, count, others.get(name)) for name in _OF_ROWS})


@dataclass(frozen=True)
class _Remembered:
    """An earlier day: of a quarter of a million strangers, nearly all cells are 0, and each name is a text of its own.

    Attributes
    ----------
    keys : role and entity of each row
    group, names : with whom each row is compared, as a position in `names`
    x : shape (rows, columns)
    """

    keys: pa.Array
    group: NDArray[np.int32]
    names: tuple[str, ...]
    x: csc_array

    def of(self, group: str) -> NDArray[np.bool_]:
        """Return which rows are of a group."""
        place = self.names.index(group) if group in self.names else -1
        return np.asarray(self.group == place)

    def column(self, c: int, rows: NDArray[np.bool_]) -> Floats:
        """Return what is not 0 in one column of some rows."""
        here = slice(self.x.indptr[c], self.x.indptr[c + 1])
        return np.asarray(self.x.data[here][rows[self.x.indices[here]]])


class EntitySurprise:
    """Score entity-days one day after the other; each day is learned after it was scored.

    Blind to an entity that has always done what it does today, to odd combinations of ordinary values, and on the first
    day to whatever needs a past.

    Parameters
    ----------
    columns : of the rows' values
    memory_days : how many earlier days are remembered
    malicious : (day, role, entity) that were labelled so: the days after them do not learn from them
    groups : whom each row is compared with; its role if not given
    weights : by how much each family of each row is multiplied, shape (rows, families); nothing if not given

    Examples
    --------
    >>> flows = Column("flows", "s", "source", "volume", 0, 1, False, "", "", "")
    >>> detector = EntitySurprise([flows])
    >>> hosts = np.array([f"10.0.0.{i}" for i in range(20)], object)
    >>> day = EntityDay(date(2026, 3, 2), np.repeat("source inside", 20).astype(object), hosts, np.arange(20.0)[:, None] ** 3)
    >>> int(detector.score_day(day).score.argmax())
    19
    """

    def __init__(
        self,
        columns: Iterable[Column],
        *,
        memory_days: int = MEMORY_DAYS,
        malicious: Collection[tuple[date, str, str]] = (),
        groups: Callable[[EntityDay], NDArray[np.object_]] | None = None,
        weights: Callable[[EntityDay, tuple[str, ...]], Floats] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.families = tuple(dict.fromkeys(column.family for column in self.columns))
        self.malicious = set(malicious)
        self._groups, self._weights = groups, weights
        self._past: deque[_Remembered] = deque(maxlen=memory_days)
        self._totals: deque[Floats] = deque(maxlen=memory_days)

    def score_day(self, rows: EntityDay) -> DayScores:
        """Return the scores of a day's rows, then remember the rows."""
        x = self._logarithms(rows.values)
        groups = rows.role if self._groups is None else self._groups(rows)
        of_peers, peers = self._against_peers(rows, groups, x)
        largest, seen = self._own_history(rows)
        tails = self._after_own_history(of_peers, x, largest, seen)
        evidence, column = self._by_family(tails, x)
        if self._weights is not None:
            evidence = evidence * self._weights(rows, self.families)
        parts, score = rank_rows(evidence, numbered(rows.role))
        totals = np.sort(np.concatenate([*self._totals, score]))
        rarity = surprise(totals[totals > 0], len(totals), score, least_scale=0.2)
        self._learn(rows, groups, x, score)
        return DayScores(
            rows.day,
            rows.role,
            rows.entity,
            rows.values,
            self.families,
            tails,
            evidence,
            column,
            parts,
            score,
            10.0**rarity,
            peers,
            np.expm1(largest),
            seen,
        )

    def remember(self, rows: EntityDay, score: Floats) -> None:
        """Learn a day that was scored before, as `score_day` did after it had scored it."""
        groups = rows.role if self._groups is None else self._groups(rows)
        self._learn(rows, groups, self._logarithms(rows.values), score)

    def _logarithms(self, values: Floats) -> Floats:
        floors = np.array([column.floor for column in self.columns])
        return np.log1p(np.where(values < floors, 0.0, values))

    def _against_peers(self, rows: EntityDay, groups: NDArray[np.object_], x: Floats) -> tuple[Floats, Floats]:
        """Return the surprise among the peers so far, and the share of them that reaches each value."""
        tails, peers = np.zeros_like(x), np.ones_like(x)
        for group in dict.fromkeys(groups.tolist()):
            mine = groups == group
            role = str(rows.role[mine][0])
            past = [(day, day.of(group)) for day in self._past]
            n = int(mine.sum() + sum(of.sum() for _, of in past))
            for c, column in enumerate(self.columns):
                if column.role != role.split(" ", maxsplit=1)[0]:
                    continue
                today = x[mine, c]
                if not (today > 0).any():
                    continue
                reference = np.concatenate([today, *(day.column(c, of) for day, of in past)])
                reference = np.sort(reference[reference > 0])
                assumed, more = _assumed(column, n)
                rarity = surprise(np.sort(np.concatenate([reference, assumed])), n + more, today)
                tails[mine, c] = np.maximum(0.0, rarity - _crowd(rows.role, role))
                peers[mine, c] = (len(reference) - np.searchsorted(reference, today, side="left")) / n
        return tails, peers

    def _own_history(self, rows: EntityDay) -> tuple[Floats, NDArray[np.int64]]:
        """Return each entity's largest x so far, and the days on which it was seen."""
        keys = row_keys(rows.role, rows.entity)
        largest, seen = np.zeros_like(rows.values), np.zeros(len(keys), np.int64)
        for day in self._past:
            at = pc.index_in(day.keys, value_set=keys).fill_null(-1).to_numpy()
            seen[at[at >= 0]] += 1
            x = day.x.tocoo()
            here = at[x.row] >= 0
            cells = (at[x.row[here]], x.col[here])
            largest[cells] = np.maximum(largest[cells], x.data[here])
        return largest, seen

    def _after_own_history(self, tails: Floats, x: Floats, largest: Floats, seen: NDArray[np.int64]) -> Floats:
        weight = (seen / (seen + 1.0))[:, None]
        own = np.maximum(0.0, (x - largest) / OWN_SCALE)
        mixed = (1 - weight) * tails + weight * np.minimum(tails, own)
        return np.where(np.array([column.is_new for column in self.columns]), tails, mixed)

    def _by_family(self, tails: Floats, x: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Return how much each family says, and which column speaks for it: of equal ones that with the larger value."""
        weights = np.array([column.weight for column in self.columns])
        weighed = np.minimum(tails, MOST) * weights
        evidence = np.zeros((len(tails), len(self.families)))
        column = np.zeros((len(tails), len(self.families)), np.int64)
        for f, family in enumerate(self.families):
            of = np.array([c for c, info in enumerate(self.columns) if info.family == family])
            column[:, f] = of[_first_of(weighed[:, of], x[:, of])] if len(tails) else 0
            evidence[:, f] = np.maximum(0.0, weighed[:, of].max(axis=1, initial=0.0) - 1.0)
        return evidence, column

    def _learn(self, rows: EntityDay, groups: NDArray[np.object_], x: Floats, score: Floats) -> None:
        bad = {(role, entity) for day, role, entity in self.malicious if day == rows.day}
        keep = np.ones(len(score), dtype=bool)
        if bad:
            keep[:] = [named not in bad for named in zip(rows.role, rows.entity, strict=True)]
        group, names = pd.factorize(groups[keep])
        x_kept = csc_array(x[keep])
        keys = row_keys(rows.role[keep], rows.entity[keep])
        self._past.append(_Remembered(keys, group.astype(np.int32), tuple(names), x_kept))
        self._totals.append(score[keep])


def _assumed(column: Column, n: int) -> tuple[Floats, int]:
    """Return the values that are assumed beside `n` real ones, and how many they are, those of 0 among them.

    They fill up to 30 entity-days, spread so that one in ten reaches what is usual: an infected machine that is alone in
    the logs, or the first of its role, is judged by that, and by its peers as soon as there are enough of them.
    """
    more = max(0, ENOUGH - n) if column.usual > 0 else 0
    share = (np.arange(more) + 0.5) / max(more, 1)
    values = -np.log10(1 - share) * np.log1p(column.usual)
    return values[values >= np.log1p(column.floor)] if column.floor else values, more


def _crowd(roles: NDArray[np.object_], role: str) -> float:
    """Return what a role pays for its many rows: log10 of how many there are for each source inside, 0 at least.

    Strangers outnumber the machines inside ten to one. With shares alone, one in a thousand of them would fill the list
    each day; so a row of a larger crowd must be rarer to stand as high. Without any source inside nothing is paid.
    """
    inside = int((roles == "source inside").sum())
    return float(max(0.0, np.log10((roles == role).sum() / inside))) if inside else 0.0


def _first_of(tails: Floats, x: Floats) -> NDArray[np.int64]:
    """Return the column of the largest surprise in each row; of equal ones, that of the largest value."""
    largest = tails >= tails.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(np.where(largest, x, -1.0).argmax(axis=1))


def spread(told: Any, at: NDArray[np.int64], count: int, others: np.ndarray | None = None) -> Any:
    """Return an array of `count` rows, of which `told` are those at `at`: the others are 0, or those of `others`."""
    whole = np.zeros((count, *told.shape[1:]), told.dtype) if others is None else others.copy()
    whole[at] = told
    return whole


def row_keys(role: NDArray[np.object_], entity: NDArray[np.object_]) -> pa.Array:
    """Return a text for each row that names its role and, after a NUL, its entity."""
    return pc.binary_join_element_wise(pa.array(role, pa.string()), pa.array(entity, pa.string()), "\0")


def surprise(reference: Floats, n: int, x: Floats, *, tail_share: float = 0.05, least_scale: float = 0.3) -> Floats:
    """Return −log10 of the share of a reference that reaches each x; x of 0 or below is 0.

    Up to the (1 − `tail_share`) point the share is counted, (reached + 1) / (n + 1). Beyond it an exponential tail is
    fitted to the excesses, so that a value far outside is more surprising than one that just is the largest.

    Parameters
    ----------
    reference : sorted, positive values
    n : how many values the reference has, zeros included
    x : values to judge, in the same unit
    least_scale : smallest mean excess, so that equal values do not make a small step look impossible

    Examples
    --------
    >>> surprise(np.arange(1.0, 100.0), 99, np.array([0.0, 50.0, 99.0])).round(2).tolist()
    [0.0, 0.29, 2.02]
    """
    tail = np.zeros(len(x))
    if n < FEWEST:
        return tail
    reached = len(reference) - np.searchsorted(reference, x, side="left")
    tail = -np.log10((reached + 1) / (n + 1))
    in_tail = max(FEWEST, int(tail_share * n))
    at = len(reference) - in_tail - 1
    corner = float(reference[at]) if at >= 0 else 0.0
    beyond = reference[np.searchsorted(reference, corner, side="right") :]
    scale = max(float((beyond - corner).mean()) if len(beyond) else 0.0, least_scale)
    share = max(len(beyond), 1) / (n + 1)
    far = x > corner
    tail[far] = -np.log10(share) + (x[far] - corner) / scale / np.log(10)
    tail[x <= 0] = 0.0
    return np.maximum(tail, 0.0)
