"""The cells of a sweep → how the methods stand: means, intervals, ranks, and a critical-difference diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socml.evaluate.metrics.significance import compare_methods
from socml.project import private_file, private_folder

if TYPE_CHECKING:
    import pandas as pd

    from socml.evaluate.metrics.significance import Comparison

REPLICATES = 2000
FEW_DATASETS = 3  # with fewer, datasets cannot be the blocks of a test


def standing_table(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one row a method, the best mean rank first: mean, low, high, mean_rank, cells, and each dataset's mean.

    The mean is over the datasets of the method's mean over the seeds. Its 95 % interval is of a bootstrap over the
    datasets where there are three, else over the seeds: then it says nothing of other data.

    Parameters
    ----------
    cells : one row a cell: dataset, method, seed and the metric (higher is better; NaN where it failed)
    """
    import pandas as pd

    by_dataset = cells.pivot_table(index="method", columns="dataset", values=metric, aggfunc="mean", sort=False)
    ranks = by_dataset.rank(ascending=False).mean(axis=1)
    lines = {}
    for method in by_dataset.index:
        own = cells[(cells["method"] == method) & cells[metric].notna()]
        low, high = _interval(own, metric)
        lines[method] = {
            "mean": by_dataset.loc[method].mean(),
            "low": low,
            "high": high,
            "mean_rank": ranks[method],
            "cells": len(own),
            **by_dataset.loc[method].to_dict(),
        }
    table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("method")
    return table.sort_values(["mean_rank", "mean"], ascending=[True, False], kind="stable")


def compared(cells: pd.DataFrame, metric: str) -> tuple[Comparison | None, list[str]]:
    """Return which methods differ, over datasets or, where they are fewer than three, over datasets and seeds.

    Blocks in which a method has no value are left out. None, with the reason, where there is nothing to test.
    """
    methods = cells["method"].nunique()
    notices = []
    keys = ["dataset"] if cells["dataset"].nunique() >= FEW_DATASETS else ["dataset", "seed"]
    blocks = cells.pivot_table(index=keys, columns="method", values=metric, aggfunc="mean", dropna=False, sort=False)
    whole = blocks.dropna()
    if len(whole) < len(blocks):
        notices.append(f"{len(blocks) - len(whole)} of {len(blocks)} blocks lack a method and are not compared.")
    if methods < 2 or whole.shape[1] < methods or len(whole) < 2:
        return None, [*notices, "Methods are not tested against each other: that needs two of them and two blocks."]
    if len(keys) > 1:
        notices.append(
            "Methods are tested over seeds: that says whether they differ on this data, and nothing of other data."
        )
    found = compare_methods(whole)
    return found, [*notices, *found.notices]


def write_diagram(path: Path, comparison: Comparison, metric: str) -> Path:
    """Write the critical-difference diagram as PNG: mean ranks on an axis, bars over methods that may be the same.

    Bars join methods whose mean ranks are within Nemenyi's critical difference (J. Demšar (2006), figure 1).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    private_folder(path.parent)
    ordered = sorted(comparison.mean_ranks.items(), key=lambda item: item[1])
    bars = joined_groups([rank for _, rank in ordered], comparison.critical_difference)
    rows = len(ordered) + len(bars)
    figure = Figure(figsize=(8, 1.6 + 0.3 * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for at, (method, rank) in enumerate(ordered):
        axes.plot([rank, rank], [0, -(at + 1)], color="grey", linewidth=0.8)
        axes.plot(rank, 0, "o", color="black", markersize=4)
        plain = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.annotate(f" {method} ({rank:.2f})", (rank, -(at + 1)), va="center", fontsize=9, bbox=plain)
    for at, (first, last) in enumerate(bars):
        height = 0.5 + 0.4 * at
        axes.plot([ordered[first][1], ordered[last][1]], [height, height], color="black", linewidth=3)
    axes.set(ylim=(-(len(ordered) + 1), 1 + 0.4 * len(bars)), xlim=(0.8, len(ordered) + 1.2))
    axes.set_yticks([])
    axes.set_xlabel(_caption(comparison, metric))
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    figure.savefig(private_file(path))
    return path


def joined_groups(ranks: list[float], difference: float) -> list[tuple[int, int]]:
    """Return the longest runs of ascending ranks that lie within a difference: first and last place of each.

    Examples
    --------
    >>> joined_groups([1.0, 1.5, 2.4, 4.0], 1.0)
    [(0, 1), (1, 2)]
    """
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(at for at, other in enumerate(ranks) if at >= first and (at == first or other - rank <= difference))
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _caption(comparison: Comparison, metric: str) -> str:
    caption = f"mean rank by {metric.replace('_', ' ')} over {comparison.blocks} blocks (1 is best)"
    if not np.isnan(comparison.critical_difference):
        caption += f"; critical difference {comparison.critical_difference:.2f}"
    return caption if np.isnan(comparison.friedman_p) else f"{caption}; Friedman p = {comparison.friedman_p:.3g}"


def _interval(cells: pd.DataFrame, metric: str) -> tuple[float, float]:
    by_dataset = cells.groupby("dataset", sort=False)[metric].mean().to_numpy()
    values = by_dataset if len(by_dataset) >= FEW_DATASETS else cells[metric].to_numpy()
    if len(values) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(0).choice(values, (REPLICATES, len(values))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
