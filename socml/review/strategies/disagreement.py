"""Scored rows with a forest's predictions, labels and a budget → the rows on which ranking and forest differ most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows
from socml.review.strategies.most_anomalous import most_anomalous

__all__ = ["disagreement"]


def disagreement(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
) -> pd.Series:
    """Take the rows whose place in the ranking and whose place by the forest's probability lie furthest apart.

    Places are of logarithmic odds, so that the thousandth and the tenth place differ as much as the tenth and the
    first. One of the two is wrong there, and a label tells which. Without predictions it takes the most anomalous.
    Blind to what both get wrong.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: probability

    References
    ----------
    H. Seung, M. Opper, H. Sompolinsky (1992), «Query by Committee», COLT.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.9, 0.8, 0.1]}, index=["a", "b", "c"])
    >>> predictions = pd.DataFrame({"probability": [1.0, 0.0, 0.2]}, rows.index)
    >>> list(disagreement(rows, pd.DataFrame(), 1, rng=np.random.default_rng(0), predictions=predictions).index)
    ['b']
    """
    if predictions is None:
        return most_anomalous(candidates, labels, budget, rng=rng)
    both = (candidates["ranking_score"], predictions["probability"])
    places = [np.log(column.rank(ascending=False, method="average")) for column in both]
    apart = np.abs(places[0] - places[1]).to_numpy()
    return as_queue(candidates, best_first(apart, open_rows(candidates, labels), budget), "disagreement")
