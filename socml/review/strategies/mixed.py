"""Scored rows, labels and a budget → mostly the most anomalous, a few by lot, some diverse where the top is barren."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.project import ConfigurationError, component

__all__ = ["mixed"]

RECENT = 10  # labels by which the top is judged: with one malicious among them it needs no diversity


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
    """Deal the queue's places to three strategies by their shares, each row with its own strategy's reason.

    Places go on from the number of labels, so the shares hold over a whole campaign also when only the
    first row is ever taken. While one of the last ten labels is malicious, the places of the diverse go
    to the most anomalous. Blind to what all three are blind to.

    Parameters
    ----------
    labels : index row_id, column verdict, in the order they were given

    Raises
    ------
    ConfigurationError
        If a share is negative, or they do not add up to 1.

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": np.arange(100.0)}, index=[f"r{i}" for i in range(100)])
    >>> mixed(candidates, pd.DataFrame(), 20, rng=np.random.default_rng(0)).value_counts().to_dict()
    {'most-anomalous': 14, 'diverse': 4, 'random-audit': 2}
    """
    shares = np.array([most_anomalous_share, diverse_share, random_audit_share])
    if (shares < 0).any() or not np.isclose(shares.sum(), 1.0):
        raise ConfigurationError(
            f"The shares of the mixed strategy must be 0 or more and add up to 1; they are {shares}."
        )
    names = ("most-anomalous", "diverse", "random-audit")
    queues = [component("strategies", name)(candidates, labels, 2 * budget, rng=rng) for name in names]
    places = _deal(shares, len(labels) + budget)[len(labels) :]
    if not _top_is_barren(labels):
        places = [0 if names[place] == "diverse" else place for place in places]
    return _take(queues, places)


def _top_is_barren(labels: pd.DataFrame) -> bool:
    return "verdict" not in labels or not bool((labels["verdict"].tail(RECENT) == "malicious").any())


def _deal(shares: np.ndarray, places: int) -> list[int]:
    """Return which strategy gets each place: always the one that lies furthest behind its share."""
    dealt = np.zeros(len(shares))
    order = []
    for place in range(1, places + 1):
        chosen = int(np.argmax(np.where(shares > 0, shares * place - dealt, -np.inf)))
        dealt[chosen] += 1
        order.append(chosen)
    return order


def _take(queues: list[pd.Series], places: list[int]) -> pd.Series:
    rows: dict[str, str] = {}
    waiting = [iter(zip(q.index, q, strict=True)) for q in queues]
    for place in places:
        for source in (waiting[place], waiting[0]):  # an exhausted strategy leaves its place to the first
            row = next(((row_id, reason) for row_id, reason in source if row_id not in rows), None)
            if row is not None:
                rows[row[0]] = row[1]
                break
    return pd.Series(
        list(rows.values()), index=pd.Index(list(rows), name=queues[0].index.name), name="reason", dtype="str"
    )
