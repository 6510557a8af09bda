"""socml: find what is unusual in security logs, say why, and learn from every answer.

    raw → events → features → scores → explanations → queue → labels → (fit again)

`import socml` does nothing: each name below is loaded when it is first used.

Examples
--------
>>> import socml
>>> "load_events" in dir(socml)
True
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "find_project": "socml.project",
    "load_events": "socml.ingestion",
    "ingest": "socml.ingestion",
    "load_truth": "socml.ingestion",
    "build_features": "socml.features",
    "load_features": "socml.features",
    "make_detector": "socml.models",
    "fit": "socml.models",
    "anomaly_scores": "socml.models",
    "load_scores": "socml.models",
    "explain": "socml.explanations",
    "build_queue": "socml.review",
    "record_label": "socml.labels",
    "read_labels": "socml.labels",
    "undo_label": "socml.labels",
    "run": "socml.jobs",
    "simulate": "socml.simulator",
}

__all__ = [*_HOME, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'socml' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
