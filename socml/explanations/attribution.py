"""A model version and many rows → each feature's push in each row: what drives the model, for a data scientist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from socml.explanations.contributions import explainer_of, feature_contributions
from socml.explanations.values import feature_label
from socml.project import TableMetadata, UnknownName, html_text, metadata_of

if TYPE_CHECKING:
    import pandas as pd

    from socml.explanations.plots import Plot
    from socml.models import ModelVersion

MOST = 2_000  # rows that are told at once; a sample above that
SHOWN = 12  # features in a plot


@dataclass(frozen=True)
class Attributions:
    """How far each feature pushed each row toward anomalous; a row and `base` add up to what is explained.

    Attributes
    ----------
    contributions, values : DataFrame, index `row_id`, one column a feature
    base : float, where a row of which nothing is known stands, in `unit`
    unit : what is explained, and the unit of every push
    error : largest standard error of a push, 0 if all are exact
    metadata : what the features mean
    """

    contributions: pd.DataFrame = field(repr=False)
    values: pd.DataFrame = field(repr=False)
    base: float
    unit: str
    error: float
    metadata: TableMetadata = field(default_factory=TableMetadata, repr=False)
    language: str = "en"

    def importance(self) -> pd.Series:
        """Return the mean size of each feature's push over the rows, largest first, in `unit`."""
        return self.contributions.abs().mean().sort_values(ascending=False, kind="stable").rename("importance")

    def label(self, feature: str) -> str:
        """Return what a feature means, in words.

        Raises
        ------
        UnknownName
            If there is no such feature.
        """
        if feature not in self.contributions.columns:
            raise UnknownName("feature", feature, [str(name) for name in self.contributions.columns])
        return feature_label(feature, self.metadata, self.language)

    def plot_importance(self, top: int = SHOWN) -> Plot:
        """Return bars of the mean size of each feature's push."""
        from socml.explanations.plots import plot_importance

        return plot_importance(self, top)

    def plot_beeswarm(self, top: int = SHOWN) -> Plot:
        """Return a dot a row and feature: where it pushes, coloured by whether the value is low or high."""
        from socml.explanations.plots import plot_beeswarm

        return plot_beeswarm(self, top)

    def plot_dependence(self, feature: str) -> Plot:
        """Return a dot a row: a feature's value against its push; UnknownName if there is no such feature."""
        from socml.explanations.plots import plot_dependence

        return plot_dependence(self, feature)

    def plot_waterfall(self, row_id: str, top: int = SHOWN) -> Plot:
        """Return the steps from the base to one row's score; UnknownName if the row is not among these."""
        from socml.explanations.plots import plot_waterfall

        return plot_waterfall(self, row_id, top)

    def _repr_html_(self) -> str:
        about = f"{len(self.contributions):,} × {self.contributions.shape[1]}, {self.unit}"
        about += f", ± {self.error:.2g}" if self.error else ""
        lines = "".join(
            f"<tr><td>{html_text(self.label(str(name)))}</td><td>{value:.4g}</td></tr>"
            for name, value in self.importance().items()
        )
        return f"<table><caption>{html_text(about)}</caption>{lines}</table>"


def attributions(
    version: ModelVersion,
    features: pd.DataFrame,
    *,
    row_ids: Sequence[str] | None = None,
    most: int = MOST,
    seed: int = 0,
    language: str = "en",
    budget: int | None = None,
) -> Attributions:
    """Return how far each feature pushed rows of a feature table.

    Parameters
    ----------
    row_ids : the rows; all if not given, or a sample of `most` of them
    budget : scores that may be taken for a row, where there is no exact explanation
    """
    table = features.set_index("row_id") if "row_id" in features.columns else features
    rows = table if row_ids is None else table.loc[list(row_ids)]
    if row_ids is None and len(rows) > most:
        chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
        rows = rows.iloc[np.sort(chosen)]
    explainer = explainer_of(version, budget=budget)
    parts = feature_contributions(version, rows, explainer)
    metadata = metadata_of(features).copy()
    error = float(parts.attrs["error"])
    return Attributions(parts, rows[list(parts.columns)], explainer.base, explainer.unit, error, metadata, language)
