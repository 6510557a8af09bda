"""What is compiled at install is all that work needs: later nothing waits for a compiler."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import importlib, pathlib, sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from sklearn.ensemble import IsolationForest
from socml.detectors.forest import scoring as forest_score, shapley as tree_shap
from socml.detectors.online import _compiled_half_space as half_space
from socml.detectors.forest.tables import PackedForest, pack_forest
from socml.jobs.warm import warm_kernels

def compiled():
    modules = [m for n, m in sys.modules.items() if n.startswith("socml.") and m is not None]
    kernels = {k for m in modules for k in vars(m).values() if isinstance(k, Dispatcher)}
    return {f"{k.__module__}.{k.__name__}{s}" for k in kernels for s in k.signatures}

warm_kernels()
before = compiled()
X = np.random.default_rng(0).normal(size=(5000, 12))
X[3, 3] = np.nan
for rows in (2, 256, 1000):
    forest = pack_forest(IsolationForest(n_estimators=20, max_samples=rows, random_state=1).fit(X))
    forest = PackedForest.from_arrays(forest.as_arrays())
    for some in (X, X[:7], X.astype(np.float32), np.asfortranarray(X)):
        forest_score.score_samples(forest, some, threads=2)
        forest_score.leaf_matrix(forest, some)
        tree_shap.tree_shap(forest, some)
for height in (8, 15):
    trees = half_space.HalfSpaceForest(range(12), height=height, window_size=100, seed=0)
    trees.score_learn(X)
    half_space.HalfSpaceForest.from_arrays(trees.as_arrays()).score(X[:3])
print(len(before), sorted(compiled() - before))
"""


def test_nothing_is_left_to_compile_after_warming():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, left = done.stdout.strip().split(" ", 1)
    assert left == "[]"
    assert int(count) > 10
