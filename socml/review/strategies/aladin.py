"""Scored rows with a forest's predictions, labels and a budget → of each family in turn, the least and the most unusual."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, open_rows, turns
from socml.review.strategies.most_anomalous import most_anomalous

__all__ = ["aladin"]


def aladin(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
) -> pd.Series:
    """Take of each predicted family in turn its least sure row, then its most anomalous one.

    A rare family gets as many questions as a common one. Without predictions it takes the most anomalous.
    Blind to families that the forest does not predict anywhere yet, except through rows that are anomalous in another.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: family, confidence

    References
    ----------
    J. Stokes et al. (2008), «ALADIN: Active Learning of Anomalies to Detect Intrusions», Microsoft Research.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.1, 0.2, 0.3, 0.4]}, index=["a", "b", "c", "d"])
    >>> predictions = pd.DataFrame({"family": ["x", "x", "x", "y"], "confidence": [0.5, 0.9, 0.8, 0.7]}, rows.index)
    >>> list(aladin(rows, pd.DataFrame(), 4, rng=np.random.default_rng(0), predictions=predictions).index)
    ['a', 'd', 'c', 'b']
    """
    if predictions is None:
        return most_anomalous(candidates, labels, budget, rng=rng)
    at = np.flatnonzero(open_rows(candidates, labels))
    family, unsure = predictions["family"].to_numpy(dtype=object), 1 - predictions["confidence"].to_numpy()
    table = pd.DataFrame({"at": at, "family": family[at], "unsure": unsure[at]})
    table["score"] = candidates["ranking_score"].to_numpy()[at]
    dealt = turns(table, ("unsure", "score")).sort_values(["turn", "order"], kind="stable").drop_duplicates("at")
    return as_queue(candidates, dealt["at"].to_numpy()[:budget], "aladin")
