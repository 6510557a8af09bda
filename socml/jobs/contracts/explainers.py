"""An explainer's class → its promises: it says what it supports, and explains cell by cell."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from socml.jobs.contracts.check import says_what_it_is_blind_to
from socml.jobs.contracts.detectors import made, usual_rows
from socml.project import component, component_names


def says_what_it_supports(kind: type) -> None:
    """It has supports(detector), contributions(X), exact, unit and base, and sampled(X) where it is not exact."""
    assert inspect.isclass(kind), "it is no class"
    for name in ("supports", "contributions", "exact", "unit"):
        assert hasattr(kind, name), f"it has no {name}"
    assert vars(kind).get("exact") or hasattr(kind, "sampled"), "it is not exact, and has no sampled(X)"


def supports_nothing_unknown(kind: type[Any]) -> None:
    """`supports` answers for any object, and says no to one that is no detector."""
    assert not kind.supports(object()), "it supports an object that is no detector"


def explains_what_it_supports(kind: type[Any]) -> None:
    """Of a detector that it supports it gives one finite number a cell, and the same twice."""
    X = usual_rows(60)
    for name in component_names("detectors"):
        detector = made(component("detectors", name))
        try:
            fitted = detector.fit(X)
        except (TypeError, ValueError):  # a detector of sequences
            continue
        if not kind.supports(fitted):
            continue
        explainer = kind(fitted) if kind.exact else kind(fitted, np.median(X, axis=0), None)
        parts = np.asarray(explainer.contributions(X[:3]))
        assert parts.shape == (3, X.shape[1]), f"of {name} it gave the shape {parts.shape} for 3 rows"
        assert np.isfinite(parts).all(), f"of {name} it gave numbers that are not finite"
        assert np.array_equal(parts, explainer.contributions(X[:3])), (
            f"of {name} it says something else the second time"
        )
        return


PROMISES = (
    says_what_it_supports,
    supports_nothing_unknown,
    explains_what_it_supports,
    says_what_it_is_blind_to,
)
