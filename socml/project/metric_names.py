"""The name of a metric in a recipe or an option → what is measured; the names that there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from socml.project.errors import RecipeError, did_you_mean

RANKING = ("average_precision", "auroc", "ndcg", "precision_at_malicious")  # of the order alone
EVERYWHERE = ("incidents_detected_share", "family_accuracy")  # that every validation measures where it can
DECISIONS = ("f1", "accuracy", "precision", "recall")  # of the alerts
COUNTED = ("precision_at_K", "recall_at_K", "ndcg_at_K", "precision_at_K_a_day", "recall_at_K_a_day")  # K rows
SHARED = ("detection_rate_at_F",)  # F: share of benign rows that are above the threshold, 0 to 1
_COUNTED = re.compile(r"(precision|recall|ndcg)_at_(\d+)(_a_day)?")
_SHARED = re.compile(r"detection_rate_at_(0?\.\d+|1e-\d+)")


@dataclass(frozen=True)
class Metric:
    """A metric and its number: `kind` is its name with K or F where the number stands; higher is better."""

    name: str
    kind: str
    number: float = 0.0

    @property
    def needs_alerts(self) -> bool:
        """Say whether it is about alerts, and not about the order alone."""
        return self.kind in DECISIONS


def metric_of(name: str) -> Metric:
    """Return what a metric's name says.

    Raises
    ------
    RecipeError
        If there is no such metric; names the nearest.

    Examples
    --------
    >>> metric_of("recall_at_40_a_day")
    Metric(name='recall_at_40_a_day', kind='recall_at_K_a_day', number=40.0)
    >>> metric_of("detection_rate_at_0.01").number
    0.01
    >>> metric_of("recall@40")
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: There is no metric 'recall@40'. Did you mean 'recall'?
    """
    if name in RANKING or name in DECISIONS:
        return Metric(name, name)
    if (found := _COUNTED.fullmatch(name)) and int(found[2]) > 0 and not (found[1] == "ndcg" and found[3]):
        return Metric(name, f"{found[1]}_at_K{found[3] or ''}", float(found[2]))
    if found := _SHARED.fullmatch(name):
        return Metric(name, "detection_rate_at_F", float(found[1]))
    raise RecipeError(f"There is no metric {name!r}.{did_you_mean(name, [*RANKING, *DECISIONS, *COUNTED, *SHARED])}")
