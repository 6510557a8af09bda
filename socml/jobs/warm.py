"""Nothing → every kernel compiled and kept on disk, so that the first score does not wait for a compiler.

Run by `python -m socml.jobs.warm` when socml is installed; again it takes about a second. numba keeps what
it compiled beside each module, or in the user's cache folder where that cannot be written to; `NUMBA_CACHE_DIR`
names another place.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np


def warm_kernels() -> dict[str, float]:
    """Compile all; return module → CPU seconds it took. A kernel module may have a function `warm` of its own."""
    spent: dict[str, float] = {}
    for name, work in {"forest": _warm_forest, "half_space": _warm_half_space}.items():
        before = time.process_time()
        work()
        spent[name] = time.process_time() - before
    package = Path(__file__).resolve().parents[1]
    for path in sorted(package.rglob("*.py")):
        if "\ndef warm(" in path.read_text(encoding="utf-8"):
            before = time.process_time()
            import_module(".".join(["socml", *path.relative_to(package).with_suffix("").parts])).warm()
            spent[path.stem] = time.process_time() - before
    return spent


def _warm_forest() -> None:
    """Fit, score, tell leaves and explain: with few rows and many, small trees and large, missing values and none."""
    from sklearn.ensemble import IsolationForest

    from socml.detectors import FEW_ROWS, leaf_matrix, pack_forest, score_samples, tree_shap

    X = np.random.default_rng(0).normal(size=(FEW_ROWS + 1, 2)).astype(np.float32)
    X[0, 0] = np.nan
    for max_samples in (64, FEW_ROWS):
        forest = pack_forest(IsolationForest(n_estimators=1, max_samples=max_samples, random_state=0).fit(X))
        for rows in (X[:2], X):
            score_samples(forest, rows)
            leaf_matrix(forest, rows)
    small = pack_forest(IsolationForest(n_estimators=1, max_samples=8, random_state=0).fit(X[:, :1]))
    for rows in (X[:2, :1], X[:, :1]):
        tree_shap(small, rows)


def _warm_half_space() -> None:
    """Learn and score in trees that are tabulated and in trees that are not."""
    from socml.detectors import TABULATED_HEIGHT, HalfSpaceForest

    for height in (1, TABULATED_HEIGHT + 1):
        HalfSpaceForest(["x"], n_trees=1, height=height, window_size=2, seed=0).score_learn(np.full((4, 1), 0.5))


if __name__ == "__main__":
    taken = warm_kernels()
    sys.stdout.write(f"kernels are compiled: {sum(taken.values()):.1f} CPU seconds\n")
