"""Streams of made-up events → what online kernels do in a CPU second, beside River's HalfSpaceTrees."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.interleaved import measure
from benchmarks.results import Figure, versions_of
from benchmarks.speed_tables import AGAIN, COLUMNS, rates

BLOCK = 500  # events that are handed over at a time


def half_space_figures() -> list[Figure]:
    """Score, then learn, each event of a stream, beside River's HalfSpaceTrees."""
    from river.anomaly import HalfSpaceTrees

    from socml.detectors import HalfSpaceForest

    versions, figures = versions_of("river", "numpy", "numba"), []
    for n_trees, height, d, n in ((10, 8, 10, 5000), (10, 8, 40, 5000), (25, 8, 40, 3000), (25, 15, 10, 1000)):
        X = np.random.default_rng(0).beta(2, 5, (n, d))
        names = [f"column {j}" for j in range(d)]
        events = [dict(zip(names, row, strict=True)) for row in X.tolist()]
        shape: dict[str, Any] = {"n_trees": n_trees, "height": height, "window_size": 250, "seed": 1}
        river, ours, single = HalfSpaceTrees(**shape), HalfSpaceForest(names, **shape), HalfSpaceForest(names, **shape)
        works: dict[str, Callable[[], object]] = {
            "peer": partial(by_river, river, events),
            "ours": partial(in_blocks, ours, X, BLOCK),
            "single": partial(in_blocks, single, X, 1),
        }
        costs = measure(works, times={"ours": AGAIN, "single": 1})
        case = f"half-space trees, {n_trees} × height {height}, {d} columns"
        figures += rates(f"{case}, blocks of {BLOCK}", costs, n, "events", "River", versions)
        one = {"ours": costs["single"], "peer": costs["peer"]}
        figures += rates(f"{case}, one by one", one, n, "events", "River", versions)
        river, ours, single = HalfSpaceTrees(**shape), HalfSpaceForest(names, **shape), HalfSpaceForest(names, **shape)
        compared = np.array(by_river(river, events * 3), dtype=float)
        stream = np.concatenate([X] * 3)
        worst = max(float(np.abs(compared - in_blocks(f, stream, b)).max()) for f, b in ((ours, BLOCK), (single, 1)))
        figures.append(Figure(case, "largest difference of a score", worst, n=len(compared), versions=versions))
    return figures


def by_river(trees: Any, events: list[dict[str, float]]) -> list[float]:
    """Return River's score of each event, which it then learns."""
    scores = []
    for x in events:
        scores.append(trees.score_one(x))
        trees.learn_one(x)
    return scores


def in_blocks(forest: Any, X: np.ndarray, block: int) -> np.ndarray:
    """Return our score of each event, which is then learned."""
    return np.concatenate([forest.score_learn(X[at : at + block]) for at in range(0, len(X), block)])


def random_cut_figures() -> list[Figure]:
    """Robust random cut forest in Rust (krcf), beside the one in Python if it is there."""
    import krcf

    n, figures = 2000, []
    for d in (10, COLUMNS):
        X = np.random.default_rng(0).normal(size=(n, d))
        options: Any = {
            "dimensions": d,
            "shingle_size": 1,
            "num_trees": 40,
            "sample_size": 128,
            "random_seed": 0,
        }
        forest: Any = krcf.RandomCutForest(options | {"output_after": 32, "parallel_execution_enabled": False})

        def stream(forest: Any = forest, X: Any = X) -> None:
            for row in X:
                forest.score(row)
                forest.update(row)

        costs = measure({"ours": stream})
        case = f"robust random cut forest (krcf), 40 × 128, {d} columns"
        rate = costs["ours"].rate(n)
        figures.append(
            Figure(case, "events a CPU second", rate, "events/s", n=n, versions=versions_of("krcf", "numpy"))
        )
    return figures
