"""What the page Today is told of a day: its rows with their reasons and ranges, which do the same, and an entity's days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from socml.jobs.day_queues import LISTED
from socml.review import Reason

RARITY = (10, 30, 100, 1000)  # once in so many entity-days: where another dot begins
_OF_GROUP = 3.0  # factor within which the values of a group's rows lie


@dataclass(frozen=True)
class Usual:
    """What a value is usually: of the entity itself on its earlier days, and of all rows of its role.

    `own_low` and `own_high` are None without earlier days, or where the column counts what is new.
    """

    own_low: float | None
    own_high: float | None
    all_low: float
    all_high: float
    own_days: int


@dataclass(frozen=True)
class TodayReason:
    """One family's part in a row: the reason, what is usual, and its share of the score, 0 to 1."""

    reason: Reason
    usual: Usual
    share: float


@dataclass(frozen=True)
class TodayRow:
    """One entity of the day.

    Attributes
    ----------
    dots : 1 to 5, how rare by calibration; see `RARITY`
    is_new : the day before did not list it for the same families
    group : row_id of the first row that does the same; its own if it is that, or alone
    cause : the strategy's reason for the row, `most-anomalous` in the list itself
    """

    row_id: str
    place: int
    entity: str
    role: str
    score: float
    once_in: float
    dots: int
    reasons: tuple[TodayReason, ...]
    is_new: bool
    group: str
    owner: str
    peer_group: str
    watched: bool
    first_day: date
    cause: str = LISTED


@dataclass(frozen=True)
class TodayList:
    """One day. `of_all` rows there are; `false_expected` of those listed by what was judged, None if too little was."""

    dataset: str
    day: date
    days: tuple[date, ...]
    rows: tuple[TodayRow, ...]
    of_all: int
    new: int
    false_expected: float | None
    absent_families: tuple[str, ...]


@dataclass(frozen=True)
class DayOfEntity:
    """One day of an entity's strip: its score, the dots, and its largest family; row_id None on days it was not seen."""

    day: date
    row_id: str | None
    score: float
    dots: int
    families: tuple[tuple[str, float], ...]  # family, value of its evidence 0 to 5


def dots_of(once_in: float) -> int:
    """Return 1 to 5 dots for how rare a row is.

    Examples
    --------
    >>> [dots_of(n) for n in (2, 10, 30, 400, 4000)]
    [1, 2, 3, 4, 5]
    """
    return 1 + int(np.searchsorted(RARITY, once_in, side="right"))


def grouped_rows(rows: Sequence[TodayRow]) -> list[TodayRow]:
    """Return the rows with those that do the same named after the first of them.

    The same is: one role, one measure on top, of the same thing if it names one, and values within a factor of three.
    """
    leaders: dict[tuple[str, str, str], TodayRow] = {}
    found = []
    for row in rows:
        top = row.reasons[0].reason if row.reasons else None
        if top is None:
            found.append(row)
            continue
        leader = leaders.setdefault((row.role, top.column, top.about), row)
        value = leader.reasons[0].reason.value
        alike = value / _OF_GROUP <= top.value <= value * _OF_GROUP
        found.append(TodayRow(**{**vars(row), "group": leader.row_id if alike else row.row_id}))
    return found
