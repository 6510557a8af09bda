"""Scored rows with a forest's predictions, labels and a budget → the boundary, then typical and odd rows of each family."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows, turns
from socml.review.strategies.most_anomalous import most_anomalous

__all__ = ["ilab"]


def ilab(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
    boundary_share: float = 0.2,
) -> pd.Series:
    """Take rows at the boundary of malicious and benign, then of each family in turn its typical and its odd rows.

    Typical rows confirm a family; odd ones, predicted but unlike anything labelled, discover those hidden inside it.
    Malicious families have their turn before benign ones. A side without rows left gives its places to the other.
    Without predictions it takes the most anomalous. Blind to a family that looks like a known one throughout.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: probability, family, confidence, novelty
    boundary_share : of the budget

    References
    ----------
    A. Beaugnon, P. Chifflier, F. Bach (2017), «ILAB: An Interactive Labelling Strategy for Intrusion Detection», RAID.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.0] * 4}, index=["a", "b", "c", "d"])
    >>> predictions = pd.DataFrame({"probability": [0.9, 0.5, 0.1, 0.8], "family": list("xxyx"),
    ...                          "confidence": [0.9, 0.5, 0.9, 0.8], "novelty": [0.1, 0.2, 0.3, 0.9]}, rows.index)
    >>> list(ilab(rows, pd.DataFrame(), 4, rng=np.random.default_rng(0), predictions=predictions).index)
    ['b', 'a', 'd', 'c']
    """
    open_ = open_rows(candidates, labels)
    if predictions is None:
        return most_anomalous(candidates, labels, budget, rng=rng)
    probability = predictions["probability"].to_numpy()
    boundary = best_first(-np.abs(probability - 0.5), open_, max(round(boundary_share * budget), 1))
    at = np.flatnonzero(open_)
    family = predictions["family"].to_numpy(dtype=object)[at]
    table = pd.DataFrame({"at": at, "family": family, "malicious": probability[at] >= 0.5})
    table["typical"] = predictions["confidence"].to_numpy()[at]
    table["odd"] = predictions["novelty"].to_numpy()[at]
    order = ["turn", "malicious", "order"]
    dealt = turns(table, ("typical", "odd")).sort_values(order, ascending=[True, False, True], kind="stable")
    chosen = list(dict.fromkeys([*boundary.tolist(), *dealt["at"].tolist()]))[:budget]
    return as_queue(candidates, np.array(chosen, dtype=np.intp), "ilab")
