"""Kernels and their peers on made-up tables → docs/results/bench-speed: ratios measured in one run.

Run it with `make bench-speed`; `python -m benchmarks.speed forest shap` runs some parts only and prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import REPEATS, measure
from benchmarks.results import Figure, measured_before, versions_of, write_results

COLUMNS = 40
FOREST_ROWS, SHAP_ROWS, TOP = 50_000, 10_000, 500
AGAIN = 20  # times that what takes a few milliseconds is run in a repeat
THREADS = 2


def make_table(n: int, d: int = COLUMNS, seed: int = 0) -> np.ndarray:
    """Return float32 columns as flows have them, in turn: volumes, counts, shares, flags, measurements."""
    rng = np.random.default_rng(seed)
    kinds: list[Callable[[], np.ndarray]] = [
        lambda: rng.lognormal(5, 2, n),
        lambda: rng.poisson(3, n),
        lambda: rng.beta(2, 5, n),
        lambda: rng.random(n) < 0.1,
        lambda: rng.normal(size=n),
    ]
    return np.ascontiguousarray(np.stack([np.asarray(kinds[j % 5](), np.float32) for j in range(d)], axis=1))


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


def rates(
    case: str,
    costs: dict[str, Any],
    count: int,
    things: str,
    peer: str,
    versions: dict[str, str],
    *,
    wall: bool = False,
) -> list[Figure]:
    """Return what a CPU second (and a second on the wall) does here and at the peer, and the ratio."""
    ours, theirs = costs["ours"], costs["peer"]
    figures = []
    for kind, words in (("cpu", "a CPU second"), ("wall", "a second of time"))[: 2 if wall else 1]:
        figures.append(
            Figure(
                case, f"{things} {words}", ours.rate(count, kind), f"{things}/s", peer, theirs.rate(count, kind),
                ours.ratio_to(theirs, kind), count, versions,
            )
        )  # fmt: skip
    return figures


def main() -> None:
    """Measure the parts that are asked for, or all, and write the table."""
    from benchmarks.speed_online import half_space_figures, random_cut_figures
    from benchmarks.speed_whole import end_to_end_figures, start_figures

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
