"""Scored rows and labels → what every strategy needs: which rows are open, and the best of them in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SAMPLED = 64  # one row in so many says how high the best are
SPARE = 32  # rows of the sample above the bound beyond what the budget needs


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
    within = _likely(values, is_open, budget)
    within = within[is_open[within]]
    if len(within) > budget:
        least = np.partition(values[within], len(within) - budget)[len(within) - budget]
        within = within[values[within] >= least]
    return within[np.argsort(-values[within], kind="stable")][:budget]


def _likely(values: NDArray[np.float64], is_open: NDArray[np.bool_], budget: int) -> NDArray[np.intp]:
    """Return positions among which the `budget` best open rows are, in order: few of many rows, all of few.

    A sample says which value more than `budget` rows reach; no row below it can be among the best. Partitioning a
    million values for a hundred would take ten times as long.
    """
    sample = values[::SAMPLED][is_open[::SAMPLED]]
    place = 2 * (budget // SAMPLED) + SPARE
    if len(sample) > 4 * place:
        bound = np.partition(sample, len(sample) - place)[len(sample) - place]
        reached = np.flatnonzero(values >= bound)
        if is_open[reached].sum() >= budget:
            return reached
    return np.arange(len(values))


def turns(table: pd.DataFrame, orders: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table once an order, by which the highest value is first.

    Parameters
    ----------
    table : one row a candidate, with its family
    orders : columns to order by

    Returns
    -------
    DataFrame as `table`, and: turn (a row's place in its family, from 0), order (which one, from 0)
    """
    dealt = []
    for number, by in enumerate(orders):
        best = table.sort_values(by, ascending=False, kind="stable")
        dealt.append(best.assign(turn=best.groupby("family", sort=False).cumcount(), order=number))
    return pd.concat(dealt)


def as_queue(candidates: pd.DataFrame, positions: NDArray[np.intp], reason: str) -> pd.Series:
    """Return what a strategy returns: the rows at `positions` in that order, each with the same reason code."""
    return pd.Series(reason, index=candidates.index[positions], name="reason", dtype="str")
