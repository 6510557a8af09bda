"""Kernels and their peers on made-up tables → docs/results/bench-speed: ratios measured in one run.

Run it with `make bench-speed`; `python -m benchmarks.speed forest shap` runs some parts only and prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.interleaved import REPEATS
from benchmarks.results import Figure, measured_before, write_results
from benchmarks.speed_forest import FOREST_ROWS, forest_figures, shap_figures
from benchmarks.speed_online import half_space_figures, random_cut_figures
from benchmarks.speed_tables import COLUMNS
from benchmarks.speed_whole import end_to_end_figures, start_figures


def main() -> None:
    """Measure the parts that are asked for, or all, and write the table."""
    parts: dict[str, Callable[[], list[Figure]]] = {
        "forest": forest_figures,
        "shap": shap_figures,
        "half-space": half_space_figures,
        "random-cut": random_cut_figures,
        "start": start_figures,
        "end-to-end": end_to_end_figures,
    }
    wanted = sys.argv[1:] or list(parts)
    figures: list[Figure] = []
    kept = measured_before("bench-speed") if sys.argv[1:] else []
    for name in wanted:
        sys.stderr.write(f"{name} …\n")
        figures += parts[name]()
        renewed = {figure.case for figure in figures}
        write([*figures, *(figure for figure in kept if figure.case not in renewed)])
    for figure in figures:
        beside = f"   {figure.peer} {figure.peer_value:,.6g}   × {figure.ratio:,.1f}" if figure.ratio else ""
        print(f"{figure.case}: {figure.measure} {figure.value:,.6g} {figure.unit}{beside}")


def write(figures: list[Figure]) -> Path:
    """Write docs/results/bench-speed."""
    return write_results(
        "bench-speed",
        "How fast the kernels are, beside their peers",
        "Same work, same data, same run: socml's own compiled kernels and the libraries they replace. A ratio is the "
        f"median, over {REPEATS} repeats in turns, of what the peer cost divided by what ours did in the same repeat.",
        figures,
        notes=(
            f"Tables are made up: {COLUMNS} float32 columns of volumes, counts, shares, flags and measurements; "
            f"{FOREST_ROWS:,} rows are scored, and each tree is grown from 256 of them.",
            "Costs are CPU seconds of all threads of the process unless the measure says time; the machine has two "
            "cores and was shared, so rates move by up to 40 % between runs and ratios by about 20 %.",
            "scikit-learn scores in `joblib.parallel_config('threading', n_jobs=2)`; its `n_jobs` does nothing there.",
            "Targets: scoring ≥ 7 × and within 1e-6; leaf matrix ≥ 10 ×; half-space trees ≥ 100 × in "
            "blocks with the same scores; Shapley values ≥ 25 × within 1e-9, and the top 500 in ≤ 0.5 CPU s.",
            "A missed target is in the table as it was measured.",
        ),
    )


if __name__ == "__main__":
    main()
