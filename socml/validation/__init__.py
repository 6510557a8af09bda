"""A model recipe and datasets of known truth → how well it does on rows it was not fitted on, with intervals.

Folds in seven modes, each fold's values and the pooled ones, the errors down to their events, and a search of
parameters over the same folds.
"""

from __future__ import annotations

from socml.validation.alerts import alert_clusters
from socml.validation.errors import error_events, error_features, list_errors
from socml.validation.nested import NestedResult, nested_search
from socml.validation.result import ValidationResult, load_validation, validation_ids
from socml.validation.run import validate
from socml.validation.search import SearchResult, search
from socml.validation.splits import Fold, make_folds
from socml.validation.tracked import RunRecord, record_nested

__all__ = [
    "Fold",
    "NestedResult",
    "RunRecord",
    "SearchResult",
    "ValidationResult",
    "alert_clusters",
    "error_events",
    "error_features",
    "list_errors",
    "load_validation",
    "make_folds",
    "nested_search",
    "record_nested",
    "search",
    "validate",
    "validation_ids",
]
