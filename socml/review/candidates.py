"""Scored rows and labels → what every strategy needs: which rows are open, and the best of them in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def open_rows(candidates: pd.DataFrame, labels: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for each candidate whether it has no label yet."""
    is_open = np.ones(len(candidates), dtype=bool)
    positions = candidates.index.get_indexer(labels.index)
    is_open[positions[positions >= 0]] = False
    return is_open


def best_first(values: NDArray[np.float64], is_open: NDArray[np.bool_], budget: int) -> NDArray[np.intp]:
    """Return the positions of the `budget` open rows with the highest values, the highest first.

    Rows of equal value keep their order, so the answer does not depend on how it was found.
    """
    budget = min(budget, int(is_open.sum()))
    if budget <= 0:
        return np.empty(0, dtype=np.intp)
    masked = np.where(is_open, values, -np.inf)
    least = np.partition(masked, len(masked) - budget)[len(masked) - budget]
    within = np.flatnonzero(is_open & (masked >= least))
    return within[np.argsort(-masked[within], kind="stable")][:budget]


def as_queue(candidates: pd.DataFrame, positions: NDArray[np.intp], reason: str) -> pd.Series:
    """Return what a strategy returns: the rows at `positions` in that order, each with the same reason code."""
    return pd.Series(reason, index=candidates.index[positions], name="reason", dtype="str")
