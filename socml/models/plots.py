"""Training scores and ground truth → the plots of an MLflow run, as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from socml.evaluate import precision_recall


def write_plots(folder: Path, normality: np.ndarray, known: np.ndarray | None) -> list[Path]:
    """Write the score histogram and, where truth has both kinds, the precision-recall curve; return the files.

    `normality` is as the detector gives it (higher is more NORMAL); `known` is 1.0 malicious, 0.0 benign, NaN unknown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_histogram(folder / "score-histogram.png", normality, known)]
    if known is not None and {0.0, 1.0} <= set(np.unique(known[~np.isnan(known)])):
        paths.append(_precision_recall(folder / "precision-recall.png", normality, known))
    return paths


def _histogram(path: Path, normality: np.ndarray, known: np.ndarray | None) -> Path:
    figure, axes = _figure("Scores of the rows it was fitted on")
    groups = {"all rows": normality}
    if known is not None:
        groups = {
            "benign": normality[known == 0],
            "malicious": normality[known == 1],
            "unknown": normality[np.isnan(known)],
        }
    groups = {label: values for label, values in groups.items() if len(values)}
    edges = np.histogram_bin_edges(normality, bins=60)
    for label, values in groups.items():
        axes.hist(values, bins=edges, histtype="step", label=f"{label} ({len(values):,})")
    axes.set(xlabel="score_samples (left is more anomalous)", ylabel="rows", yscale="log")
    axes.legend()
    figure.savefig(path)
    return path


def _precision_recall(path: Path, normality: np.ndarray, known: np.ndarray) -> Path:
    figure, axes = _figure("Precision and recall")
    precision, recall = precision_recall(normality, known)
    axes.step(recall, precision, where="post", label="this model")
    rate = float(np.nanmean(known))
    axes.axhline(rate, linestyle="--", color="grey", label=f"random order ({rate:.3f})")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()
    figure.savefig(path)
    return path


def _figure(title: str):  # type: ignore[no-untyped-def]
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes
