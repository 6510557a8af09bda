"""Scored rows, labels and a budget → the rows nearest to the boundary between malicious and benign."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.review.candidates import as_queue, best_first, open_rows

__all__ = ["uncertain"]

WITHOUT_LABELS = 0.97  # AAD's usual guess: three rows in a hundred are worth a look


def uncertain(candidates: pd.DataFrame, labels: pd.DataFrame, budget: int, *, rng: np.random.Generator) -> pd.Series:
    """Take the rows first whose `ranking_score` is nearest to the boundary.

    The boundary is the score that errs least on the labelled rows. Without labels it is the 97 % quantile;
    with labels of one side only, that quantile or that side's outermost row, whichever leaves the whole side
    on its side. Blind to what one score cannot tell apart.

    Parameters
    ----------
    labels : index row_id, column verdict

    Examples
    --------
    >>> candidates = pd.DataFrame({"ranking_score": [0.9, 0.8, 0.5, 0.4, 0.1]}, index=list("abcde"))
    >>> labels = pd.DataFrame({"verdict": ["malicious", "benign"]}, index=["a", "d"])
    >>> list(uncertain(candidates, labels, 2, rng=np.random.default_rng(0)).index)
    ['b', 'c']
    """
    score = candidates["ranking_score"].to_numpy()
    distance = np.abs(score - _boundary(candidates, labels, score))
    positions = best_first(-distance, open_rows(candidates, labels), budget)
    return as_queue(candidates, positions, "uncertain")


def _boundary(candidates: pd.DataFrame, labels: pd.DataFrame, score: NDArray[np.float64]) -> float:
    malicious = _scores_of(candidates, labels, score, ["malicious"])
    benign = _scores_of(candidates, labels, score, ["benign", "false_alarm"])
    if not malicious.size or not benign.size:
        usual = np.quantile(score, WITHOUT_LABELS) if score.size else 0.0
        return float(min([usual, *malicious]) if malicious.size else max([usual, *benign]))
    known = np.unique(np.concatenate([malicious, benign]))
    between = np.concatenate([known[:1], (known[1:] + known[:-1]) / 2, known[-1:]])
    errors = (malicious[:, None] < between).mean(axis=0) + (benign[:, None] >= between).mean(axis=0)
    return float(between[errors.argmin()])


def _scores_of(
    candidates: pd.DataFrame, labels: pd.DataFrame, score: NDArray[np.float64], verdicts: list[str]
) -> NDArray[np.float64]:
    if "verdict" not in labels:
        return score[:0]
    positions = candidates.index.get_indexer(labels.index[labels["verdict"].isin(verdicts)])
    return score[positions[positions >= 0]]
