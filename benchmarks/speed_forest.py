"""The forest's kernels: scores, leaves and Shapley values, beside scikit-learn and shap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.interleaved import measure
from benchmarks.results import Figure, versions_of
from benchmarks.speed_tables import COLUMNS, make_table, rates

FOREST_ROWS, SHAP_ROWS, TOP = 50_000, 10_000, 500
THREADS = 2


def in_threads(work: Callable[[], object]) -> Callable[[], object]:
    """Return the work, with scikit-learn given its threads: `n_jobs` of the estimator does nothing for scoring."""
    import joblib

    def threaded() -> object:
        with joblib.parallel_config("threading", n_jobs=THREADS):
            return work()

    return threaded


def forest_figures() -> list[Figure]:
    """Score and tell leaves, beside scikit-learn."""
    X, versions = make_table(FOREST_ROWS), versions_of("scikit-learn", "numpy", "numba", "joblib")
    figures = [figure for n_trees in (100, 300) for figure in score_figures(X, n_trees, versions)]
    return [*figures, *leaf_figures(X, versions)]


def score_figures(X: np.ndarray, n_trees: int, versions: dict[str, str]) -> list[Figure]:
    """Score with a forest that scikit-learn fitted."""
    from sklearn.ensemble import IsolationForest

    from socml.detectors import pack_forest, score_samples

    theirs = IsolationForest(n_estimators=n_trees, random_state=0).fit(X)
    ours = pack_forest(theirs)
    costs = measure(
        {
            "peer": in_threads(lambda: theirs.score_samples(X)),
            "ours": lambda: score_samples(ours, X, threads=THREADS),
            "peer, one thread": lambda: theirs.score_samples(X),
            "ours, one thread": lambda: score_samples(ours, X),
        }
    )
    case = f"score, {n_trees} trees × 256, {COLUMNS} columns"
    single = {"ours": costs["ours, one thread"], "peer": costs["peer, one thread"]}
    worst = float(np.abs(score_samples(ours, X) - theirs.score_samples(X)).max())
    return [
        *rates(case, costs, len(X), "rows", "scikit-learn in 2 threads", versions, wall=True),
        *rates(f"{case}, one thread each", single, len(X), "rows", "scikit-learn", versions),
        Figure(case, "largest difference of a score", worst, n=len(X), versions=versions),
    ]


def leaf_figures(X: np.ndarray, versions: dict[str, str]) -> list[Figure]:
    """Tell the leaf of each row in each tree."""
    from joblib import Parallel, delayed
    from sklearn.ensemble import IsolationForest

    from socml.detectors import leaf_matrix, pack_forest

    theirs = IsolationForest(n_estimators=100, random_state=0).fit(X)
    ours = pack_forest(theirs)

    def apply_trees() -> object:
        return Parallel()(delayed(tree.apply)(X, check_input=False) for tree in theirs.estimators_)

    costs = measure({"peer": in_threads(apply_trees), "ours": lambda: leaf_matrix(ours, X, threads=THREADS)})
    return rates("leaf matrix, 100 trees × 256", costs, len(X), "rows", "apply of each tree in 2 threads", versions)


def shap_figures() -> list[Figure]:
    """Exact Shapley values of 10,000 rows and of the top 500, beside shap."""
    import shap
    from sklearn.ensemble import IsolationForest

    from socml.detectors import PackedForest, pack_forest, score_samples, tree_shap

    X, versions = make_table(FOREST_ROWS), versions_of("shap", "scikit-learn", "numpy", "numba")
    forest = IsolationForest(n_estimators=100, random_state=0).fit(X)
    packed, rows = pack_forest(forest), X[:SHAP_ROWS]
    top = X[np.argsort(score_samples(packed, X), kind="stable")[:TOP]]

    def cold() -> PackedForest:
        return PackedForest.from_arrays(packed.as_arrays())

    def theirs(some: np.ndarray) -> Any:
        return shap.TreeExplainer(forest).shap_values(some, check_additivity=False)

    case, peer = f"exact Shapley values, 100 trees × 256, {COLUMNS} columns", "shap TreeExplainer"
    costs = measure(
        {"peer": lambda: theirs(rows), "ours": lambda: tree_shap(cold(), rows), "warm": lambda: tree_shap(packed, rows)}
    )
    figures = rates(f"{case}, with all set-up", costs, SHAP_ROWS, "rows", peer, versions)
    warm = {"ours": costs["warm"], "peer": costs["peer"]}
    figures += rates(f"{case}, tables kept", warm, SHAP_ROWS, "rows", peer, versions)
    costs = measure({"peer": lambda: theirs(top), "ours": lambda: tree_shap(cold(), top)})
    ours = float(np.median(costs["ours"].cpu))
    figures.append(
        Figure(
            f"top {TOP} from a cold model", "cost", ours, "CPU s", peer, float(np.median(costs["peer"].cpu)),
            costs["ours"].ratio_to(costs["peer"]), TOP, versions,
        )
    )  # fmt: skip
    worst = float(np.abs(tree_shap(packed, rows) - theirs(rows)).max())
    return [*figures, Figure(case, "largest difference, in steps", worst, n=SHAP_ROWS, versions=versions)]
