"""Scored rows, labels and a budget → rows drawn by lot, those near the boundary with better chances."""

from __future__ import annotations

import numpy as np
import pandas as pd

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["cesa_bianchi"]


def cesa_bianchi(
    candidates: pd.DataFrame,
    labels: pd.DataFrame,
    budget: int,
    *,
    rng: np.random.Generator,
    predictions: pd.DataFrame | None = None,
    b: float = 1.0,
) -> pd.Series:
    """Draw rows with chances b / (b + |margin|): near the boundary often, far from it now and then.

    The margin is the forest's log-odds of being malicious; without predictions it is how far the ranking score lies from its
    97 % quantile, in standard deviations. Each row draws its lot whether it is labelled or not, so that under one seed the
    lots stay while labels are given. Blind to what is certain and wrong, but for the lot.

    Parameters
    ----------
    candidates : index row_id; ranking_score
    predictions : of `socml.review.ranker_predictions`, in the candidates' order: probability
    b : above 0; the larger, the more alike all chances are

    References
    ----------
    N. Cesa-Bianchi, C. Gentile, L. Zaniboni (2006), «Worst-Case Analysis of Selective Sampling for Linear
    Classification», JMLR 7: the rule by which its perceptron asks for a label.

    Examples
    --------
    >>> rows = pd.DataFrame({"ranking_score": [0.0] * 3}, index=["sure", "unsure", "labelled"])
    >>> predictions = pd.DataFrame({"probability": [1.0 - 1e-9, 0.5, 0.5]}, rows.index)
    >>> labels = pd.DataFrame({"verdict": ["benign"]}, index=["labelled"])
    >>> list(cesa_bianchi(rows, labels, 2, rng=np.random.default_rng(0), predictions=predictions).index)
    ['unsure', 'sure']
    """
    score = candidates["ranking_score"].to_numpy(dtype=np.float64)
    if predictions is not None:
        probability = np.clip(predictions["probability"].to_numpy(dtype=np.float64), 1e-6, 1 - 1e-6)
        margin = np.abs(np.log(probability / (1.0 - probability)))
    else:
        spread = float(score.std()) if score.size else 0.0
        margin = np.abs(score - np.quantile(score, 0.97)) / (spread or 1.0) if score.size else score
    chance = b / (b + margin)
    # Exponential clocks: the first to ring, one after the other, is a draw without replacement by these chances.
    rings = rng.exponential(size=len(candidates)) / chance if len(candidates) else score
    return as_queue(candidates, best_first(-rings, open_rows(candidates, labels), budget), "cesa-bianchi")
