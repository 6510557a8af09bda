"""Scores and ground truth → how well the malicious rows come first, beside the anomaly rate; with intervals.

What cannot be measured is absent, with the reason.
"""

from __future__ import annotations

from socml.metrics.curves import curves
from socml.metrics.daily import precision_at_a_day, time_to_detection
from socml.metrics.decisions import decision_metrics
from socml.metrics.intervals import bootstrap, paired_bootstrap, wilson
from socml.metrics.ranking import (
    AT,
    evaluate,
    metrics_table,
    precision_recall,
    ranking_metrics,
    truth_of_rows,
)
from socml.metrics.significance import compare_methods, critical_difference, friedman, holm

__all__ = [
    "AT",
    "bootstrap",
    "compare_methods",
    "critical_difference",
    "curves",
    "decision_metrics",
    "evaluate",
    "friedman",
    "holm",
    "metrics_table",
    "paired_bootstrap",
    "precision_at_a_day",
    "precision_recall",
    "ranking_metrics",
    "time_to_detection",
    "truth_of_rows",
    "wilson",
]
