"""A fitted pipeline and what belongs to it → a model version, as every stage hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socml.models.reference import Reference
from socml.project import ModelError, html_text

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

    def check_table(self, table: Mapping[str, Any]) -> None:
        """Raise if a feature table, by what its metadata says, is not what this model was fitted on.

        Raises
        ------
        ModelError
            If it is of another feature set, or was built by another SELECT.
        """
        fitted = self.metadata["feature_set"]
        if table.get("feature_set", fitted) != fitted:
            raise ModelError(
                f"Model {self.label} was fitted on the feature set {fitted!r}, and this is {table['feature_set']!r}."
            )
        if self._is_of_other_sql(table):
            raise ModelError(
                f"The SQL of {fitted!r} has changed since model {self.label} was fitted on it: fit again (socml fit "
                f"{self.name} {table.get('dataset') or 'DATASET'} --promote), or put features/{fitted}.sql back."
            )

    def _is_of_other_sql(self, table: Mapping[str, Any]) -> bool:
        """Say whether a table is of another SELECT, where both are known; an earlier socml kept the recipe's hash only."""
        if self.metadata.get("sql_hash") and table.get("sql_hash"):
            return bool(self.metadata["sql_hash"] != table["sql_hash"])
        known = self.metadata.get("columns") and table.get("recipe_hash")  # a table of no recipe has no meanings
        return bool(known) and self.metadata["feature_hash"] != table["recipe_hash"]

    def _repr_html_(self) -> str:
        shown = {
            key: self.metadata.get(key) for key in ("detector", "feature_set", "dataset", "rows", "seed", "metrics")
        }
        rows = "".join(f"<tr><th>{html_text(k)}</th><td>{html_text(v)}</td></tr>" for k, v in shown.items() if v)
        notices = "".join(f"<li>{html_text(n)}</li>" for n in self.metadata.get("notices", []))
        return f"<table><caption>{html_text(self.label)}</caption>{rows}</table><ul>{notices}</ul>"
