"""Labelled rows → whether a supervised forest tells them apart better than the ranking that learns from labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socml.review.feedback import FeedbackRanking
from socml.review.ranker_predictions import predict_rows

LEAST_LABELS = 50  # that teach; with fewer the comparison says nothing
LEAST_OF_A_SIDE = 10
FOLDS = 5
SURE = 2.0  # standard errors by which the forest must be better


def should_switch(
    matrix: NDArray[np.floating],
    leaves: NDArray[np.integer],
    anomaly_score: NDArray[np.float64],
    directions: NDArray[np.float64],
    *,
    seed: int = 0,
) -> bool:
    """Say whether a supervised forest may rank in the place of the feedback ranking.

    Both learn from four fifths of the labels and rank the fifth that was held out, in turn. The forest takes over
    when its area under the ROC curve is larger by two standard errors (DeLong's, paired). Labels are not a random
    sample: the rule compares the two on what analysts were shown, and is blind to the rest.

    Parameters
    ----------
    matrix, leaves, anomaly_score : of the labelled rows: (n, n_columns), (n_trees, n), (n,)
    directions : above 0 malicious, below 0 benign or false alarm

    References
    ----------
    E. DeLong, D. DeLong, D. Clarke-Pearson (1988), «Comparing the Areas under Two or More Correlated Receiver
    Operating Characteristic Curves», Biometrics 44.
    """
    malicious = np.asarray(directions) > 0
    sides = int(malicious.sum()), int((~malicious).sum())
    if len(malicious) < LEAST_LABELS or min(sides) < LEAST_OF_A_SIDE:
        return False
    fold = np.empty(len(malicious), dtype=np.int64)
    for side in (malicious, ~malicious):
        fold[side] = np.arange(side.sum()) % FOLDS
    ranked, judged = np.empty(len(malicious)), np.empty(len(malicious))
    for held_out in range(FOLDS):
        inside, outside = np.flatnonzero(fold != held_out), fold == held_out
        learnt = FeedbackRanking(leaves, anomaly_score).learn(inside, np.where(malicious[inside], 1, -1))
        predictions = predict_rows(matrix, inside, malicious[inside], seed=seed, n_trees=50)
        assert predictions is not None, "both sides are in every four fifths"
        ranked[outside], judged[outside] = learnt[outside], predictions["probability"].to_numpy()[outside]
    better, error = auc_difference(judged, ranked, malicious)
    return better > SURE * error


def auc_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], malicious: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return by how much the AUROC of `first` is larger than that of `second`, and its standard error.

    Examples
    --------
    >>> malicious = np.array([True, True, False, False])
    >>> auc_difference(np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 1.0, 2.0, 3.0]), malicious)
    (0.5, 0.5)
    """
    parts = []
    for score in (first, second):
        above = score[malicious][:, None] > score[~malicious][None]
        equal = score[malicious][:, None] == score[~malicious][None]
        parts.append(above + 0.5 * equal)
    difference = parts[0] - parts[1]
    variance = sum(difference.mean(axis=axis).var(ddof=1) / difference.shape[1 - axis] for axis in (0, 1))
    return float(difference.mean()), float(np.sqrt(variance))
