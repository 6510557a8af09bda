"""Anomaly scores of training rows → a scale on which scores of different detectors can be added: surprise, in nats.

The surprise of a score is −log of the share of training rows that scored at least that much. A scale is an array of
shape (2, n_points + 1): ascending scores and their surprises, and last how far scores reach beyond their 95th
percentile, by which a score above all of the training rows goes on growing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_POINTS = 20_000
SAME = 1e-9  # scores nearer than this, as a share of their range, are one: a steep step would magnify rounding


def learn_scale(scores: np.ndarray, *, ties: str = "last") -> np.ndarray:
    """Return the scale of training scores, higher is more ANOMALOUS, shape (n_rows,), finite.

    Rows of one score are placed where the last of them would be, or with `ties="middle"` the middle one: a group of
    equal rows then stays apart from the rows that come right after it.

    Examples
    --------
    >>> scale = learn_scale(np.array([0.1, 0.2, 0.3, 0.9]))
    >>> np.exp(-surprise(scale, np.array([0.0, 0.2, 0.9, 5.0]))).round(2).tolist()
    [0.8, 0.6, 0.2, 0.03]
    """
    scores = np.sort(np.asarray(scores, dtype=np.float64))
    rows = len(scores)
    wide = scores[-1] - scores[0]
    values, first = np.unique(scores, return_index=True)
    apart = np.append(True, np.diff(values) > SAME * wide)
    values, first = values[apart], first[apart]
    # One row more than there were: a share is never 0, nor surely 1.
    among = (np.diff(np.append(first, rows)) - 1) / 2 if ties == "middle" else 0.0
    surprises = np.log((rows + 1.0) / (rows - first - among))
    if len(values) > MOST_POINTS:
        kept = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).astype(np.int64))
        values, surprises = values[kept], surprises[kept]
    return np.array([np.append(values, _reach(scores)), np.append(surprises, 0.0)])


def surprise(scale: np.ndarray, scores: ArrayLike) -> np.ndarray:
    """Return −log of the share of training rows that scored at least as much, in nats; never falls as scores rise."""
    scores = np.asarray(scores, dtype=np.float64)
    values, surprises = scale[:, :-1]
    beyond = np.maximum(scores - values[-1], 0.0) / scale[0, -1]
    return np.asarray(np.interp(scores, values, surprises) + np.log1p(beyond))


def normal_score(surprises: ArrayLike) -> np.ndarray:
    """Return where surprises lie in a standard normal distribution: its upper tail beyond is the share they tell of.

    Examples
    --------
    >>> normal_score(-np.log([0.999, 0.159, 0.001])).round(2).tolist()
    [-3.09, 1.0, 3.09]
    """
    from scipy.special import ndtri_exp

    return -np.asarray(ndtri_exp(-np.asarray(surprises, dtype=np.float64)))


def _reach(scores: np.ndarray) -> float:
    above = scores - scores[int(0.95 * (len(scores) - 1))]
    for reach in (float(above[above > 0].mean()) if (above > 0).any() else 0.0, float(scores.std())):
        if reach > 0:
            return reach
    return max(abs(float(scores[-1])), 1.0)
