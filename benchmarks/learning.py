"""Oracles that label → what learning from labels finds, costs and survives → docs/results/results-learning.

Run it with `make results-learning`; parts named after `python -m benchmarks.learning` are measured alone. It reads the datasets beside the checkout (`SOCML_SHARED` names another place).
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import learning_cases, learning_families, learning_tables, learning_team
from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.review import FeedbackRanking, best_first, warm_up

SEEDS = 5
# F1 of SecuML 0.12's best strategy, single runs, as published with the pool
SECUML = {220: 0.887, 320: 0.911, 420: 0.932}
SECUML_CPU_S = 32.0  # for 100 labels
RANKED = 1_000_000
SHOWN = 25


def main() -> None:
    """Measure everything and write what came out; each part is written as soon as it is there."""
    warnings.filterwarnings("ignore")
    parts: dict[str, list[Figure]] = {}
    kept = measured_before("results-learning") if len(sys.argv) > 1 else []
    if "tables" in sys.argv[1:]:  # the mean is named by how many tables are in it
        kept = [figure for figure in kept if not figure.case.startswith("mean of ")]
    if "rules" in sys.argv[1:]:  # candidates are named by what they are
        kept = [figure for figure in kept if "ranking alone" not in figure.case]
    for name, part in (
        ("families", families),
        ("speed", speed),
        ("noise", noise),
        ("team", team),
        ("rules", rules),
        ("barren", barren),
        ("tables", found),
    ):
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        for figures in part():
            parts[name] = figures
            renewed = [figure for done in parts.values() for figure in done]
            cases = {figure.case for figure in renewed}
            path = write([*renewed, *(figure for figure in kept if figure.case not in cases)])
    sys.stdout.write(path.read_text(encoding="utf-8"))


def write(figures: list[Figure]) -> Path:
    """Write the table of what was measured so far."""
    return write_results(
        "results-learning",
        "Learning from labels",
        f"An oracle answers from the truth, through the code that a person's verdicts take; mean of {SEEDS} seeds. Forests of "
        f"{learning_cases.TREES} trees on {learning_cases.SAMPLES} rows each, ours and the peers'.",
        figures,
        notes=[
            "nsl20-10: from 20 labels, ten at a time by the strategy rare-families; F1 on the rows kept aside, at probability 0.5. "
            "The peer's F1 and CPU seconds are single runs of SecuML 0.12, measured when the pool was made, not in this run.",
            "Flipped answers: one in ten after the first twenty labels. With the check, rows whose label is likely wrong are asked "
            "about again every 100 labels, by the same oracle, paid from the same budget.",
            "Found: malicious rows among the first 20, 40 and 100 labels. `best peer` is the best of static order, AADForest and "
            "PineForest on that table.",
            "Re-ranking: from one more label to the first 25 rows of the queue, median CPU; the peer refits and scores, as its "
            "own loop does. Leaves are random, the labels are 20 rows already.",
            "Fewest against static: the worst seed's difference at 20 labels.",
            f"Tables: {learning_tables.SEEDS} seeds ({learning_tables.RULE_SEEDS} of the ranking alone), at most {learning_cases.MOST_ROWS:,} rows drawn anew for each. Groups: malicious rows that "
            f"share less than {learning_cases.ALIKE:.0%} of their leaves with each found before.",
            "Leave-one-group-out: the constants that find most on the tables of all other groups (benchmarks/protocol.py), a table with more than "
            f"{learning_tables.MOST_FEWER} fewer than the forest weighing more than any gain; the ranking alone, without store and supervised forest. Intervals are 95 %, tables and seeds drawn anew; the sign test is "
            "two-sided, over tables.",
            f"Barren tables: of each table only the malicious rows whose anomaly score is below its {learning_cases.INSIDE:.0%} quantile, at most "
            f"{learning_cases.RARE:.0%} of the rows, tables with {learning_cases.FEW} such rows or more; the forest is grown anew.",
            "![found](results-learning-found.png)",
        ],
    )


def families() -> Iterator[list[Figure]]:
    """Yield the figures of the supervised forest on the nsl20-10 pool."""
    pool, versions = learning_families.load(), versions_of("socml", "scikit-learn")
    runs = [learning_families.campaign(pool, seed) for seed in range(SEEDS)]
    figures = []
    for labels in learning_families.CHECKPOINTS:
        f1 = [run.f1[labels] for run in runs]
        known = [run.families[labels] for run in runs]
        case, peer = f"nsl20-10, {labels} labels", SECUML.get(labels)
        figures += [
            Figure(
                case,
                "F1",
                mean(f1),
                "",
                "SecuML" if peer else "",
                peer,
                mean(f1) / peer if peer else None,
                SEEDS,
                versions,
            ),
            Figure(case, "F1, worst seed", min(f1), n=SEEDS, versions=versions),
            Figure(case, "attack families found of 14", mean(known), "families", n=SEEDS, versions=versions),
            Figure(case, "attack families found, worst seed", min(known), "families", n=SEEDS, versions=versions),
        ]
    cpu = mean([run.cpu_s for run in runs])
    ratio = SECUML_CPU_S / cpu
    figures.append(
        Figure("nsl20-10", "CPU for 100 labels", cpu, "CPU s", "SecuML", SECUML_CPU_S, ratio, SEEDS, versions)
    )
    yield figures


def noise() -> Iterator[list[Figure]]:
    """Yield what one flipped answer in ten costs, without and with the search for label errors."""
    pool, versions = learning_families.load(), versions_of("socml", "scikit-learn")
    last = learning_families.CHECKPOINTS[-1]
    f1 = {}
    looks = []
    for name, flipped, check in (("clean", 0.0, False), ("flipped", 0.1, False), ("checked", 0.1, True)):
        runs = [learning_families.campaign(pool, seed, flipped=flipped, check=check) for seed in range(SEEDS)]
        f1[name] = mean([run.f1[last] for run in runs])
        looks = [run.second_looks for run in runs]
    without, with_check = f1["clean"] - f1["flipped"], f1["clean"] - f1["checked"]
    case = f"nsl20-10, {last} labels, 10 % flipped"
    yield [
        Figure(
            case, "F1", f1["checked"], "", "no check", f1["flipped"], f1["checked"] / f1["flipped"], SEEDS, versions
        ),
        Figure(case, "F1 lost", with_check, "", "no check", without, with_check / without, SEEDS, versions),
        Figure(case, "second looks", mean(looks), "labels", n=SEEDS, versions=versions),
    ]


def team() -> Iterator[list[Figure]]:
    """Yield what became of the labels of a team on PostgreSQL; nothing where it is not installed."""
    seen = learning_team.campaign()
    if seen is None:
        sys.stderr.write("team: PostgreSQL is not installed, and is absent\n")
        return
    versions = {**versions_of("socml", "psycopg", "sqlalchemy"), "postgresql": seen.server}
    labels = learning_team.ANALYSTS * learning_team.LABELS
    case = f"{learning_team.ANALYSTS} analysts × {learning_team.LABELS} labels on PostgreSQL, two killed"
    yield [
        Figure(
            case, "labels stored", seen.labels, "labels", "asked for", labels, seen.labels / labels, labels, versions
        ),
        Figure(case, "acknowledged labels lost", seen.lost, "labels", n=labels, versions=versions),
        Figure(case, "rows labelled twice", seen.doubled, "rows", n=labels, versions=versions),
        Figure(case, "rows before two analysts at once", seen.clashes, "rows", n=labels, versions=versions),
    ]


def rules() -> Iterator[list[Figure]]:
    """Yield what the learner's constant is chosen by, without peers: minutes instead of an hour."""
    yield learning_tables.rules(versions_of("socml", "numba"))


def barren() -> Iterator[list[Figure]]:
    """Yield what the queue and the strategy mixed find where the forest's first rows hold nothing."""
    yield learning_tables.barren(versions_of("socml", "numba"))


def found() -> Iterator[list[Figure]]:
    """Yield how many malicious rows are found in the first 100 labels, table by table."""
    yield from learning_tables.tables(versions_of("socml", "coniferest"))


def speed() -> Iterator[list[Figure]]:
    """Yield the CPU seconds from a label to the top of the queue, ours and AADForest's."""
    from coniferest.aadforest import AADForest

    warm_up()
    versions = versions_of("socml", "coniferest", "numba")
    figures = []
    for rows in (100_000, RANKED):
        random = np.random.default_rng(0)
        leaves = random.integers(0, 200, (100, rows)).astype(np.uint8)
        score = random.normal(size=rows)
        spent = median_cpu(our_labels(FeedbackRanking(leaves, score), rows), 100)
        X = random.normal(size=(rows, 6))
        model = AADForest(n_trees=100, n_subsamples=learning_cases.SAMPLES, random_seed=0, n_jobs=1).fit(X)
        peer = median_cpu(peer_labels(model, X), 3)
        case = f"{rows:,} rows, 100 trees"
        figures.append(
            Figure(case, "re-ranked after a label", spent, "CPU s", "AADForest", peer, peer / spent, rows, versions)
        )
        yield figures


def our_labels(ranking: FeedbackRanking, rows: int) -> Callable[[int], None]:
    """Return a function that gives the next label and takes the top of the queue."""
    given = np.random.default_rng(1).permutation(rows)[:200]
    signs = np.where(np.arange(200) % 3 == 0, 1, -1)

    def label(number: int) -> None:
        scores = ranking.learn(given[: number + 1], signs[: number + 1])
        is_open = np.ones(rows, dtype=bool)
        is_open[given[: number + 1]] = False
        best_first(scores, is_open, SHOWN)

    return label


def peer_labels(model: Any, X: NDArray[np.float64]) -> Callable[[int], None]:
    """Return a function that refits coniferest's forest on twenty labels and more, scores, and takes the top."""
    given = np.random.default_rng(1).permutation(len(X))[:200]
    signs = np.where(np.arange(200) % 3 == 0, -1, 1)

    def label(number: int) -> None:
        model.fit_known(X, X[given[: 20 + number]], signs[: 20 + number])
        np.argpartition(model.score_samples(X), SHOWN)[:SHOWN]

    return label


def median_cpu(label: Callable[[int], None], times: int) -> float:
    """Return the median of the CPU seconds that the labels cost, each by itself."""
    spent = []
    for number in range(times):
        begun = time.process_time()
        label(number)
        spent.append(time.process_time() - begun)
    return float(np.median(spent))


def mean(values: Sequence[float]) -> float:
    """Return the mean as a plain number."""
    return float(np.mean(values))


if __name__ == "__main__":
    main()
