"""A million simulated flows → online detectors beside River's own classes: events a second, memory, attacks found.

Run it with `make results-online`. Every detector runs in a process of its own, on the same rows in the same order.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.interleaved import most_memory
from benchmarks.online_events import (
    BUDGET,
    EVERY,
    FLOWS,
    ROWS_FOUND,
    SIMULATION,
    SOURCES,
    SOURCES_FOUND,
    STREAMS,
    THINNED,
    WINDOWS,
    attacks_of,
    found,
    load,
    prepare,
)
from benchmarks.online_peers import PEERS
from benchmarks.results import Figure, versions_of, write_results
from socml.project import ScratchFolder

BLOCK = 65_536
MANY = 1_200_000  # entities in the test of memory, of which a million may be remembered
UNITS = {"speed": "rows/CPU s", "memory": "MB", ROWS_FOUND: "share", SOURCES_FOUND: "share", "average precision": ""}
FEW_EACH = {"n_trees": 5, "height": 5, "window": 32, "max_entities": 10_000}


@dataclass(frozen=True)
class Case:
    """A detector on a stream; `peer` is River's class of it, in PEERS, if that is run on the same stream."""

    name: str
    stream: str
    detector: str
    peer: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("gaussian, each source", FLOWS, "gaussian", "gaussian"),
    Case("quantile, each source", FLOWS, "quantile", "quantile"),
    Case("half-space trees", FLOWS, "half-space-trees", "half-space-trees"),
    Case("half-space trees, a forest each source", FLOWS, "half-space-trees", "half-space-trees, each", FEW_EACH),
    Case("one-class machine", FLOWS, "one-class"),
    Case("LODA", FLOWS, "loda"),
    Case("random cut forest", FLOWS, "random-cut-forest", "", {"n_trees": 20}),
    # River's one-class machine and LODA take half a millisecond a flow and more: both sides get a thinned stream
    Case("one-class machine", THINNED, "one-class", "one-class"),
    Case("LODA", THINNED, "loda", "loda"),
    Case("gaussian, each source", WINDOWS, "gaussian", "gaussian"),
    Case("quantile, each source", WINDOWS, "quantile", "quantile"),
    Case("half-space trees", WINDOWS, "half-space-trees", "half-space-trees"),
    Case("half-space trees, a forest each source", WINDOWS, "half-space-trees", "half-space-trees, each", FEW_EACH),
    Case("one-class machine", WINDOWS, "one-class"),
    Case("LODA", WINDOWS, "loda"),
    Case("random cut forest", WINDOWS, "random-cut-forest", "", {"n_trees": 20}),
)


def main() -> None:
    """Run every case and write what came out."""
    with ScratchFolder("online") as folder:
        lab = Path(folder)
        prepare(lab)
        _, known = load(lab, FLOWS)
        figures = [figure for stream in STREAMS for figure in chance_figures(lab, stream)]
        figures += [figure for at in range(len(CASES)) for figure in case_figures(at, lab)]
        figures += [*many_figures(lab), *whole_figures(lab)]
    path = write_results(
        "results-online",
        "Online detectors on a million simulated events",
        f"{len(known):,} flows of {known['entity'].nunique():,} sources over {SIMULATION['days']} simulated days, each "
        f"scored by the flows before it and then learned, in blocks of {BLOCK:,}; and the same flows as windows of "
        f"five minutes of a source (`source-5min`). {known['malicious'].mean():.1%} of the flows are attacks, of "
        f"{len(attacks_of(known))} families and days. The peer is River's own class, fed the same rows one by one; its "
        f"score is turned where River's one-class machine scores the usual higher.",
        figures,
        notes=[
            "rows/CPU s: of the detector alone, without reading, and after compiling.",
            "memory: growth of the process's peak from before the first row, the scores included. 0: no more than reading the rows had taken before.",
            f"{ROWS_FOUND}: an attack is a family on a day; the share of them of which at least one row is among the "
            f"day's {BUDGET} least normal. The first day counts, though all is new then. The same for {SOURCES} "
            f"sources, each by its least normal row of the day. By chance: a random order, the mean of five.",
            f"{THINNED}: River's class is too slow for all flows. Both sides were fed one flow in {EVERY}, in order, "
            f"and what they found in it is compared; a budget a day reaches deeper into it.",
            "The first score of a peer that has not learned enough is its own default.",
        ],
    )
    sys.stdout.write(path.read_text(encoding="utf-8"))


def case_figures(at: int, lab: Path) -> list[Figure]:
    """Run a case, and its peer on the same rows; return speed, memory, and what was found."""
    case = CASES[at]
    versions = versions_of("socml", "numba", "river", *(["krcf"] if case.detector == "random-cut-forest" else []))
    ours, peer = run("ours", at, lab), run("river", at, lab) if case.peer else {}
    figures = []
    for measure, unit in UNITS.items():
        value, beside = ours[measure], peer.get(measure)
        ratio = value / beside if beside else None
        name = "River" if case.peer else ""
        label = f"{case.name}: {case.stream}"
        figures.append(Figure(label, measure, value, unit, name, beside, ratio, ours["rows"], versions))
    return figures


def chance_figures(lab: Path, stream: str) -> list[Figure]:
    """Return how many attacks a stream has, and what a random order of it finds, the mean of five."""
    _, known = load(lab, stream)
    label, n, versions = f"by chance: {stream}", len(known), versions_of("socml")
    drawn = pd.DataFrame([found(np.random.default_rng(seed).random(n), known) for seed in range(5)]).mean()
    return [
        Figure(label, "attacks there are", len(attacks_of(known)), "families on a day", n=n, versions=versions),
        *(Figure(label, name, float(drawn[name]), UNITS[name], n=n, versions=versions) for name in drawn.index),
    ]


def many_figures(lab: Path) -> list[Figure]:
    """Return speed and memory with more entities than may be remembered."""
    versions = versions_of("socml", "numba")
    figures = []
    for at, component in enumerate(("gaussian", "quantile")):
        result = run("many", at, lab)
        case = f"{component}, {MANY:,} sources, at most 1,000,000 kept"
        for measure, unit in (("speed", "rows/CPU s"), ("memory", "MB"), ("forgotten", "sources")):
            figures.append(Figure(case, measure, result[measure], unit, n=result["rows"], versions=versions))
    return figures


def whole_figures(lab: Path) -> list[Figure]:
    """Return the speed of the whole of `score_online`: read Parquet, score, learn, measure, write."""
    result, versions = run("whole", 0, lab), versions_of("socml", "numba", "pyarrow")
    return [
        Figure("score_online, gaussian: flows", measure, result[of], unit, n=result["rows"], versions=versions)
        for measure, of, unit in (("speed, file to file", "speed", "rows/CPU s"), ("memory", "memory", "MB"))
    ]


def run(who: str, at: int, lab: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    sys.stderr.write(f"{who}: {CASES[at].name}: {CASES[at].stream}\n")
    command = [sys.executable, "-m", "benchmarks.online", who, str(at), str(lab)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(who: str, at: int, lab: Path) -> dict[str, Any]:
    """Measure one detector in this process."""
    if who == "whole":
        return measure_whole("online-gaussian", lab)
    case = CASES[at]
    block, known = load(lab, case.stream)
    entities = known["entity"].tolist()
    if who == "many":
        entities = [f"source {i}" for i in np.random.default_rng(0).permutation(MANY)]
        block = np.resize(block, (MANY, block.shape[1]))
        return timed(lambda: our_detector(case), block, entities)[1]
    make = (lambda: PEERS[case.peer](case.parameters)) if who == "river" else (lambda: our_detector(case))
    normality, result = timed(make, block, entities)
    return {**result, **found(normality, known)}


def our_detector(case: Case) -> Any:
    """Return one of our online detectors."""
    from socml.models import make_online
    from socml.project import ModelRecipe

    recipe = ModelRecipe(mode="online", detector=case.detector, features="flow", parameters=case.parameters)
    return make_online(recipe, []).detector


def timed(make: Callable[[], Any], block: np.ndarray, entities: list[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """Run a detector over all rows; return its scores, and rows, rows a CPU second and memory in MB."""
    make().score_learn_many(block[:300], entities[:300])  # compiles
    detector = make()
    before, start = resident(), time.process_time()
    normality = np.concatenate(
        [
            detector.score_learn_many(block[at : at + BLOCK], entities[at : at + BLOCK])
            for at in range(0, len(block), BLOCK)
        ]
    )
    cpu_s = time.process_time() - start
    forgotten = detector.slots.evicted if hasattr(detector, "slots") else 0
    result = {"rows": len(block), "speed": len(block) / cpu_s, "forgotten": forgotten}
    return normality, {**result, "memory": max(peak() - before, 0.0)}


def measure_whole(model: str, lab: Path) -> dict[str, Any]:
    """Measure `score_online` on the flow table, file to file."""
    from socml.models import make_online, score_online
    from socml.project import Project, features_path, starter_root

    project = Project(root=starter_root(), workspace=lab / "workspace")
    path = features_path(project, "demo", "flow")
    make_online(model, ["a"], project=project).score_learn_many(pd.DataFrame({"a": np.arange(300.0)}))
    before, start = resident(), time.process_time()
    done = score_online(model, path, project=project)
    cpu_s = time.process_time() - start
    return {"rows": done["rows"], "speed": done["rows"] / cpu_s, "memory": peak() - before}


def resident() -> float:
    """Return what this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Return the most that this process ever held, in MB."""
    return most_memory() * 1024**2 / 1e6


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))) + "\n")
    else:
        main()
