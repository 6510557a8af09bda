"""A column and the rows of interest → what is usual there: for the entity, for everyone, and for peers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LOW, HIGH = 0.1, 0.9  # "usually" is the middle 80 % of the rows
FEWEST_OTHERS = 5  # other rows an entity needs before something is usual for it
MARKED = 8  # bytes a row that it may take to mark which entity has which category
AT_ONCE = 4_000_000  # rows that are put in another order at a time


@dataclass(frozen=True)
class Entities:
    """Who each row is about.

    Attributes
    ----------
    order : positions of the rows, entity by entity
    starts : where each entity starts in `order`
    group : for each row, the number of its entity; each row is its own where no entity is known
    known : whether any row has an entity
    """

    order: np.ndarray
    starts: np.ndarray
    group: np.ndarray
    known: bool

    def others(self, position: int) -> np.ndarray:
        """Return the positions of the entity's other rows."""
        entity = self.group[position]
        end = self.starts[entity + 1] if entity + 1 < len(self.starts) else len(self.order)
        members = self.order[self.starts[entity] : end]
        return np.asarray(members[members != position])


def group_entities(entity: pd.Series | None, rows: int) -> Entities:
    """Return who each of `rows` rows is about. Rows of no entity are each their own."""
    import pandas as pd

    if entity is None or not entity.notna().any():
        alone = np.arange(rows)
        return Entities(alone, alone, alone, known=False)
    codes, _ = pd.factorize(entity)
    nobody = codes < 0
    codes[nobody] = codes.max() + 1 + np.arange(int(nobody.sum()))
    codes = codes.astype(np.int32) if rows <= np.iinfo(np.int32).max else codes
    return Entities(*_by_entity(codes), codes, known=True)


def _by_entity(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows entity by entity, those of one in their order, and where each entity starts; some rows at a time."""
    parts = [slice(at, at + AT_ONCE) for at in range(0, len(group), AT_ONCE)]
    count = int(group.max()) + 1
    rows_of = sum(np.bincount(group[part], minlength=count) for part in parts)
    starts = np.cumsum(rows_of) - rows_of
    free, order = starts.copy(), np.empty_like(group)
    for part in parts:
        short = group[part].astype(np.min_scalar_type(count))  # numbers of 16 bits sort in one pass
        rows = np.argsort(short, kind="stable")
        entity = group[part][rows]
        first = np.append(True, entity[1:] != entity[:-1])
        in_entity = np.arange(len(rows)) - np.repeat(
            np.flatnonzero(first), np.diff(np.flatnonzero(np.append(first, True)))
        )
        order[free[entity] + in_entity] = part.start + rows
        free += np.bincount(entity, minlength=count)
    return order, starts


@dataclass(frozen=True)
class Spread:
    """How the numbers of one column lie, for everyone.

    Attributes
    ----------
    distinct : the values that are known, ascending, each once: of many rows few are
    below : how many rows lie below each of them, and at the end how many there are
    usual : below which 10, 50 and 90 % of them lie; NaN where none is known
    highest, lowest : of each entity
    """

    distinct: np.ndarray
    below: np.ndarray
    usual: tuple[float, float, float]
    highest: np.ndarray
    lowest: np.ndarray

    @property
    def nbytes(self) -> int:
        """Return how much memory it takes."""
        return self.distinct.nbytes + self.below.nbytes + self.highest.nbytes + self.lowest.nbytes


def spread_of(values: np.ndarray, entities: Entities) -> Spread:
    """Return how the values of a column lie; it costs a sort, so that a table on disk keeps it.

    `values` are sorted where they are: a copy of so many is memory that others need.
    """
    highest, lowest = _extremes(values, entities)
    values.sort()
    ordered = values[: int(np.searchsorted(values, np.nan))]
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]  # of each value
    usual = (_quantile(ordered, LOW), _quantile(ordered, 0.5), _quantile(ordered, HIGH))
    below = np.empty(int(np.count_nonzero(first)) + 1, dtype=np.min_scalar_type(len(ordered)))
    below[-1], done = len(ordered), 0
    for start in range(0, len(ordered), AT_ONCE):
        here = start + np.flatnonzero(first[start : start + AT_ONCE])
        below[done : done + len(here)] = here
        ordered[done : done + len(here)] = ordered[here]
        done += len(here)
    distinct = ordered[:done] if 2 * done > len(values) else ordered[:done].copy()
    return Spread(distinct, below, usual, highest, lowest)


def _quantile(ordered: np.ndarray, share: float) -> float:
    """Return what `numpy.quantile` says of numbers that are in order, without its copy of them; NaN if there are none."""
    if not len(ordered):
        return np.nan
    place = share * (len(ordered) - 1)
    low, high = float(ordered[int(place)]), float(ordered[min(int(place) + 1, len(ordered) - 1)])
    part = place - int(place)
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def _extremes(values: np.ndarray, entities: Entities) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest and the lowest value of each entity."""
    highest, lowest = np.empty(len(entities.starts)), np.empty(len(entities.starts))
    for which, rows in _some_entities(entities):
        by_entity, starts = values[entities.order[rows]], entities.starts[which] - rows.start
        np.fmax.reduceat(by_entity, starts, out=highest[which])
        np.fmin.reduceat(by_entity, starts, out=lowest[which])
    return highest, lowest


def _some_entities(entities: Entities) -> Iterator[tuple[slice, slice]]:
    """Yield which entities, and where their rows are in `order`, so that few rows are looked at together."""
    starts, rows = entities.starts, len(entities.order)
    cuts = np.unique(np.append(np.searchsorted(starts, np.arange(0, rows, AT_ONCE)), len(starts)))
    for first, last in pairwise(cuts.tolist()):
        yield slice(first, last), slice(int(starts[first]), int(starts[last]) if last < len(starts) else rows)


def usual_numbers(
    values: np.ndarray, positions: np.ndarray, entities: Entities, spread: Spread | None = None
) -> dict[str, np.ndarray]:
    """Return, for each position, the percentile and the usual ranges of its value; NaN where not known.

    `peers` is the share of entities that reach the value: upward if it is above everyone's median, else
    downward.
    """
    spread = spread or spread_of(values.copy(), entities)
    low, middle, high = spread.usual
    here = values[positions]
    found = {
        name: np.full(len(positions), np.nan) for name in ("value_percentile", "entity_low", "entity_high", "peers")
    }
    found["everyone_low"], found["everyone_high"] = np.full(len(positions), low), np.full(len(positions), high)
    if not len(spread.distinct):
        return found
    seen = ~np.isnan(here)
    below = spread.below[np.searchsorted(spread.distinct, here[seen], side="left")]
    found["value_percentile"][seen] = 100.0 * below / float(spread.below[-1])
    for i in np.flatnonzero(seen).tolist():
        reached = spread.highest >= here[i] if here[i] > middle else spread.lowest <= here[i]
        found["peers"][i] = reached.mean()
    if entities.known:
        for i, at in enumerate(positions):
            others = values[entities.others(int(at))]
            others = others[~np.isnan(others)]
            if len(others) >= FEWEST_OTHERS:
                found["entity_low"][i], found["entity_high"][i] = np.quantile(others, [LOW, HIGH])
    return found


def category_shares(values: pd.Series, entities: Entities) -> dict[object, float]:
    """Return category → the share of entities that have it in some row."""
    import pandas as pd

    codes, categories = pd.factorize(values)
    possible = len(categories) * len(entities.starts)
    if possible <= MARKED * len(values):  # quicker than to sort them
        marked = np.zeros(possible, dtype=bool)
        for start in range(0, len(codes), AT_ONCE):
            marked[_pairs(codes, entities, slice(start, start + AT_ONCE))] = True
        pairs = np.flatnonzero(marked)
    else:
        pairs = np.unique(_pairs(codes, entities, slice(None)))
    counts = np.bincount(pairs // max(len(entities.starts), 1), minlength=len(categories))
    return dict(zip(categories.tolist(), (counts / max(len(entities.starts), 1)).tolist(), strict=True))


def _pairs(codes: np.ndarray, entities: Entities, rows: slice) -> np.ndarray:
    """Return a number for each category and entity of some rows that have a category."""
    known = codes[rows] >= 0
    pairs = codes[rows][known].astype(np.int64) * len(entities.starts)
    return np.asarray(pairs + entities.group[rows][known])


def usual_categories(here: pd.Series, shares: Mapping[object, float]) -> dict[str, np.ndarray]:
    """Return, for each category of `here`, the share of entities that have it in some row; NaN where it is missing."""
    known = [shares.get(value, np.nan) if there else np.nan for value, there in zip(here, here.notna(), strict=True)]
    return {"peers": np.array(known, dtype=np.float64)}
