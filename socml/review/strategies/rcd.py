"""Scored rows with a forest's predictions, labels and a budget → the least likely rows of each family in turn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, open_rows
from socml.review.strategies.most_anomalous import most_anomalous

__all__ = ["rcd"]


def rcd(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
) -> pd.Series:
    """Take, family by family in turn, the rows that the forest puts there and that are least like it: rare categories.

    Interleaving keeps a common family from taking every place. Turns go on from the number of labels. Without predictions (no
    labels yet, or all on one side) it takes the most anomalous. Blind to a rare family whose rows look typical of a common
    one.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: family, novelty

    References
    ----------
    D. Pelleg, A. Moore (2004), «Active Learning for Anomaly and Rare-Category Detection», NIPS: its interleaved variant,
    with a forest's leaves for the mixture's likelihood.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.0] * 3}, index=["a", "b", "c"])
    >>> predictions = pd.DataFrame({"family": ["x", "x", "y"], "novelty": [0.9, 0.8, 0.1]}, rows.index)
    >>> list(rcd(rows, pd.DataFrame(), 3, rng=np.random.default_rng(0), predictions=predictions).index)
    ['a', 'c', 'b']
    """
    if predictions is None:
        return most_anomalous(candidates, labels, budget, rng=rng)
    at = np.flatnonzero(open_rows(candidates, labels))
    table = pd.DataFrame({"at": at, "family": predictions["family"].to_numpy(dtype=object)[at]})
    table["novelty"] = predictions["novelty"].to_numpy(dtype=np.float64)[at]
    table = table.sort_values("novelty", ascending=False, kind="stable")
    families = {name: number for number, name in enumerate(sorted(set(table["family"]), key=str))}
    place = table["family"].map(families).to_numpy(dtype=np.int64)
    table["turn"] = table.groupby("family", sort=False).cumcount()
    table["place"] = (place - len(labels)) % max(len(families), 1)
    dealt = table.sort_values(["turn", "place"], kind="stable")["at"].to_numpy()
    return as_queue(candidates, dealt[:budget].astype(np.intp), "rcd")
