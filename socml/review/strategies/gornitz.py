"""Scored rows, labels and a budget → rows near the boundary that have few labelled rows around them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["gornitz"]

WITHOUT_LABELS = 0.97  # quantile of the scores that stands for the boundary while nothing is labelled
SIGNATURE = "signature"


def gornitz(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    margin_share: float = 0.5,
) -> pd.Series:
    """Take rows that lie near the boundary (the margin strategy) and of a kind of which little is labelled (the cluster one).

    Both parts are places among the open rows, 0 to 1, added by `margin_share`. A kind is the rows that fall into the
    same leaves (`signature`); without it, the margin decides alone. The boundary is half-way between the lowest
    malicious and the highest other label, or the 97 % quantile where one side has none. Blind to a rare kind that lies
    far from the boundary.

    Parameters
    ----------
    candidates : index row_id; ranking_score, and signature if the detector has trees
    labels : index row_id, column verdict
    margin_share : how much the margin counts beside the kind, 0 to 1

    References
    ----------
    N. Görnitz, M. Kloft, K. Rieck, U. Brefeld (2013), «Toward Supervised Anomaly Detection», JAIR 46: the two parts of its
    active learning, after the clusters of its nearest neighbours.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [9.0, 5.0, 5.0, 1.0], "signature": [1, 1, 2, 3]}, index=list("abcd"))
    >>> labels = pd.DataFrame({"verdict": ["malicious", "benign"]}, index=["a", "d"])
    >>> list(gornitz(rows, labels, 2, rng=np.random.default_rng(0)).index)
    ['c', 'b']
    """
    open_ = open_rows(candidates, labels)
    score = candidates["ranking_score"].to_numpy(dtype=np.float64)
    nearness = _place(-np.abs(score - _boundary(candidates, labels, score)), open_)
    value = nearness
    if SIGNATURE in candidates:
        value = margin_share * nearness + (1.0 - margin_share) * _place(-_labelled_alike(candidates, labels), open_)
    return as_queue(candidates, best_first(value, open_, budget), "gornitz")


def _boundary(candidates: pd.DataFrame, labels: pd.DataFrame, score: NDArray[np.float64]) -> float:
    if "verdict" not in labels or not len(score):
        return float(np.quantile(score, WITHOUT_LABELS)) if len(score) else 0.0
    at = candidates.index.get_indexer(labels.index)
    verdicts = labels["verdict"].to_numpy(dtype=object)[at >= 0]
    known = score[at[at >= 0]]
    malicious, other = known[verdicts == "malicious"], known[np.isin(verdicts, ["benign", "false_alarm"])]
    if not malicious.size or not other.size:
        return float(np.quantile(score, WITHOUT_LABELS))
    return float(malicious.min() + other.max()) / 2


def _labelled_alike(candidates: pd.DataFrame, labels: pd.DataFrame) -> NDArray[np.float64]:
    """Return for each row which share of the rows of its kind has a label."""
    is_labelled = pd.Series(candidates.index.isin(labels.index), index=candidates.index)
    share = is_labelled.groupby(candidates[SIGNATURE].to_numpy()).transform("mean")
    return np.asarray(share, dtype=np.float64)


def _place(value: NDArray[np.float64], is_open: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each open row's place by a value, 0 the lowest to 1 the highest; equal values share one."""
    ranked = pd.Series(np.where(is_open, value, np.nan)).rank(method="average", pct=True)
    return np.asarray(ranked.fillna(0.0), dtype=np.float64)
