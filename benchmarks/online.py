"""A million simulated flows → online detectors beside River's own classes: events a second, memory, attacks found.

Run it with `make results-online`. Every detector runs in a process of its own, on the same rows in the same order.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.interleaved import most_memory
from benchmarks.online_peers import PEERS
from benchmarks.results import Figure, versions_of, write_results

EVENTS = 1_000_000
SIMULATION = {"days": 5, "hosts": 330, "seed": 7}
BLOCK = 65_536
BUDGET = 100  # flows, or sources, that someone looks at in a day
MANY = 1_200_000  # entities in the test of memory, of which a million may be remembered
# case → component, its parameters, and how many events River's own class is given (0: it has none)
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "gaussian, each source": ("gaussian", {}, EVENTS),
    "quantile, each source": ("quantile", {}, EVENTS),
    "half-space trees": ("half-space-trees", {}, EVENTS),
    "half-space trees, a forest each source": (
        "half-space-trees",
        {"n_trees": 5, "height": 5, "window": 32, "max_entities": 10_000},
        EVENTS,
    ),
    "one-class machine": ("one-class", {}, EVENTS),
    "LODA": ("loda", {}, 50_000),
    "random cut forest": ("random-cut-forest", {"n_trees": 20}, 0),
}


def main() -> None:
    """Run every case and write what came out."""
    with tempfile.TemporaryDirectory(prefix="socml-online-") as folder:
        lab = Path(folder)
        about = prepare(lab)
        figures = [*chance_figures(lab), *(f for case in CASES for f in case_figures(case, lab))]
        figures += [*many_figures(lab), *whole_figures(lab)]
    path = write_results(
        "results-online",
        "Online detectors on a million simulated events",
        f"{about['events']:,} flows of {about['sources']:,} sources over {SIMULATION['days']} simulated days, each "
        f"scored by the flows before it and then learned, in blocks of {BLOCK:,}. {about['malicious']:.1%} of the flows "
        f"are attacks, of {about['attacks']} families and days. The peer is River's own class, fed the same rows one "
        f"by one; its score is turned where River's one-class machine scores the usual higher.",
        figures,
        notes=[
            "events/CPU s: of the detector alone, without reading, and after compiling.",
            "memory: growth of the process's peak from before the first event, the scores included.",
            f"attacks in {BUDGET} flows a day: an attack is a family on a day; the share of them of which at least one "
            f"flow is among the day's {BUDGET} least normal. The first day counts, though all is new then. The same "
            f"for sources, each by its least normal flow of the day. By chance: a random order.",
            "The first score of a peer that has not learned enough is its own default.",
        ],
    )
    sys.stdout.write(path.read_text(encoding="utf-8"))


def prepare(lab: Path) -> dict[str, Any]:
    """Simulate, ingest, build the flow table and keep its first million rows with what is true of them."""
    from socml.datasets import ingest
    from socml.features import build_feature_file, load_row_truth
    from socml.online._columns import OnlineColumns
    from socml.project import Project, starter_root
    from socml.simulator import simulate
    from socml.workspace import read_metadata

    project = Project(root=starter_root(), workspace=lab / "workspace")
    logs = simulate(lab / "raw", **SIMULATION)  # type: ignore[arg-type]
    flows = [path for path in logs.files if path.name.startswith("conn.")]
    (lab / "flows").mkdir()
    for path in [*flows, logs.truth]:
        path.rename(lab / "flows" / path.name)
    ingest([lab / "flows"], dataset="demo", project=project)
    path = build_feature_file("flow", "demo", project=project)
    table = pd.read_parquet(path)[:EVENTS]
    if len(table) < EVENTS:
        raise SystemExit(f"The simulation gave {len(table):,} flows, not {EVENTS:,}.")
    truth = load_row_truth("demo", "flow", project=project).reindex(table["row_id"])
    block = OnlineColumns(read_metadata(path)["features"]).read(table)
    np.save(lab / "block.npy", block)
    known = pd.DataFrame({"entity": table["entity"].astype(str), "day": table["time"].dt.floor("D")})
    known["malicious"] = truth["malicious"].astype("boolean").fillna(False).to_numpy(bool)
    known["family"] = np.where(known["malicious"], truth["family"].to_numpy(), None)
    known.to_parquet(lab / "known.parquet")
    attacks = known[known["malicious"]][["day", "family"]].drop_duplicates()
    return {
        "events": len(known),
        "sources": known["entity"].nunique(),
        "malicious": known["malicious"].mean(),
        "attacks": len(attacks),
    }


def case_figures(case: str, lab: Path) -> list[Figure]:
    """Run a case and its peer; return speed, memory, and what was found."""
    component, _, peer_events = CASES[case]
    versions = versions_of("socml", "numba", "river", *(["krcf"] if component == "random-cut-forest" else []))
    ours = run("ours", case, lab)
    peer = run("river", case, lab) if peer_events else {}
    name = "River" if peer else ""
    speed, other = ours["events"] / ours["cpu_s"], peer and peer["events"] / peer["cpu_s"]
    n = ours["events"]
    figures = [
        Figure(case, "speed", speed, "events/CPU s", name, other or None, speed / other if peer else None, n, versions)
    ]
    whole = peer if peer_events == EVENTS else {}
    for measure, unit in (("memory", "MB"), *((m, "share") for m in FOUND), ("average precision", "")):
        beside = whole.get(measure)
        ratio = ours[measure] / beside if beside else None
        figures.append(Figure(case, measure, ours[measure], unit, name if whole else "", beside, ratio, n, versions))
    return figures


FOUND = (f"attacks in {BUDGET} flows a day", "attacks in 20 sources a day")


def found(normality: np.ndarray, known: pd.DataFrame) -> dict[str, float]:
    """Return which share of the attacks, each a family on a day, shows among the day's least normal."""
    from socml.metrics import ranking_metrics

    rows = known.assign(normality=normality).sort_values("normality", kind="stable")
    attacks = known[known["malicious"]][["day", "family"]].drop_duplicates()
    first = rows.groupby("day").head(BUDGET)
    flows = first[first["malicious"]][["day", "family"]].drop_duplicates()
    sources = rows.drop_duplicates(["day", "entity"]).groupby("day").head(20)[["day", "entity"]]
    bad = known[known["malicious"]][["day", "entity", "family"]].drop_duplicates()
    by_source = bad.merge(sources, on=["day", "entity"])[["day", "family"]].drop_duplicates()
    precision = ranking_metrics(normality, known["malicious"].to_numpy(float))["average_precision"]
    shares = (len(flows) / len(attacks), len(by_source) / len(attacks))
    return {**dict(zip(FOUND, shares, strict=True)), "average precision": precision}


def chance_figures(lab: Path) -> list[Figure]:
    """Return what a random order finds, the mean of five."""
    known = pd.read_parquet(lab / "known.parquet")
    drawn = [found(np.random.default_rng(seed).random(len(known)), known) for seed in range(5)]
    versions = versions_of("socml")
    units = dict.fromkeys(FOUND, "share")
    return [
        Figure("by chance", m, float(np.mean([d[m] for d in drawn])), units.get(m, ""), n=len(known), versions=versions)
        for m in drawn[0]
    ]


def many_figures(lab: Path) -> list[Figure]:
    """Return speed and memory with more entities than may be remembered."""
    versions = versions_of("socml", "numba")
    figures = []
    for component in ("gaussian", "quantile"):
        said = run("many", component, lab)
        case = f"{component}, {MANY:,} sources, at most 1,000,000 kept"
        speed = said["events"] / said["cpu_s"]
        figures.append(Figure(case, "speed", speed, "events/CPU s", n=said["events"], versions=versions))
        figures.append(Figure(case, "memory", said["memory"], "MB", n=said["events"], versions=versions))
        figures.append(Figure(case, "forgotten", said["evicted"], "sources", n=said["events"], versions=versions))
    return figures


def whole_figures(lab: Path) -> list[Figure]:
    """Return the speed of the whole of `score_online`: read Parquet, score, learn, measure, write."""
    said = run("whole", "online-gaussian", lab)
    speed = said["events"] / said["cpu_s"]
    versions = versions_of("socml", "numba", "pyarrow")
    return [
        Figure(
            "score_online, gaussian", "speed, file to file", speed, "events/CPU s", n=said["events"], versions=versions
        ),
        Figure("score_online, gaussian", "memory", said["memory"], "MB", n=said["events"], versions=versions),
    ]


def run(who: str, case: str, lab: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    sys.stderr.write(f"{who}: {case}\n")
    command = [sys.executable, "-m", "benchmarks.online", who, case, str(lab)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(who: str, case: str, lab: Path) -> dict[str, Any]:
    """Measure one detector in this process."""
    if who == "whole":
        return measure_whole(case, lab)
    block, known = np.load(lab / "block.npy"), pd.read_parquet(lab / "known.parquet")
    entities = known["entity"].tolist()
    if who == "many":
        entities = [f"source {i}" for i in np.random.default_rng(0).permutation(MANY)]
        block = np.resize(block, (MANY, block.shape[1]))
        return {**timed(lambda: our_detector(case, {}), block, entities)[1]}
    component, parameters, peer_events = CASES[case]
    if who == "ours":
        normality, said = timed(lambda: our_detector(component, parameters), block, entities)
        return {**said, **found(normality, known)}
    make = PEERS["half-space-trees, each" if "max_entities" in parameters else component]
    normality, said = timed(lambda: make(parameters), block[:peer_events], entities[:peer_events])
    return {**said, **(found(normality, known) if peer_events == EVENTS else {})}


def our_detector(component: str, parameters: dict[str, Any]) -> Any:
    """Return one of our online detectors."""
    from socml.recipes import ModelRecipe
    from socml.streaming import make_online

    recipe = ModelRecipe(mode="online", detector=component, features="flow", parameters=parameters)
    return make_online(recipe, []).detector


def timed(make: Any, block: np.ndarray, entities: list[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """Run a detector over all rows; return its scores, and events, CPU seconds and memory in MB."""
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
    evicted = detector.slots.evicted if hasattr(detector, "slots") else 0
    said = {"events": len(block), "cpu_s": cpu_s, "memory": max(peak() - before, 0.0), "evicted": evicted}
    return normality, said


def measure_whole(model: str, lab: Path) -> dict[str, Any]:
    """Measure `score_online` on the flow table, file to file."""
    from socml.project import Project, starter_root
    from socml.streaming import make_online, score_online
    from socml.workspace import features_path

    project = Project(root=starter_root(), workspace=lab / "workspace")
    path = features_path(project, "demo", "flow")
    make_online(model, ["a"], project=project).score_learn_many(pd.DataFrame({"a": np.arange(300.0)}))
    before, start = resident(), time.process_time()
    done = score_online(model, path, project=project)
    return {"events": done["rows"], "cpu_s": time.process_time() - start, "memory": peak() - before}


def resident() -> float:
    """Return what this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Return the most that this process ever held, in MB."""
    return most_memory() * 1024**2 / 1e6


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))) + "\n")
    else:
        main()
