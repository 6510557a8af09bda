"""A recipe's question → its answer: the whole line, a sweep over many cells, or two runs side by side.

This is where the stages meet: they hand tables to each other here and know nothing of one another.
"""

from __future__ import annotations

from socml.experiments.comparison import RunComparison, compare
from socml.experiments.line import ExperimentResult, prepare_dataset, run, simulated_files, whom
from socml.experiments.sweep import SweepResult, run_sweep

__all__ = [
    "ExperimentResult",
    "RunComparison",
    "SweepResult",
    "compare",
    "prepare_dataset",
    "run",
    "run_sweep",
    "simulated_files",
    "whom",
]
