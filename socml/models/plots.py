"""Training scores and ground truth → the plots of an MLflow run, as SVG.

Drawn here: two lines need no plotting library, which would take half a second of a fit that takes three.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np

from socml.evaluate import precision_recall

WIDTH, HEIGHT = 640, 420  # of a plot, in pixels
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 60  # of the frame around what is drawn
BINS = 60
COLOURS = ("#1f77b4", "#d62728", "#7f7f7f")


def write_plots(folder: Path, normality: np.ndarray, known: np.ndarray | None) -> list[Path]:
    """Write the score histogram and, where truth has both kinds, the precision-recall curve; return the files.

    `normality` is as the detector gives it (higher is more NORMAL); `known` is 1.0 malicious, 0.0 benign, NaN unknown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = {"score-histogram.svg": _histogram(normality, known)}
    if known is not None and {0.0, 1.0} <= set(np.unique(known[~np.isnan(known)])):
        plots["precision-recall.svg"] = precision_recall_plot(
            *precision_recall(normality, known), float(np.nanmean(known))
        )
    for name, text in plots.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in plots]


def _histogram(normality: np.ndarray, known: np.ndarray | None) -> str:
    groups = {"all rows": normality}
    if known is not None:
        groups = {
            "benign": normality[known == 0],
            "malicious": normality[known == 1],
            "unknown": normality[np.isnan(known)],
        }
    edges = np.histogram_bin_edges(normality, bins=BINS)
    lines = {}
    for label, values in groups.items():
        if len(values):
            counts = np.histogram(values, bins=edges)[0]
            # log10 of the rows, with a decade below one row for none
            height = np.log10(np.maximum(counts, 0.1))
            lines[f"{label} ({len(values):,})"] = np.repeat(edges, 2)[1:-1], np.repeat(height, 2)
    top = max(float(line[1].max()) for line in lines.values())
    decades = {float(power): f"{10**power:,}" for power in range(int(np.ceil(max(top, 1))) + 1)}
    return line_plot(
        "Scores of the rows it was fitted on",
        "score_samples (left is more anomalous)",
        "rows",
        lines,
        x_ticks=spaced_ticks(float(edges[0]), float(edges[-1])),
        y_ticks={-1.0: "0", **decades},
    )


def precision_recall_plot(precision: np.ndarray, recall: np.ndarray, rate: float) -> str:
    """Return the SVG of a precision-recall curve, beside the `rate` of malicious rows, which a random order reaches."""
    lines = {
        "this model": (np.repeat(recall, 2)[1:], np.repeat(precision, 2)[:-1]),
        f"random order ({rate:.3f})": (np.array([0.0, 1.0]), np.array([rate, rate])),
    }
    share = spaced_ticks(0.0, 1.0)
    return line_plot("Precision and recall", "recall", "precision", lines, x_ticks=share, y_ticks=share)


def spaced_ticks(low: float, high: float) -> dict[float, str]:
    """Return six values of an axis, and what stands beside each."""
    values = np.linspace(low, high, 6)
    return {float(value): f"{value:.3g}" for value in values}


def line_plot(
    title: str,
    x_label: str,
    y_label: str,
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    x_ticks: Mapping[float, str],
    y_ticks: Mapping[float, str],
) -> str:
    """Return the SVG of some lines, x and y of each, over axes that reach from the first tick to the last."""

    def across(x: np.ndarray | float) -> np.ndarray:
        return np.asarray(LEFT + (x - min(x_ticks)) / _width(x_ticks) * (WIDTH - LEFT - RIGHT))

    def down(y: np.ndarray | float) -> np.ndarray:
        return np.asarray(HEIGHT - BOTTOM - (y - min(y_ticks)) / _width(y_ticks) * (HEIGHT - TOP - BOTTOM))

    parts = [_text(WIDTH / 2, TOP / 2, title, size=16), _text(WIDTH / 2, HEIGHT - 15, x_label)]
    parts.append(f'<g transform="rotate(-90 16 {HEIGHT / 2})">{_text(16, HEIGHT / 2, y_label)}</g>')
    for value, label in x_ticks.items():
        parts.append(_text(float(across(value)), HEIGHT - BOTTOM + 20, label))
    for value, label in y_ticks.items():
        level = float(down(value))
        parts.append(f'<path d="M{LEFT} {level:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, level + 4, label, anchor="end"))
    for number, (label, (x, y)) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across(x), down(y), strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(_text(WIDTH - RIGHT - 8, TOP + 16 + 18 * number, label, anchor="end", colour=colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _width(ticks: Mapping[float, str]) -> float:
    return (max(ticks) - min(ticks)) or 1.0


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle", colour: str = "#333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )
