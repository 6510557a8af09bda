"""An order and what is known of its rows → the precision-recall and ROC curves, thinned for a plot."""

from __future__ import annotations

import numpy as np

from socml.evaluate.metrics.intervals import SortedRows

POINTS = 200  # of a curve, at most


def curves(order: np.ndarray, malicious: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Return `precision_recall` (recall, precision) and `roc` (false_positive_rate, recall); empty with one class.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first
    malicious : 1.0, 0.0, or NaN where nothing is known; such rows are left out

    Examples
    --------
    >>> curves(np.array([1.0, 2.0]), np.array([1.0, 0.0]))["roc"]
    {'false_positive_rate': [0.0, 0.0, 1.0], 'recall': [0.0, 1.0, 1.0]}
    """
    known = ~np.isnan(malicious)
    rows = SortedRows.of(order[known], malicious[known])
    total = float(rows.hit.sum())
    if not 0 < total < len(rows.hit):
        return {}
    seen = (rows.ends + 1).astype(np.float64)
    hits = np.cumsum(rows.hit)[rows.ends]
    kept = _kept(hits, seen - hits)
    seen, hits = seen[kept], hits[kept]
    recall = hits / total
    wrong = (seen - hits) / (len(rows.hit) - total)
    return {
        "precision_recall": {"recall": _plain(recall), "precision": _plain(hits / seen)},
        "roc": {"false_positive_rate": [0.0, *_plain(wrong)], "recall": [0.0, *_plain(recall)]},
    }


def _kept(hits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the places of at most so many points, evenly along both axes, the last among them."""
    last = len(hits) - 1
    if last < POINTS:
        return np.arange(last + 1)
    half = POINTS // 2
    along = [np.searchsorted(axis, np.linspace(axis[0], axis[-1], half)) for axis in (hits, others)]
    return np.unique(np.minimum(np.concatenate([*along, [last]]), last))


def _plain(values: np.ndarray) -> list[float]:
    return [float(v) for v in values]
