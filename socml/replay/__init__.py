"""An oracle answers in the analyst's place → what is found with how many labels, by strategy."""

from __future__ import annotations

from socml.replay.curves import (
    WITHOUT,
    BudgetCurves,
    Ranked,
    budget_curves,
    log_curves,
    ranked_by_recipe,
    ranked_by_run,
)
from socml.replay.oracle import AHEAD, ReplayResult, replay, score_table

__all__ = [
    "AHEAD",
    "WITHOUT",
    "BudgetCurves",
    "Ranked",
    "ReplayResult",
    "budget_curves",
    "log_curves",
    "ranked_by_recipe",
    "ranked_by_run",
    "replay",
    "score_table",
]
