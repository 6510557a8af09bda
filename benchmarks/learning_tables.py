"""Labelled tables and an oracle → malicious rows and groups found by the number of labels, beside static and peers."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks import learning_cases
from benchmarks.protocol import compare, leave_one_group_out
from benchmarks.results import RESULTS, Figure

SEEDS = 2  # of peers and of the queue as a person sees it
RULE_SEEDS = 3  # of the ranking alone
PEERS = ("AADForest", "PineForest")
POINTS = (20, 40, 100)  # labels
MOST_FEWER = 2  # than static in the first 20 labels, on any table and seed
# Values of the learner's constants, each beside those that ship otherwise.
CANDIDATES: dict[str, dict[str, float]] = {
    "as it ships": {},
    "the forest alone with 1 label": {"BELIEVED": 1.0},
    "the forest alone with 2 labels": {"BELIEVED": 2.0},
    "the forest alone with 8 labels": {"BELIEVED": 8.0},
    "the forest alone without end": {"BELIEVED": 1e9},
    "a risk of .05": {"RISK": 0.05},
    "a risk of .1": {"RISK": 0.1},
    "never an ordinary row": {"BARREN": 1_000_000},
}
UNGUARDED = {"no guard": {"RISK": 1.0}}  # shown beside, never chosen: the guard is a promise and no matter of the mean
LOGO = "found, leave-one-group-out"

Curves = dict[str, list[NDArray[np.int64]]]  # who asked → for each seed, found after 1, 2, … labels


def rules(versions: dict[str, str]) -> list[Figure]:
    """Return how many are found with each candidate, and by leave-one-group-out, beside the forest's own order."""
    curves: dict[str, Curves] = {}
    for case in learning_cases.tables():
        of: Curves = {name: [] for name in (*CANDIDATES, *UNGUARDED, "static")}
        for seed in range(RULE_SEEDS):
            forest = learning_cases.grow(case, seed)
            of["static"].append(learning_cases.found(forest, learning_cases.static(forest)))
            for name, constants in {**CANDIDATES, **UNGUARDED}.items():
                of[name].append(learning_cases.found(forest, learning_cases.ranked(forest, constants)))
        curves[case.name] = of
        sys.stderr.write(f"rules, {case.name}\n")
    chosen = leave_one_group_out({case: {name: worth(of, name) for name in CANDIDATES} for case, of in curves.items()})
    picked = {case: {"ours": of[chosen[case]], "static": of["static"]} for case, of in curves.items()}
    figures = against(LOGO, picked, "ours", ("static",), versions)
    fewer = [fewest(of["ours"], of["static"]) for of in picked.values()]
    figures.append(
        Figure(LOGO, "fewest against static, 20 labels", min(fewer), "malicious rows", n=len(fewer), versions=versions)
    )
    for name in (*CANDIDATES, *UNGUARDED):
        alone = f"ranking alone, {name}"
        for labels in POINTS:
            mean = float(np.mean([run[labels - 1] for of in curves.values() for run in of[name]]))
            figures.append(
                Figure(alone, f"found in {labels} labels", mean, "malicious rows", n=len(curves), versions=versions)
            )
        worst = min(fewest(of[name], of["static"]) for of in curves.values())
        times = sum(one == name for one in chosen.values())
        figures += [
            Figure(
                alone, "fewest against static, 20 labels", worst, "malicious rows", n=len(curves), versions=versions
            ),
            Figure(alone, "tables for which others chose it", times, "tables", n=len(curves), versions=versions),
        ]
    return figures


def worth(of: Curves, name: str) -> float:
    """Return what a candidate is chosen by: the shares of labels that found something, less tables that it loses."""
    share = float(np.mean([run[labels - 1] / labels for run in of[name] for labels in POINTS]))
    return share - float(fewest(of[name], of["static"]) < -MOST_FEWER)


def fewest(ours: list[NDArray[np.int64]], theirs: list[NDArray[np.int64]]) -> int:
    """Return ours less theirs at 20 labels, of the worst seed."""
    return min(int(a[19] - b[19]) for a, b in zip(ours, theirs, strict=True))


def against(
    case: str,
    curves: dict[str, Curves],
    name: str,
    peers: tuple[str, ...],
    versions: dict[str, str],
    what: str = "found",
) -> list[Figure]:
    """Return the means over tables, ours beside each peer's, with the interval and the sign test."""
    figures, tables = [], len(curves)
    for labels in POINTS:
        ours = [[float(run[labels - 1]) for run in of[name]] for of in curves.values()]
        for peer in peers:
            theirs = [[float(run[labels - 1]) for run in of[peer]] for of in curves.values()]
            comparison = compare(ours, theirs)
            value, other = (float(np.mean([np.mean(of) for of in side])) for side in (ours, theirs))
            label = f"{what} in {labels} labels"
            ratio = value / other if other else None
            figures += [
                Figure(case, label, value, "", peer, other, ratio, tables, versions),
                Figure(case, f"{label}, difference, low", comparison.low, "", peer, n=tables, versions=versions),
                Figure(case, f"{label}, difference, high", comparison.high, "", peer, n=tables, versions=versions),
                Figure(
                    case,
                    f"{label}, tables ahead",
                    comparison.ahead,
                    "tables",
                    peer,
                    comparison.behind,
                    n=tables,
                    versions=versions,
                ),
                Figure(case, f"{label}, sign test", comparison.p, "p", peer, n=tables, versions=versions),
            ]
    return figures


def tables(versions: dict[str, str]) -> Iterator[list[Figure]]:
    """Yield how many malicious rows and groups our queue finds, through the code of a person's verdicts, and peers find."""
    curves: dict[str, Curves] = {}
    groups: dict[str, Curves] = {}
    figures: list[Figure] = []
    for case in learning_cases.tables():
        of, kinds = curves.setdefault(case.name, {}), groups.setdefault(case.name, {})
        for seed in range(SEEDS):
            forest = learning_cases.grow(case, seed)
            wanted = {
                "socml": learning_cases.ours(forest, seed),
                "mixed": learning_cases.ours(forest, seed, "mixed"),
                "static": learning_cases.static(forest),
                **{name: learning_cases.peer(name, forest, seed) for name in PEERS},
            }
            for name, rows in wanted.items():
                of.setdefault(name, []).append(learning_cases.found(forest, rows))
                kinds.setdefault(name, []).append(learning_cases.groups(forest, rows))
        figures += of_table(case.name, of, len(forest.malicious), versions)
        mean = f"mean of {len(curves)} tables"
        everyone = ("static", "mixed", *PEERS)
        whole = against(mean, curves, "socml", everyone, versions) + against(
            mean, groups, "socml", everyone, versions, "groups"
        )
        sys.stderr.write(f"{case.name}\n")
        means = {name: np.mean([np.mean(one[name], axis=0) for one in curves.values()], axis=0) for name in of}
        learning_cases.plot(means, RESULTS / "results-learning-found.png")
        yield [*whole, *figures]


def of_table(case: str, of: Curves, rows: int, versions: dict[str, str]) -> list[Figure]:
    """Return what was found on one table, beside each peer."""
    figures = []
    for labels in POINTS:
        at = {name: float(np.mean([run[labels - 1] for run in runs])) for name, runs in of.items()}
        for name in ("static", "mixed", *PEERS):
            ratio = at["socml"] / at[name] if at[name] else None
            label = f"found in {labels} labels"
            figures.append(Figure(case, label, at["socml"], "malicious rows", name, at[name], ratio, rows, versions))
    worst = fewest(of["socml"], of["static"])
    figures.append(
        Figure(case, "fewest against static, 20 labels", worst, "malicious rows", n=SEEDS, versions=versions)
    )
    return figures
