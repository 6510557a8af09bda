"""Scored rows, labels and a budget → high-ranking rows of as many entities and kinds as possible."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["diverse"]


def diverse(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    cover: tuple[str, ...] = ("entity", "signature"),
    pool: int = 1000,
) -> pd.Series:
    """Take the best row of each group first, then each group's second, and so on.

    One noisy host cannot fill the queue, nor can one kind of behaviour seen at many hosts. A row that is
    missing the value counts as a group of its own. Blind to the unusual below the first `pool` rows.

    Parameters
    ----------
    cover : columns of groups; those that the candidates do not have are left out. `signature` is alike
        for rows that fall into the same leaves of a forest.
    pool : how many of the highest-ranking open rows are looked at (at least `budget`)

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": [0.9, 0.8, 0.5], "entity": ["x", "x", "y"]}, index=["a", "b", "c"])
    >>> list(diverse(candidates, pd.DataFrame(), 3, rng=np.random.default_rng(0)).index)
    ['a', 'c', 'b']
    """
    score = candidates["ranking_score"].to_numpy()
    best = best_first(score, open_rows(candidates, labels), max(pool, budget))
    turn = np.zeros(len(best), dtype=np.int64)
    for name in cover:
        if name in candidates:
            group = candidates[name].iloc[best].reset_index(drop=True)
            nth = group.groupby(group, sort=False).cumcount().where(group.notna(), 0)
            turn = np.maximum(turn, nth.to_numpy(dtype=np.int64))
    order = np.argsort(turn, kind="stable")  # `best` is in score order already
    return as_queue(candidates, best[order][:budget], "diverse")
