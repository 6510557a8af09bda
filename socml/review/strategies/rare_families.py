"""Scored rows with a forest's predictions, labels and a budget → the rows that may be of a family nobody has named yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.review.candidates import as_queue, best_first, open_rows
from socml.review.strategies.most_anomalous import most_anomalous

__all__ = ["rare_families"]

LOOKED_AT = 1_000  # rows at least, the first of each order


def rare_families(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
    anomaly_weight: float = 0.1,
) -> pd.Series:
    """Take rows of which the forest is least sure in turn with novel ones, of both the anomalous ones first.

    The classes are families, so a row between two attacks is as good a question as one between an attack and
    ordinary traffic. Of rows that are alike (`cluster`) one comes first, the others after all clusters had their turn.
    Turns go on from the number of labels. Without predictions (no labels yet, or all on one side) it takes the most
    anomalous. Blind to a rare family inside the leaves of a common one.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: confidence, novelty, cluster
    anomaly_weight : what one standard deviation of the anomaly score is worth, as a probability

    References
    ----------
    D. Pelleg, A. Moore (2004), «Active Learning for Anomaly and Rare-Category Detection», NIPS.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.5, 0.5, 0.5]}, index=["a", "b", "c"])
    >>> predictions = pd.DataFrame({"confidence": [0.9, 0.4, 0.8], "novelty": [0.1, 0.2, 0.9], "cluster": [1, 2, 3]}, rows.index)
    >>> list(rare_families(rows, pd.DataFrame(), 2, rng=np.random.default_rng(0), predictions=predictions).index)
    ['b', 'c']
    """
    open_ = open_rows(candidates, labels)
    if predictions is None:
        return most_anomalous(candidates, labels, budget, rng=rng)
    unsure, novel = 1.0 - predictions["confidence"].to_numpy(), predictions["novelty"].to_numpy()
    anomaly = anomaly_weight * _standard(candidates.get("anomaly_score", candidates["ranking_score"]).to_numpy())
    worths = [unsure + anomaly, novel + anomaly]
    cluster = predictions["cluster"].to_numpy()
    queues = [_clusters_in_turn(best_first(worth, open_, max(20 * budget, LOOKED_AT)), cluster) for worth in worths]
    dealt = np.roll(np.stack(queues), -len(labels), axis=0).T.ravel()
    chosen = _clusters_in_turn(np.array(list(dict.fromkeys(dealt.tolist())), dtype=np.intp), cluster)[:budget]
    return as_queue(candidates, chosen, "rare-families")


def _standard(score: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = score.std() if score.size else 0.0
    return np.asarray((score - score.mean()) / spread if spread else np.zeros(score.shape))


def _clusters_in_turn(rows: NDArray[np.intp], cluster: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows with the first of each cluster first, then the second of each, in the given order otherwise."""
    of = pd.Series(cluster[rows])
    return rows[np.argsort(of.groupby(of, sort=False).cumcount().to_numpy(), kind="stable")]
