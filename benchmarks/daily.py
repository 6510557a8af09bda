"""Simulated organisations that no constant was chosen on → docs/results/results-daily: attacks in a day's first rows.

Run it with `make results-daily`. Constants of the list were chosen on the seeds 1 to 8 and 101 to 105; these are others.
`SOCML_CAPTURES` names a folder of real captures, laid out as `benchmarks.daily_moved.CAPTURES` says. `python -m
benchmarks.daily 301 308` measures some cases only, so that several processes share the work: what was measured of a case
is kept in `workspace/results-daily/` and is taken from there as long as the code and the recipes are the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.daily_labels import Days, after_labels, attacks_met
from benchmarks.daily_moved import measure_moved
from benchmarks.daily_simulator import beside_captures, leaks
from benchmarks.results import Figure, versions_of, write_results
from socml.evaluate import FoundAttacks, attack_rows, find_attacks
from socml.features import build_daily, build_features, load_row_truth
from socml.ingestion import ingest
from socml.jobs import DailyList, daily_list
from socml.models import DayScores, make_detector, numbered, rank_rows
from socml.project import Project, ScratchFolder, starter_root
from socml.simulator import simulate


@dataclass(frozen=True)
class Case:
    """One simulated organisation."""

    seed: int
    hosts: int
    days: int
    noise: bool
    scale: float = 1.0  # of the traffic of a host

    @property
    def name(self) -> str:
        """Return how the case stands in the table."""
        return f"{self.hosts} hosts × {self.days} days, {'with' if self.noise else 'without'} noise{self._less}, seed {self.seed}"

    @property
    def _less(self) -> str:
        return "" if self.scale == 1 else f", {self.scale:.0%} of the traffic of a host"


CASES = (
    *(Case(seed, 50, 10, True) for seed in (301, 302, 303, 304, 305)),
    Case(306, 50, 10, False),
    Case(307, 200, 6, True),
    Case(308, 500, 10, True, scale=0.4),
)
MOVED = (301, 302, 303)  # cases onto whose hosts captures and beacons are moved
OLD = "source-5min, isolation forest"
LARGEST_FOR_FOREST = 200  # hosts


KEPT = Path(__file__).resolve().parents[1] / "workspace" / "results-daily"
SOURCES = (  # what a list, and what it is made from, depends on
    *("features/daily-*.sql", "models/daily.toml", "socml/simulator/**/*.py", "socml/review/daily_learning.py"),
    *("socml/features/meanings.py", "socml/features/first_seen.py", "socml/features/entity_day_table.py"),
    *("socml/models/entity_surprise.py", "socml/models/signals.py"),
)


def main(seeds: Sequence[int]) -> None:
    """Measure the cases of some seeds that were not measured before, and write what is known of all after each."""
    versions = versions_of("socml", "duckdb", "scikit-learn", "numpy")
    identity = _identity()
    with ScratchFolder("daily") as folder:
        lab = Project(root=Path(folder) / "lab", workspace=Path(folder) / "workspace")
        _copy_recipes(lab.root)
        for case in CASES:
            if case.seed in seeds and read_measured(case, identity) is None:
                keep_measured(case, measure(case, lab, versions), identity)
                sys.stderr.write(f"{case.name}: done\n")
    write_known(identity, versions)


@dataclass
class Measured:
    """What was measured of one case: its figures, and what is summed over the cases.

    Attributes
    ----------
    kinds, found, old : attacks a kind: all, in the first 20 rows, in the first 20 of the former default
    without : family → attacks in the first 20 rows without it
    """

    figures: list[Figure] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    old: Counter[str] = field(default_factory=Counter)
    without: Counter[str] = field(default_factory=Counter)


def keep_measured(case: Case, measured: Measured, identity: str) -> None:
    """Keep what was measured of a case, for this and other processes."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = {**vars(measured), "figures": [asdict(figure) for figure in measured.figures]}
    (KEPT / f"{case.seed}-{identity}.json").write_text(json.dumps(kept), encoding="utf-8")


def read_measured(case: Case, identity: str) -> Measured | None:
    """Return what was measured of a case with this code and these recipes; None if nothing was."""
    path = KEPT / f"{case.seed}-{identity}.json"
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    counts = {name: Counter(kept[name]) for name in ("kinds", "found", "old", "without")}
    return Measured([Figure(**figure) for figure in kept["figures"]], **counts)


def write_known(identity: str, versions: dict[str, str]) -> None:
    """Write the table of all cases that were measured."""
    known = [measured for case in CASES if (measured := read_measured(case, identity))]
    if known:
        write([*totals(known, versions), *(figure for measured in known for figure in measured.figures)])


def totals(known: Sequence[Measured], versions: dict[str, str]) -> list[Figure]:
    """Return one figure for all attacks, one a kind and one a family left out, over all cases."""
    kinds, found, old, without = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for measured in known:
        for total, one in zip(
            (kinds, found, old, without), (measured.kinds, measured.found, measured.old, measured.without), strict=True
        ):
            total.update(one)
    n, all_found = kinds.total(), found.total()
    what = "attacks in the first 20 rows of their day"
    figures = [_figure("all cases", what, all_found, old.total(), n, versions)]
    what = "share of the attacks in the first 20 rows"
    figures.append(Figure("all cases", what, all_found / n, n=n, versions=versions))
    for kind in sorted(kinds):
        case = f"all cases, {kind}"
        figures.append(_figure(case, "attacks in the first 20 rows", found[kind], old[kind], kinds[kind], versions))
    for family, left in sorted(without.items()):
        what, peer = f"attacks in the first 20 rows without the family {family}", "with all families"
        figures.append(Figure("all cases", what, left, "attacks", peer, all_found, left / all_found, n, versions))
    return figures


def _identity() -> str:
    """Return a hash of the code and the recipes that the figures depend on."""
    root = Path(__file__).resolve().parents[1]
    paths = sorted(path for pattern in SOURCES for path in root.glob(pattern))
    return hashlib.blake2b(b"\0".join(path.read_bytes() for path in paths), digest_size=6).hexdigest()


def measure(case: Case, lab: Project, versions: dict[str, str]) -> Measured:
    """Return what is measured of one simulated organisation."""
    dataset = f"s{case.seed}"
    events = _make(case, dataset, lab)
    recipes = daily_recipes(lab)
    started = time.process_time()
    build_daily(recipes, dataset, project=lab)
    seconds = time.process_time() - started
    listed = daily_list(dataset, project=lab, labels={})
    truth = attack_rows(dataset, project=lab)
    old = _old_default(dataset, truth, lab)
    new, first_50 = find_attacks(listed.frame(), truth), find_attacks(listed.frame(), truth, rows=50)
    kind_of = dict(zip(truth["attack"], truth["family"], strict=True))
    measured = Measured(kinds=Counter(kind_of.values()), without=_ablation(listed, truth))
    for counter, of in ((measured.found, new), (measured.old, old)):
        counter.update(kind_of[attack] for attack, place in of.best.items() if 0 < place <= 20)
    n = len(new.best)
    figures = [
        _figure(
            case.name, f"attacks in the first {rows} rows of their day", new.within(rows), old.within(rows), n, versions
        )
        for rows in (20, 50)
    ]
    figures.append(
        Figure(
            case.name,
            "false rows in the first 20, a day",
            new.false_rows,
            "rows",
            OLD,
            old.false_rows,
            None,
            None,
            versions,
        )
    )
    figures.append(
        Figure(case.name, "false rows in the first 50, a day", first_50.false_rows, "rows", versions=versions)
    )
    figures.append(
        Figure(
            case.name,
            "events a CPU minute, all daily tables",
            60 * events / seconds,
            "events",
            n=events,
            versions=versions,
        )
    )
    figures += after_labels(case.name, Days.of(listed), truth, versions)
    if case.hosts <= LARGEST_FOR_FOREST:
        figures.append(attacks_met(case.name, dataset, lab, Days.of(listed), truth, versions))
    if case.seed in MOVED:
        figures += measure_moved(dataset, recipes, lab, case.seed, versions)
    if case is CASES[0]:
        figures += [*leaks(dataset, lab, versions), *beside_captures(dataset, lab, versions)]
    measured.figures = figures
    return measured


def daily_recipes(lab: Project) -> list[str]:
    """Return the feature sets of the daily list."""
    from socml.project import load_model_recipe

    return load_model_recipe("daily", lab).feature_sets


def _make(case: Case, dataset: str, lab: Project) -> int:
    """Simulate and ingest a case; return its number of events."""
    recipe = 'about = "simulated"\nyear = 2026\n[truth]\nfile = "truth.parquet"\nothers = "benign"\n'
    (lab.root / "datasets" / f"{dataset}.toml").write_text(recipe, encoding="utf-8")
    with ScratchFolder("logs") as logs:
        simulate(logs, seed=case.seed, hosts=case.hosts, days=case.days, noise=case.noise, scale=case.scale)
        return int(ingest([logs], dataset=dataset, project=lab).added)


def _old_default(dataset: str, truth: pd.DataFrame, lab: Project) -> FoundAttacks:
    """Return where attacks stand in the lists of 5-minute windows: a window counts only if it holds a malicious event."""
    features = build_features("source-5min", dataset, project=lab)
    normality = make_detector("source-forest", project=lab).fit(features).score_samples(features)
    malicious = load_row_truth(dataset, "source-5min", project=lab)["malicious"].reindex(features.index)
    rows = pd.DataFrame({"day": features["time"].dt.date, "entity": features["entity"], "normality": normality})
    rows["entity"] = rows["entity"].where(malicious.fillna(False).astype(bool).to_numpy(), "")
    rows["role"] = "source"
    rows = rows.sort_values("normality", kind="stable")
    rows["place"] = rows.groupby("day").cumcount() + 1
    return find_attacks(rows[["day", "role", "entity", "place"]], truth[truth["role"] == "source"])


def _ablation(listed: DailyList, truth: pd.DataFrame) -> Counter[str]:
    """Return the attacks found in 20 rows when each family says nothing."""
    found = Counter[str]()
    for f, family in enumerate(listed.days[0].scores.families):
        lists = []
        for ranked in listed.days:
            evidence = ranked.scores.evidence.copy()
            evidence[:, f] = 0.0
            lists.append(_placed(ranked.scores, rank_rows(evidence, numbered(ranked.scores.role))[1]))
        found[family] = find_attacks(pd.concat(lists), truth).within(20)
    return found


def _placed(scores: DayScores, score: np.ndarray) -> pd.DataFrame:
    order = np.argsort(-score, kind="stable")
    order = order[score[order] > 0]
    columns = {"day": [scores.day] * len(order), "role": scores.role[order], "entity": scores.entity[order]}
    return pd.DataFrame({**columns, "place": np.arange(1, len(order) + 1)})


def _figure(case: str, measure: str, value: int, peer: int, n: int, versions: dict[str, str]) -> Figure:
    return Figure(case, measure, value, "attacks", OLD, peer, value / peer if peer else None, n, versions)


def write(figures: list[Figure]) -> None:
    """Write the table of what was measured so far."""
    write_results(
        "results-daily",
        "The daily list",
        "Attacks (campaigns, not rows) that stand within the first rows of a day on which they go on, on simulated "
        "organisations on whose seeds no constant was chosen. With noise: private destinations, programs and uploads, "
        "unanswered connections, the internet's probes and guesses, many user agents, changes of role and service, a holiday. The peer is the former default: "
        "5-minute windows of a source, one isolation forest, the windows of each day by its score.",
        figures,
        notes=[
            "an attack shows in the row of its source, of an account that it entered, or, if more than three outside "
            "sources take part on one day, of the machine that it was aimed at.",
            "captures and beacons: each is moved onto a host of its own on the last day, and ranked as if it alone were there; "
            "of RITA, four sub-scores written anew here after what is known of them, not checked against its code, all pairs of the day in one list.",
            "a single column: its AUROC over events of the same kind, all benign ones of the case beside the attack's; a word "
            "counts by its share of malicious events in the same data.",
            "all cases come from one simulator: it knows these kinds of attacks and this kind of noise, and no others.",
            "learning: an oracle labels the first 20 rows of each of the first three days; attacks that it saw are left "
            "out of what is counted on the later days. With wrong answers: the mean of three oracles.",
        ],
    )


def _copy_recipes(root: Path) -> None:
    import shutil

    for folder in ("datasets", "features", "models", "experiments"):
        shutil.copytree(starter_root() / folder, root / folder)
    shutil.copy(starter_root() / "socml.toml", root)


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [case.seed for case in CASES])
