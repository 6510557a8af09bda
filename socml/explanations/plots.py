"""Attributions → the data scientist's plots: importance, beeswarm, dependence and waterfall, with the unit on the axis."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from socml.explanations.values import cell_in_words
from socml.project import UnknownName, Words, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from socml.explanations.attribution import Attributions

TOWARD, AWAY, PLAIN = "#b2182b", "#2166ac", "#555555"  # apart for the colour-blind too
COLOURS = "viridis"
LANES = 40  # bins of a beeswarm's row; dots in one bin stand beside each other


class Plot(Figure):
    """A figure that a notebook shows by itself."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def plot_importance(attributions: Attributions, top: int) -> Plot:
    """Return bars of the mean size of each feature's push."""
    say = words(attributions.language)
    mean = attributions.importance().head(top)[::-1]
    figure, axes = _figure(say("explanation.plot.importance"), len(mean))
    axes.barh(range(len(mean)), mean.to_numpy(), color=PLAIN)
    _name_rows(axes, [attributions.label(str(name)) for name in mean.index])
    axes.set_xlabel(_axis(attributions, "importance_axis", say))
    return figure


def plot_beeswarm(attributions: Attributions, top: int) -> Plot:
    """Return a dot a row and feature: where it pushes, coloured by whether the value is low or high."""
    say = words(attributions.language)
    names = [str(name) for name in attributions.importance().head(top).index[::-1]]
    figure, axes = _figure(say("explanation.plot.beeswarm"), len(names))
    dots = None
    for at, name in enumerate(names):
        push, level = attributions.contributions[name].to_numpy(), _level(attributions.values[name])
        known = ~np.isnan(level)
        height = at + _apart(push)
        axes.scatter(push[~known], height[~known], s=6, color="#bbbbbb", linewidths=0)
        dots = axes.scatter(push[known], height[known], s=6, c=level[known], cmap=COLOURS, vmin=0, vmax=1, linewidths=0)
    _name_rows(axes, [attributions.label(name) for name in names])
    axes.axvline(0, color=PLAIN, linewidth=0.8)
    axes.set_xlabel(_axis(attributions, "push_axis", say))
    if dots is not None:
        figure.colorbar(dots, ax=axes, ticks=[], label=say("explanation.plot.value_scale"))
    return figure


def plot_dependence(attributions: Attributions, feature: str) -> Plot:
    """Return a dot a row: a feature's value against its push."""
    say = words(attributions.language)
    label = attributions.label(feature)
    figure, axes = _figure(_plain(say("explanation.plot.dependence", what=label)), 8)
    values, push = attributions.values[feature], attributions.contributions[feature].to_numpy()
    if _is_number(values):
        axes.scatter(
            values.to_numpy(dtype=np.float64, na_value=np.nan), push, s=8, color=PLAIN, alpha=0.6, linewidths=0
        )
    else:
        frequent = values.value_counts().index[:12].tolist()
        for at, value in enumerate(frequent):
            own = push[(values == value).to_numpy(dtype=bool, na_value=False)]
            axes.scatter(at + _apart(own), own, s=8, color=PLAIN, alpha=0.6, linewidths=0)
        shown = [_plain(cell_in_words(feature, value, attributions.metadata, say)) for value in frequent]
        axes.set_xticks(range(len(frequent)), shown, rotation=30, ha="right")
    axes.axhline(0, color=PLAIN, linewidth=0.8)
    axes.set(xlabel=_plain(label), ylabel=_axis(attributions, "push_axis", say))
    return figure


def plot_waterfall(attributions: Attributions, row_id: str, top: int) -> Plot:
    """Return the steps from the base to one row's score, the largest pushes first."""
    if row_id not in attributions.contributions.index:
        raise UnknownName("row", row_id, [str(name) for name in attributions.contributions.index[:100]])
    say = words(attributions.language)
    push = attributions.contributions.loc[[row_id]].to_numpy()[0]
    order = np.argsort(-np.abs(push), kind="stable")
    shown, rest = order[:top].tolist(), order[top:]
    names = [str(name) for name in attributions.contributions.columns]
    steps = [(_with_value(attributions, names[at], row_id, say), float(push[at])) for at in shown]
    if len(rest):
        steps.append((say("explanation.plot.others", count=len(rest)), float(push[rest].sum())))
    ends = attributions.base + np.cumsum([0.0, *(step for _, step in steps)])
    figure, axes = _figure(say("explanation.plot.waterfall"), len(steps) + 2)
    for at, ((_, step), start) in enumerate(zip(steps, ends[:-1], strict=True)):
        axes.barh(len(steps) - at, step, left=start, color=TOWARD if step > 0 else AWAY)
    lines = [say("explanation.plot.base"), *(name for name, _ in steps), say("explanation.plot.score")]
    axes.plot([ends[0]] * 2, [len(steps) + 0.6, len(steps) + 1.4], color=PLAIN)
    axes.plot([ends[-1]] * 2, [-0.4, 0.4], color=PLAIN)
    _name_rows(axes, lines[::-1])
    axes.set_xlabel(_axis(attributions, "push_axis", say))
    return figure


def _figure(title: str, rows: int) -> tuple[Plot, Axes]:
    figure = Plot(figsize=(7.5, 1.6 + 0.34 * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _axis(attributions: Attributions, key: str, say: Words) -> str:
    text = say(f"explanation.plot.{key}", unit=attributions.unit)
    return f"{text}\n{say('explanation.plot.error', error=f'{attributions.error:.2g}')}" if attributions.error else text


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [_plain(name) for name in names])


def _with_value(attributions: Attributions, feature: str, row_id: str, say: Words) -> str:
    shown = cell_in_words(feature, attributions.values.at[row_id, feature], attributions.metadata, say)
    return f"{attributions.label(feature)} = {shown}"


def _plain(text: str) -> str:
    """Return a text that matplotlib does not read as a formula."""
    return text.replace("$", r"\$")


def _is_number(values: pd.Series) -> bool:
    from pandas.api import types

    return bool(types.is_bool_dtype(values) or types.is_numeric_dtype(values))


def _level(values: pd.Series) -> np.ndarray:
    """Return where each value stands among the others, 0 to 1; NaN for a category and where it is missing."""
    if not _is_number(values):
        return np.full(len(values), np.nan)
    return np.asarray(values.astype("float64").rank(pct=True).to_numpy())


def _apart(push: np.ndarray) -> np.ndarray:
    """Return how far each dot steps aside, −0.4 to 0.4, so that those of about the same push do not cover each other."""
    if not len(push):
        return np.zeros(0)
    edges = np.histogram_bin_edges(push, bins=LANES)
    lane = np.clip(np.digitize(push, edges) - 1, 0, LANES - 1)
    counts = np.bincount(lane, minlength=LANES)
    order = np.argsort(lane, kind="stable")
    place = np.empty(len(push), dtype=np.int64)
    place[order] = np.arange(len(push)) - np.repeat(np.cumsum(counts) - counts, counts)
    side = np.where(place % 2 == 0, 1, -1) * ((place + 1) // 2)
    return 0.8 * side / max(int(counts.max()), 1)
