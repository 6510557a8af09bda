"""A column and the rows of interest → what is usual there: for the entity, for everyone, and for peers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LOW, HIGH = 0.1, 0.9  # "usually" is the middle 80 % of the rows
FEWEST_OTHERS = 5  # other rows an entity needs before something is usual for it


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
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return Entities(order, starts, codes, known=True)


def usual_numbers(values: np.ndarray, positions: np.ndarray, entities: Entities) -> dict[str, np.ndarray]:
    """Return, for each position, the percentile and the usual ranges of its value; NaN where not known.

    `peers` is the share of entities that reach the value: upward if it is above everyone's median, else
    downward.
    """
    known = values[~np.isnan(values)]
    here = values[positions]
    found = {
        name: np.full(len(positions), np.nan) for name in ("value_percentile", "entity_low", "entity_high", "peers")
    }
    found["everyone_low"] = found["everyone_high"] = np.full(len(positions), np.nan)
    if not len(known):
        return found
    low, middle, high = np.quantile(known, [LOW, 0.5, HIGH])
    found["everyone_low"] = np.full(len(positions), low)
    found["everyone_high"] = np.full(len(positions), high)
    seen = ~np.isnan(here)
    below = _count_below(known, here[seen])
    found["value_percentile"][seen] = 100.0 * below / len(known)
    highest = np.fmax.reduceat(values[entities.order], entities.starts)
    lowest = np.fmin.reduceat(values[entities.order], entities.starts)
    for i in np.flatnonzero(seen).tolist():
        reached = highest >= here[i] if here[i] > middle else lowest <= here[i]
        found["peers"][i] = reached.mean()
    if entities.known:
        for i, at in enumerate(positions):
            others = values[entities.others(int(at))]
            others = others[~np.isnan(others)]
            if len(others) >= FEWEST_OTHERS:
                found["entity_low"][i], found["entity_high"][i] = np.quantile(others, [LOW, HIGH])
    return found


def usual_categories(values: pd.Series, positions: np.ndarray, entities: Entities) -> dict[str, np.ndarray]:
    """Return, for each position, the share of entities that have its category in some row; NaN where it has none."""
    import pandas as pd

    codes, _ = pd.factorize(values)
    peers = np.full(len(positions), np.nan)
    shares: dict[int, float] = {}
    for i, code in enumerate(int(code) for code in codes[positions]):
        if code < 0:
            continue
        if code not in shares:
            shares[code] = len(np.unique(entities.group[codes == code])) / len(entities.starts)
        peers[i] = shares[code]
    return {"peers": peers}


def _count_below(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how many of `known` are lower than each value; sorting pays only when many are asked for."""
    if len(values) > 32:
        return np.searchsorted(np.sort(known), values, side="left")
    return np.array([np.count_nonzero(known < value) for value in values], dtype=np.int64)
