"""Labelled tables → forests on them, and how many malicious rows an oracle finds: with learning, and with peers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.detector_cases import Case, cases
from socml.features import Preparation
from socml.project import component
from socml.review import replay, score_table

TREES = 128  # of every forest here, ours and the peers'
SAMPLES = 256
BUDGET = 100
NO_TABLE = ("sequences", "HTTP")

Curve = NDArray[np.int64]  # malicious rows among the first 1, 2, … labels


@dataclass(frozen=True)
class Forest:
    """One table with one seed's rows, and an isolation forest on it."""

    matrix: NDArray[np.float32]
    malicious: NDArray[np.bool_]
    anomaly_score: NDArray[np.float64]
    leaves: NDArray


def tables() -> list[Case]:
    """Return the labelled tables, the small ones first."""
    found = [case for case in cases() if not any(word in case.name for word in NO_TABLE)]
    return sorted(found, key=lambda case: case.load()[0].size)


def grow(case: Case, seed: int) -> Forest:
    """Prepare a table's rows of one seed and fit our isolation forest on them."""
    features, malicious = case.load()
    rows = case.rows(seed)
    matrix = np.asarray(Preparation().fit(features.iloc[rows]).transform(features.iloc[rows]), dtype=np.float32)
    detector = component("detectors", "isolation-forest")
    forest = detector(n_estimators=TREES, max_samples=SAMPLES, random_state=seed).fit(matrix)
    return Forest(matrix, malicious[rows], -forest.score_samples(matrix), forest.leaves(matrix))


def ours(forest: Forest, seed: int) -> Curve:
    """Return what our queue finds, label after label, through the same code as a person's verdicts."""
    scores = score_table(forest.anomaly_score)
    truth = pd.Series(forest.malicious, index=scores.index)
    result = replay((scores, forest.leaves), truth, budget=BUDGET, seed=seed, matrix=forest.matrix)
    return padded(result.curve["found"].to_numpy()[1:])


def static(forest: Forest) -> Curve:
    """Return what the forest's own order finds, nothing learnt."""
    return padded(np.cumsum(forest.malicious[np.argsort(-forest.anomaly_score, kind="stable")[:BUDGET]]))


def peer(kind: str, forest: Forest, seed: int) -> Curve:
    """Return what coniferest's AADForest or PineForest finds, refitted after each label as its loop does."""
    from coniferest.aadforest import AADForest
    from coniferest.pineforest import PineForest

    X = np.ascontiguousarray(forest.matrix, dtype=np.float64)
    make = {"AADForest": AADForest, "PineForest": PineForest}[kind]
    model = make(n_trees=TREES, n_subsamples=SAMPLES, random_seed=seed, n_jobs=1).fit(X)
    normality = model.score_samples(X)
    seen: list[int] = []
    answers: list[int] = []
    done = np.zeros(len(X), dtype=bool)
    for _ in range(min(BUDGET, len(X))):
        row = int(np.argmin(np.where(done, np.inf, normality)))
        done[row] = True
        seen.append(row)
        answers.append(-1 if forest.malicious[row] else 1)
        model.fit_known(X, X[seen], np.array(answers))
        normality = model.score_samples(X)
    return padded(np.cumsum(np.array(answers) < 0))


def padded(found: NDArray) -> Curve:
    """Return the curve at its full length; a table with fewer rows finds nothing more."""
    return np.pad(np.asarray(found, dtype=np.int64), (0, BUDGET - len(found)), mode="edge")


def plot(curves: dict[str, NDArray[np.float64]], path: Path) -> None:
    """Draw how many malicious rows were found, mean over tables and seeds, by the number of labels."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, mean in curves.items():
        axes.plot(np.arange(1, len(mean) + 1), mean, label=name, linewidth=2.4 if name == "socml" else 1.4)
    axes.set(xlabel="labels", ylabel="malicious rows found (mean over tables)", xlim=(1, BUDGET), ylim=(0, None))
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    figure.savefig(path, dpi=130)
    plt.close(figure)
