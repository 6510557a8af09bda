"""Labelled tables → forests on them, and how many malicious rows an oracle finds: with learning, and with peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.detector_cases import Case, cases
from socml.features import Preparation
from socml.project import component
from socml.review import FeedbackRanking, feedback, replay, score_table

TREES = 128  # of every forest here, ours and the peers'
SAMPLES = 256
BUDGET = 100
MOST_ROWS = 20_000  # of a table: more are drawn anew for each seed
ALIKE = 0.9  # of the trees: malicious rows that share so many leaves with one found before are found again, not anew
NO_TABLE = ("sequences", "HTTP")
INSIDE = 0.6  # quantile of the anomaly scores below which the malicious rows of a barren table lie
FEW = 8  # malicious rows that a barren table needs
RARE = 0.05  # of its rows may be malicious

Curve = NDArray[np.int64]  # malicious rows among the first 1, 2, … labels
Rows = NDArray[np.int64]  # the rows asked about, in order


@dataclass(frozen=True)
class Forest:
    """One table with one seed's rows, and an isolation forest on it."""

    matrix: NDArray[np.float32]
    malicious: NDArray[np.bool_]
    anomaly_score: NDArray[np.float64]
    leaves: NDArray[np.integer]


def tables() -> list[Case]:
    """Return the labelled tables, the small ones first."""
    found = [case for case in cases() if not any(word in case.name for word in NO_TABLE)]
    return sorted(found, key=lambda case: case.load()[0].size)


def grow(case: Case, seed: int) -> Forest:
    """Prepare a table's rows of one seed, in an order drawn anew, and fit our isolation forest on them.

    Some of the files hold all malicious rows first, some last: whoever takes the first of equal rows would be told the truth.
    """
    features, malicious = case.load()
    rows = np.random.default_rng(seed).permutation(case.rows(seed))[:MOST_ROWS]
    matrix = np.asarray(Preparation().fit(features.iloc[rows]).transform(features.iloc[rows]), dtype=np.float32)
    return _forest(matrix, malicious[rows], seed)


def grow_barren(case: Case, seed: int) -> Forest | None:
    """Return a forest on the table without the malicious rows that it ranks high; None where too few are left.

    Its first rows then hold nothing, as where anomalies lie inside the data.
    """
    whole = grow(case, seed)
    is_low = whole.anomaly_score < np.quantile(whole.anomaly_score, INSIDE)
    inside, others = np.flatnonzero(whole.malicious & is_low), np.flatnonzero(~whole.malicious)
    if len(inside) < FEW:
        return None
    random = np.random.default_rng(seed)
    kept = random.permutation(inside)[: max(FEW, int(RARE * len(others)))]
    rows = random.permutation(np.concatenate([kept, others]))
    return _forest(whole.matrix[rows], whole.malicious[rows], seed)


def _forest(matrix: NDArray[np.float32], malicious: NDArray[np.bool_], seed: int) -> Forest:
    detector = component("detectors", "isolation-forest")
    forest = detector(n_estimators=TREES, max_samples=SAMPLES, random_state=seed).fit(matrix)
    return Forest(matrix, malicious, -forest.score_samples(matrix), forest.leaves(matrix))


def ours(forest: Forest, seed: int, strategy: str = "most-anomalous") -> Rows:
    """Return what our queue asks, label after label, through the same code as a person's verdicts."""
    scores = score_table(forest.anomaly_score)
    truth = pd.Series(forest.malicious, index=scores.index)
    result = replay((scores, forest.leaves), truth, budget=BUDGET, strategy=strategy, seed=seed, matrix=forest.matrix)
    return np.asarray(scores.index.get_indexer(pd.Index(result.answers["row_id"])), dtype=np.int64)


def ranked(forest: Forest, constants: Mapping[str, float]) -> Rows:
    """Return what the feedback ranking alone asks with other values of its constants, without store and strategy."""
    labelled, score = list[int](), forest.anomaly_score.copy()
    with patch.dict(vars(feedback), constants):
        ranking = FeedbackRanking(forest.leaves, forest.anomaly_score)
        for _ in range(min(BUDGET, len(score))):
            score[labelled] = -np.inf
            labelled.append(int(score.argmax()))
            score = ranking.learn(labelled, np.where(forest.malicious[labelled], 1, -1))
    return np.array(labelled, dtype=np.int64)


def static(forest: Forest) -> Rows:
    """Return the forest's own order, nothing learnt."""
    return np.argsort(-forest.anomaly_score, kind="stable")[:BUDGET]


def peer(kind: str, forest: Forest, seed: int) -> Rows:
    """Return what coniferest's AADForest or PineForest asks, refitted after each label as its loop does."""
    from coniferest.aadforest import AADForest
    from coniferest.pineforest import PineForest

    X = np.ascontiguousarray(forest.matrix, dtype=np.float64)
    make = {"AADForest": AADForest, "PineForest": PineForest}[kind]
    model = make(n_trees=TREES, n_subsamples=SAMPLES, random_seed=seed, n_jobs=1).fit(X)
    normality = model.score_samples(X)
    seen: list[int] = []
    done = np.zeros(len(X), dtype=bool)
    for _ in range(min(BUDGET, len(X))):
        row = int(np.argmin(np.where(done, np.inf, normality)))
        done[row] = True
        seen.append(row)
        model.fit_known(X, X[seen], np.where(forest.malicious[seen], -1, 1))
        normality = model.score_samples(X)
    return np.array(seen, dtype=np.int64)


def found(forest: Forest, rows: Rows) -> Curve:
    """Return how many malicious rows were found after each label."""
    return padded(np.cumsum(forest.malicious[rows]))


def groups(forest: Forest, rows: Rows) -> Curve:
    """Return how many different groups were found after each label: near duplicates of a row found before are none."""
    known: list[int] = []
    counts = []
    for row in rows.tolist():
        if forest.malicious[row]:
            shared = (forest.leaves[:, known] == forest.leaves[:, row][:, None]).mean(axis=0)
            if not (shared >= ALIKE).any():
                known.append(row)
        counts.append(len(known))
    return padded(np.array(counts))


def padded(counts: NDArray[np.int64]) -> Curve:
    """Return the curve at its full length; a table with fewer rows finds nothing more."""
    return np.pad(np.asarray(counts, dtype=np.int64), (0, BUDGET - len(counts)), mode="edge")


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
