"""Alerts and what is known of their rows → what interrupting someone found, missed and cost."""

from __future__ import annotations

import numpy as np

from socml.evaluate.metrics.intervals import wilson


def decision_metrics(
    alert: np.ndarray, malicious: np.ndarray, *, false_positive_cost: float = 1.0, false_negative_cost: float = 1.0
) -> dict[str, object]:
    """Return what alerts found and cost, over rows of known truth.

    Parameters
    ----------
    alert : bool (n_rows,)
    malicious : 1.0, 0.0, or NaN where nothing is known
    false_positive_cost, false_negative_cost : of an alert for nothing and of a malicious row without one, in one unit

    Returns
    -------
    dict
        alerts, true_positives, false_positives, false_negatives, true_negatives; precision, false_discovery_rate
        (absent without alerts), recall (absent without malicious rows), false_positive_rate; cost, cost_of_none (had
        there been no alert) and cost_of_all (had every row been one); `intervals` has Wilson's of each share

    Examples
    --------
    >>> found = decision_metrics(np.array([True, True, False]), np.array([1.0, 0.0, 1.0]), false_negative_cost=10)
    >>> found["false_discovery_rate"], found["recall"], found["cost"]
    (0.5, 0.5, 11.0)
    """
    known = ~np.isnan(malicious)
    alert, hit = np.asarray(alert, dtype=bool)[known], malicious[known] > 0
    tp, fp = int((alert & hit).sum()), int((alert & ~hit).sum())
    fn, tn = int((~alert & hit).sum()), int((~alert & ~hit).sum())
    found: dict[str, object] = {
        "alerts": tp + fp,
        "true_positives": tp,
        "false_positives": fp,
        "false_negatives": fn,
        "true_negatives": tn,
    }
    shares = {
        "precision": (tp, tp + fp),
        "false_discovery_rate": (fp, tp + fp),
        "recall": (tp, tp + fn),
        "false_positive_rate": (fp, fp + tn),
    }
    found |= {name: hits / of for name, (hits, of) in shares.items() if of}
    found["cost"] = fp * false_positive_cost + fn * false_negative_cost
    found["cost_of_none"] = (tp + fn) * false_negative_cost
    found["cost_of_all"] = (fp + tn) * false_positive_cost
    found["intervals"] = {name: wilson(hits, of) for name, (hits, of) in shares.items() if of}
    return found
