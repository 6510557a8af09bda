"""A fitted pipeline and what belongs to it → a model version, as every stage hands it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socml.inert import html_text
from socml.versions.reference import Reference

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class ModelVersion:
    """A fitted model in the registry.

    `metadata` says what it was fitted on and with. `companion` is the forest whose leaves re-rank the rows
    when someone labels: the detector itself if it has leaves, else one fitted beside it on the same matrix.
    """

    name: str
    version: str
    pipeline: Pipeline
    reference: Reference = field(repr=False)
    companion: Any = field(default=None, repr=False)
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Return name/version, as it stands in a score table."""
        return f"{self.name}/{self.version}"

    @property
    def preparation(self) -> Any:
        """Return the step that turns features into the detector's matrix."""
        return self.pipeline.named_steps["preparation"]

    @property
    def detector(self) -> Any:
        """Return the fitted detector."""
        return self.pipeline.named_steps["detector"]

    @property
    def forest(self) -> Any:
        """Return the forest that gives the leaves: the detector's own, or the companion."""
        return self.detector if hasattr(self.detector, "leaves") else self.companion

    def _repr_html_(self) -> str:
        shown = {
            key: self.metadata.get(key) for key in ("detector", "feature_set", "dataset", "rows", "seed", "metrics")
        }
        rows = "".join(f"<tr><th>{html_text(k)}</th><td>{html_text(v)}</td></tr>" for k, v in shown.items() if v)
        notices = "".join(f"<li>{html_text(n)}</li>" for n in self.metadata.get("notices", []))
        return f"<table><caption>{html_text(self.label)}</caption>{rows}</table><ul>{notices}</ul>"
