"""A model version and many rows → each feature's push in each row: what drives the model, for a data scientist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from socml.explanations.contributions import explainer_of, feature_contributions
from socml.explanations.values import cell_in_words, feature_label
from socml.project import TableMetadata, UnknownName, Words, html_text, metadata_of, words

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
        from socml.explanations import plots

        say = words(self.language)
        mean = self.importance().head(top)[::-1]
        figure, axes = plots.figure(say("explanation.plot.importance"), len(mean))
        axes.barh(range(len(mean)), mean.to_numpy(), color=plots.PLAIN)
        plots.name_rows(axes, [self.label(str(name)) for name in mean.index])
        axes.set_xlabel(self._axis("importance_axis", say))
        return figure

    def plot_beeswarm(self, top: int = SHOWN) -> Plot:
        """Return a dot a row and feature: where it pushes, coloured by whether the value is low or high."""
        from socml.explanations import plots

        say = words(self.language)
        names = [str(name) for name in self.importance().head(top).index[::-1]]
        figure, axes = plots.figure(say("explanation.plot.beeswarm"), len(names))
        for at, name in enumerate(names):
            dots = plots.lane_of_dots(axes, at, self.contributions[name].to_numpy(), self.values[name])
        plots.name_rows(axes, [self.label(name) for name in names])
        axes.axvline(0, color=plots.PLAIN, linewidth=0.8)
        axes.set_xlabel(self._axis("push_axis", say))
        if names:
            figure.colorbar(dots, ax=axes, ticks=[], label=say("explanation.plot.value_scale"))
        return figure

    def plot_dependence(self, feature: str) -> Plot:
        """Return a dot a row: a feature's value against its push; UnknownName if there is no such feature."""
        from socml.explanations import plots

        say = words(self.language)
        label = self.label(feature)
        figure, axes = plots.figure(plots.plain(say("explanation.plot.dependence", what=label)), 8)
        values, push = self.values[feature], self.contributions[feature].to_numpy()
        if plots.is_number(values):
            at = values.to_numpy(dtype=np.float64, na_value=np.nan)
            axes.scatter(at, push, s=8, color=plots.PLAIN, alpha=0.6, linewidths=0)
        else:
            plots.dots_by_value(axes, values, push, lambda value: cell_in_words(feature, value, self.metadata, say))
        axes.axhline(0, color=plots.PLAIN, linewidth=0.8)
        axes.set(xlabel=plots.plain(label), ylabel=self._axis("push_axis", say))
        return figure

    def plot_waterfall(self, row_id: str, top: int = SHOWN) -> Plot:
        """Return the steps from the base to one row's score, the largest first; UnknownName if the row is not among these."""
        from socml.explanations import plots

        if row_id not in self.contributions.index:
            raise UnknownName("row", row_id, [str(name) for name in self.contributions.index[:100]])
        say = words(self.language)
        push = self.contributions.loc[[row_id]].to_numpy()[0]
        order = np.argsort(-np.abs(push), kind="stable")
        shown, rest = order[:top].tolist(), order[top:]
        names = [str(name) for name in self.contributions.columns]
        steps = [(self._with_value(names[at], row_id, say), float(push[at])) for at in shown]
        if len(rest):
            steps.append((say("explanation.plot.others", count=len(rest)), float(push[rest].sum())))
        figure, axes = plots.figure(say("explanation.plot.waterfall"), len(steps) + 2)
        plots.stairs(axes, self.base, [step for _, step in steps])
        lines = [say("explanation.plot.base"), *(name for name, _ in steps), say("explanation.plot.score")]
        plots.name_rows(axes, lines[::-1])
        axes.set_xlabel(self._axis("push_axis", say))
        return figure

    def _axis(self, key: str, say: Words) -> str:
        text = say(f"explanation.plot.{key}", unit=self.unit)
        return f"{text}\n{say('explanation.plot.error', error=f'{self.error:.2g}')}" if self.error else text

    def _with_value(self, feature: str, row_id: str, say: Words) -> str:
        return f"{self.label(feature)} = {cell_in_words(feature, self.values.at[row_id, feature], self.metadata, say)}"

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
