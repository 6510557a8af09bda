"""Scored rows, labels and a budget → the most anomalous and a few by lot; more of these, and diverse ones, where the top is barren."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.project import ConfigurationError, component

__all__ = ["mixed"]

RECENT = 20  # labels by which the top is judged: it is barren after as many, none of them malicious
FRUITFUL = 0.3  # what the share of rows by lot is multiplied by where it is not: each such row costs one of the top


def mixed(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    most_anomalous_share: float = 0.7,
    diverse_share: float = 0.2,
    random_audit_share: float = 0.1,
) -> pd.Series:
    """Deal the queue's places to three strategies, each row with its own strategy's reason.

    The shares are those of a barren top: 20 labels one after the other, none of them malicious. Otherwise the places of the
    diverse go to the most anomalous, and seven of ten of those by lot, for there they find less than the top does. Places go
    on from the number of labels, so this holds over a whole campaign also when only the first row is ever taken.
    Figures: `docs/results/results-learning.md`. Blind to what all three are blind to.

    Parameters
    ----------
    labels : index row_id, column verdict, in the order they were given
    most_anomalous_share, diverse_share, random_audit_share : of the places, where the top is barren

    Raises
    ------
    ConfigurationError
        If a share is negative, or they do not add up to 1.

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": np.arange(100.0)}, index=[f"r{i}" for i in range(100)])
    >>> mixed(candidates, pd.DataFrame(), 20, rng=np.random.default_rng(0)).value_counts().to_dict()
    {'most-anomalous': 19, 'random-audit': 1}
    >>> labels = pd.DataFrame({"verdict": ["benign"] * 20}, index=[f"r{i}" for i in range(20)])
    >>> mixed(candidates, labels, 20, rng=np.random.default_rng(0)).value_counts().to_dict()
    {'most-anomalous': 14, 'diverse': 4, 'random-audit': 2}
    """
    shares = np.array([most_anomalous_share, diverse_share, random_audit_share])
    if (shares < 0).any() or not np.isclose(shares.sum(), 1.0):
        raise ConfigurationError(
            f"The shares of the mixed strategy must be 0 or more and add up to 1; they are {shares}."
        )
    names = ("most-anomalous", "diverse", "random-audit")
    places = _deal(shares, _barren(labels, budget))[len(labels) :]
    asked = {0, *places}  # what no place is dealt to is not looked for
    queues = {
        at: component("strategies", name)(candidates, labels, 2 * budget, rng=rng)
        for at, name in enumerate(names)
        if at in asked
    }
    return _take(queues, places)


def _barren(labels: pd.DataFrame, budget: int) -> NDArray[np.bool_]:
    """Return for each place so far, and for `budget` more, whether the top was barren when it was dealt."""
    malicious = (
        labels["verdict"].eq("malicious").to_numpy() if "verdict" in labels else np.zeros(len(labels), dtype=bool)
    )
    places = np.arange(len(labels) + 1)
    found = np.concatenate([[0], np.cumsum(malicious)])
    barren = (places >= RECENT) & (found == found[np.maximum(places - RECENT, 0)])
    return np.concatenate([barren[:-1], np.repeat(barren[-1:], budget)])


def _deal(shares: NDArray[np.float64], barren: NDArray[np.bool_]) -> list[int]:
    """Return which strategy gets each place: always the one that lies furthest behind what is due to it."""
    by_lot = FRUITFUL * float(shares[2])
    fruitful = [1.0 - by_lot, 0.0, by_lot]
    due, dealt, order = [0.0] * len(shares), [0] * len(shares), []
    for is_barren in barren.tolist():  # without numpy, which takes three times as long for three numbers
        now = shares.tolist() if is_barren else fruitful
        due = [before + more for before, more in zip(due, now, strict=True)]
        behind = [owed - had if more > 0 else -np.inf for owed, had, more in zip(due, dealt, now, strict=True)]
        chosen = behind.index(max(behind))
        dealt[chosen] += 1
        order.append(chosen)
    return order


def _take(queues: dict[int, pd.Series], places: list[int]) -> pd.Series:
    rows: dict[str, str] = {}
    waiting = {at: iter(zip(queue.index, queue, strict=True)) for at, queue in queues.items()}
    for place in places:
        for source in (waiting[place], waiting[0]):  # an exhausted strategy leaves its place to the first
            row = next(((row_id, reason) for row_id, reason in source if row_id not in rows), None)
            if row is not None:
                rows[row[0]] = row[1]
                break
    return pd.Series(
        list(rows.values()), index=pd.Index(list(rows), name=queues[0].index.name), name="reason", dtype="str"
    )
