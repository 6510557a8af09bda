"""Scored rows, labels and a budget → rows drawn by lot, the score not looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["random_audit"]


def random_audit(candidates: pd.DataFrame, labels: pd.DataFrame, budget: int, *, rng: np.random.Generator) -> pd.Series:
    """Draw rows with equal chances, so that what labels say of them holds for all rows.

    Each row gets its lot whether it is labelled or not, so under one seed the order of the rest stays
    while labels are given. Blind to rarity: of one malicious row in a thousand it finds one in a thousand.

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": [0.1, 0.9, 0.5]}, index=["a", "b", "c"])
    >>> queue = random_audit(candidates, pd.DataFrame(index=["b"]), 5, rng=np.random.default_rng(0))
    >>> sorted(queue.index), set(queue)
    (['a', 'c'], {'random-audit'})
    """
    lots = rng.random(len(candidates))
    return as_queue(candidates, best_first(lots, open_rows(candidates, labels), budget), "random-audit")
