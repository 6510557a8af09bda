"""Scored rows, labels and a budget → the rows that rank highest now."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["most_anomalous"]


def most_anomalous(
    candidates: pd.DataFrame, labels: pd.DataFrame, budget: int, *, rng: np.random.Generator
) -> pd.Series:
    """Take the highest `ranking_score` first; equal scores in the candidates' order.

    Blind to anything the ranking is blind to: what it never puts on top is never seen.

    Parameters
    ----------
    candidates : index row_id; column ranking_score, higher is looked at first
    labels : index row_id; rows that are not to be shown again
    budget : how many rows at most

    Returns
    -------
    Series : index row_id in review order, values the reason code

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": [0.1, 0.9, 0.5]}, index=["a", "b", "c"])
    >>> list(most_anomalous(candidates, pd.DataFrame(index=["b"]), 2, rng=np.random.default_rng(0)).index)
    ['c', 'a']
    """
    positions = best_first(candidates["ranking_score"].to_numpy(), open_rows(candidates, labels), budget)
    return as_queue(candidates, positions, "most-anomalous")
