"""Labelled tables and an oracle → malicious rows and groups found by the number of labels, beside static and peers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks import learning_cases
from benchmarks.detector_cases import Case
from benchmarks.learning_cases import Forest, Rows
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
    "the forest credited with 1 label": {"BELIEVED": 1.0},
    "the forest credited with 2 labels": {"BELIEVED": 2.0},
    "the forest credited with 8 labels": {"BELIEVED": 8.0},
    "the forest credited without end": {"BELIEVED": 1e9},
    "beyond the head from the first label": {"UNGUIDED": 1.0},
    "beyond the head after 2 benign labels": {"UNGUIDED": 0.26},
    "beyond the head after 5 benign labels": {"UNGUIDED": 0.15},
}
# Shown beside, never chosen: how likely the promise is broken is no matter of the mean.
UNGUARDED = {"a risk of .05": {"RISK": 0.05}, "a risk of .1": {"RISK": 0.1}, "no guard": {"RISK": 1.0, "UNGUIDED": 1.0}}
# The same where the forest's first rows hold nothing.
BARREN_CANDIDATES: dict[str, dict[str, float]] = {
    "as it ships": {},
    "never a row of usual score": {"BARREN": 1_000_000},
    "the most ordinary row": {"LEVEL": 0.0},
    "a row at the lower quartile": {"LEVEL": 0.25},
    "a row at the upper quartile": {"LEVEL": 0.75},
    "every second label": {"EVERY": 2},
    "from 10 labels on": {"BARREN": 10},
}
LOGO = "found, leave-one-group-out"
BARREN_LOGO = "barren tables, leave-one-group-out"

Curves = dict[str, list[NDArray[np.int64]]]  # who asked → for each seed, found after 1, 2, … labels


def rules(versions: dict[str, str]) -> list[Figure]:
    """Return how many are found with each candidate, and by leave-one-group-out, beside the forest's own order."""
    whole = _replayed(learning_cases.grow, {**CANDIDATES, **UNGUARDED})
    barren = _replayed(learning_cases.grow_barren, BARREN_CANDIDATES)
    return [
        *_of_rules(whole, CANDIDATES, UNGUARDED, (LOGO, "ranking alone"), versions),
        *_of_rules(barren, BARREN_CANDIDATES, {}, (BARREN_LOGO, "barren tables, ranking alone"), versions),
    ]


def _replayed(grow: Callable[[Case, int], Forest | None], candidates: dict[str, dict[str, float]]) -> dict[str, Curves]:
    """Return by table what the ranking alone finds with each candidate, and the forest's own order."""
    curves: dict[str, Curves] = {}
    for case in learning_cases.tables():
        for seed in range(RULE_SEEDS):
            forest = grow(case, seed)
            if forest is None:
                continue
            of = curves.setdefault(case.name, {name: [] for name in (*candidates, "static")})
            of["static"].append(learning_cases.found(forest, learning_cases.static(forest)))
            for name, constants in candidates.items():
                of[name].append(learning_cases.found(forest, learning_cases.ranked(forest, constants)))
        sys.stderr.write(f"rules, {case.name}\n")
    return curves


def _of_rules(
    curves: dict[str, Curves],
    candidates: dict[str, dict[str, float]],
    beside: dict[str, dict[str, float]],
    names: tuple[str, str],
    versions: dict[str, str],
) -> list[Figure]:
    logo, alone = names
    chosen = leave_one_group_out({case: {name: worth(of, name) for name in candidates} for case, of in curves.items()})
    picked = {case: {"ours": of[chosen[case]], "static": of["static"]} for case, of in curves.items()}
    figures = against(logo, picked, "ours", ("static",), versions)
    fewer = [fewest(of["ours"], of["static"]) for of in picked.values()]
    figures.append(
        Figure(logo, "fewest against static, 20 labels", min(fewer), "malicious rows", n=len(fewer), versions=versions)
    )
    for name in (*candidates, *beside):
        case = f"{alone}, {name}"
        for labels in POINTS:
            mean = float(np.mean([np.mean([run[labels - 1] for run in of[name]]) for of in curves.values()]))
            figures.append(
                Figure(case, f"found in {labels} labels", mean, "malicious rows", n=len(curves), versions=versions)
            )
        worst = min(fewest(of[name], of["static"]) for of in curves.values())
        times = sum(one == name for one in chosen.values())
        figures += [
            Figure(case, "fewest against static, 20 labels", worst, "malicious rows", n=len(curves), versions=versions),
            Figure(case, "tables for which others chose it", times, "tables", n=len(curves), versions=versions),
        ]
    return figures


def barren(versions: dict[str, str]) -> list[Figure]:
    """Return what the queue and `mixed` find, as a person is asked, where the forest's first rows hold nothing."""
    curves: dict[str, Curves] = {}
    for case in learning_cases.tables():
        for seed in range(SEEDS):
            forest = learning_cases.grow_barren(case, seed)
            if forest is None:
                continue
            of = curves.setdefault(case.name, {})
            for name, rows in _asked(forest, seed).items():
                of.setdefault(name, []).append(learning_cases.found(forest, rows))
        sys.stderr.write(f"barren, {case.name}\n")
    return against(f"barren, mean of {len(curves)} tables", curves, "mixed", ("socml", "static"), versions)


def _asked(forest: Forest, seed: int) -> dict[str, Rows]:
    """Return what our queue asks, what `mixed` asks, and the forest's own order."""
    return {
        "socml": learning_cases.ours(forest, seed),
        "mixed": learning_cases.ours(forest, seed, "mixed"),
        "static": learning_cases.static(forest),
    }


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
            wanted = _asked(forest, seed) | {name: learning_cases.peer(name, forest, seed) for name in PEERS}
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
