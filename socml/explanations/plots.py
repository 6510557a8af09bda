"""Pushes and values of features → bars, lanes of dots and stairs, for the data scientist's plots."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

TOWARD, AWAY, PLAIN = "#b2182b", "#2166ac", "#555555"  # apart for the colour-blind too
COLOURS = "viridis"
LANES = 40  # bins of a beeswarm's row; dots in one bin stand beside each other


class Plot(Figure):
    """A figure that a notebook shows by itself."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def figure(title: str, rows: int) -> tuple[Plot, Axes]:
    """Return an empty plot, high enough for some rows."""
    plot = Plot(figsize=(7.5, 1.6 + 0.34 * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(plot)
    axes = plot.subplots()
    plot.suptitle(title, x=0.01, ha="left")  # of the whole width: beside long names little is left of the axes
    axes.spines[["top", "right"]].set_visible(False)
    return plot, axes


def name_rows(axes: Axes, names: list[str]) -> None:
    """Write the names of rows, from below, beside them."""
    axes.set_yticks(range(len(names)), [plain(name) for name in names])


def lane_of_dots(axes: Axes, at: int, push: np.ndarray, values: pd.Series) -> PathCollection:
    """Draw a feature's pushes as a lane of dots at height `at`, coloured by value; return what the colours are of."""
    level = _level(values)
    known = ~np.isnan(level)
    height = at + _apart(push)
    axes.scatter(push[~known], height[~known], s=6, color="#bbbbbb", linewidths=0)
    return axes.scatter(push[known], height[known], s=6, c=level[known], cmap=COLOURS, vmin=0, vmax=1, linewidths=0)


def dots_by_value(axes: Axes, values: pd.Series, push: np.ndarray, in_words: Callable[[object], str]) -> None:
    """Draw the pushes of a category: a lane of dots for each of its frequent values."""
    frequent = values.value_counts().index[:12].tolist()
    for at, value in enumerate(frequent):
        own = push[(values == value).to_numpy(dtype=bool, na_value=False)]
        axes.scatter(at + _apart(own), own, s=8, color=PLAIN, alpha=0.6, linewidths=0)
    axes.set_xticks(range(len(frequent)), [plain(in_words(value)) for value in frequent], rotation=30, ha="right")


def stairs(axes: Axes, base: float, steps: list[float]) -> None:
    """Draw steps from `base`, one under the other, with a mark where they begin and where they end."""
    ends = base + np.cumsum([0.0, *steps])
    for at, (step, start) in enumerate(zip(steps, ends[:-1], strict=True)):
        axes.barh(len(steps) - at, step, left=start, color=TOWARD if step > 0 else AWAY)
    axes.plot([ends[0]] * 2, [len(steps) + 0.6, len(steps) + 1.4], color=PLAIN)
    axes.plot([ends[-1]] * 2, [-0.4, 0.4], color=PLAIN)


def plain(text: str) -> str:
    """Return a text that matplotlib does not read as a formula."""
    return text.replace("$", r"\$")


def is_number(values: pd.Series) -> bool:
    """Return whether a feature is a number or yes and no, rather than a category."""
    from pandas.api import types

    return bool(types.is_bool_dtype(values) or types.is_numeric_dtype(values))


def _level(values: pd.Series) -> np.ndarray:
    """Return where each value stands among the others, 0 to 1; NaN for a category and where it is missing."""
    if not is_number(values):
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
