"""Simulated organisations that no constant was chosen on → docs/results/results-daily: attacks in a day's first rows.

Run it with `make results-daily`. Constants of the list were chosen on the seeds 101 to 105; these are others.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.daily_moved import measure_moved
from benchmarks.daily_simulator import beside_captures, leaks
from benchmarks.results import Figure, versions_of, write_results
from socml.evaluate import attack_rows, find_attacks
from socml.features import build_daily, build_features, load_row_truth
from socml.ingestion import ingest
from socml.jobs import DailyList, daily_list
from socml.models import fuse, make_detector
from socml.project import Project, starter_root
from socml.review import FeedbackRanking
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
UNLABELLED = "the same list without labels"
FOREST = "source-5min, forest that learns from each verdict"
LARGEST_FOR_FOREST = 200  # hosts
LABELLED_DAYS, LABELS_A_DAY, WRONG, ORACLES = 3, 20, 0.1, 3


def main() -> None:
    """Measure every case and write what came out after each."""
    versions = versions_of("socml", "duckdb", "scikit-learn", "numpy")
    figures: list[Figure] = []
    totals = Totals()
    with tempfile.TemporaryDirectory(prefix="socml-daily-") as folder:
        lab = Project(root=Path(folder) / "lab", workspace=Path(folder) / "workspace")
        _copy_recipes(lab.root)
        for case in CASES:
            figures += measure(case, lab, totals, versions)
            if case.seed in MOVED:
                figures += measure_moved(f"s{case.seed}", daily_recipes(lab), lab, case.seed, versions)
            if case is CASES[0]:
                figures += [*leaks("s301", lab, versions), *beside_captures("s301", lab, versions)]
            write([*totals.figures(versions), *figures])
            sys.stderr.write(f"{case.name}: done\n")


@dataclass
class Totals:
    """What is summed over the cases."""

    kinds: Counter[str]
    found: Counter[str]
    old: Counter[str]
    without: dict[str, int]

    def __init__(self) -> None:
        self.kinds, self.found, self.old, self.without = Counter(), Counter(), Counter(), {}

    def figures(self, versions: dict[str, str]) -> list[Figure]:
        """Return one figure for all attacks, one a kind and one a family left out."""
        n, found = self.kinds.total(), self.found.total()
        figures = [
            _figure("all cases", "attacks in the first 20 rows of their day", found, self.old.total(), n, versions)
        ]
        figures.append(
            Figure("all cases", "share of the attacks in the first 20 rows", found / n, n=n, versions=versions)
        )
        for kind in sorted(self.kinds):
            case, peer = f"all cases, {kind}", self.old[kind]
            figures.append(
                _figure(case, "attacks in the first 20 rows", self.found[kind], peer, self.kinds[kind], versions)
            )
        for family, left in sorted(self.without.items()):
            what = f"attacks in the first 20 rows without the family {family}"
            figures.append(
                Figure("all cases", what, left, "attacks", "with all families", found, left / found, n, versions)
            )
        return figures


def measure(case: Case, lab: Project, totals: Totals, versions: dict[str, str]) -> list[Figure]:
    """Return the figures of one simulated organisation."""
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
    totals.kinds.update(kind_of.values())
    totals.found.update(kind_of[attack] for attack, place in new.best.items() if 0 < place <= 20)
    totals.old.update(kind_of[attack] for attack, place in old.best.items() if 0 < place <= 20)
    for family, left in _ablation(listed, truth).items():
        totals.without[family] = totals.without.get(family, 0) + left
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
    figures += _learning(case, dataset, lab, listed, truth, versions)
    if case.hosts <= LARGEST_FOR_FOREST:
        figures.append(_attacks_per_label(case, dataset, lab, truth, versions))
    return figures


def _attacks_per_label(case: Case, dataset: str, lab: Project, truth: pd.DataFrame, versions: dict[str, str]) -> Figure:
    """Return how many different attacks an oracle meets in its labels of three days, on the list and beside the forest."""
    _, met = _labels(dataset, lab, truth, 0.0, np.random.default_rng(0))
    n = LABELLED_DAYS * LABELS_A_DAY
    forest = len(_met_by_forest(dataset, lab, n, set(listed_days(truth)[:LABELLED_DAYS])))
    value, peer = len(met) / n, forest / n
    return Figure(case.name, "attacks met a label, first three days", value, "", FOREST, peer, None, n, versions)


def listed_days(truth: pd.DataFrame) -> list[date]:
    """Return the days of a case, all of which have an attack or lie before one that has."""
    first = min(truth["day"])
    begin = date(first.year, first.month, 2)
    return [begin + timedelta(days=n) for n in range(LABELLED_DAYS)]


def _met_by_forest(dataset: str, lab: Project, labels: int, days: set[date]) -> set[str]:
    """Return the attacks in the windows that the forest's ranking, learning from each verdict, puts before an oracle."""
    features = build_features("source-5min", dataset, project=lab)
    features = features[features["time"].dt.date.isin(days)]
    pipeline = make_detector("source-forest", project=lab).fit(features)
    matrix = pipeline.named_steps["preparation"].transform(features)
    leaves = pipeline.named_steps["detector"].leaves(matrix)
    ranking = FeedbackRanking(leaves, -pipeline.score_samples(features))
    malicious = load_row_truth(dataset, "source-5min", project=lab).reindex(features.index)
    families = malicious["family"].fillna("").tolist()
    bad = malicious["malicious"].fillna(False).astype(bool).to_numpy()
    asked: list[int] = []
    score = ranking.learn([], [])
    for _ in range(labels):
        left = score.copy()
        left[asked] = -np.inf
        asked.append(int(left.argmax()))
        score = ranking.learn(asked, np.where(bad[asked], 1, -1))
    entities = features["entity"].tolist()
    return {f"{families[row]} {entities[row]}" for row in asked if bad[row]}


def daily_recipes(lab: Project) -> list[str]:
    """Return the feature sets of the daily list."""
    from socml.project import load_model_recipe

    return load_model_recipe("daily", lab).feature_sets


def _make(case: Case, dataset: str, lab: Project) -> int:
    """Simulate and ingest a case; return its number of events."""
    recipe = 'about = "simulated"\nyear = 2026\n[truth]\nfile = "truth.parquet"\nothers = "benign"\n'
    (lab.root / "datasets" / f"{dataset}.toml").write_text(recipe, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="socml-logs-") as logs:
        simulate(logs, seed=case.seed, hosts=case.hosts, days=case.days, noise=case.noise, scale=case.scale)
        return int(ingest([logs], dataset=dataset, project=lab).added)


def _old_default(dataset: str, truth: pd.DataFrame, lab: Project):
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


def _ablation(listed: DailyList, truth: pd.DataFrame) -> dict[str, int]:
    """Return the attacks found in 20 rows when each family says nothing."""
    found = {}
    for f, family in enumerate(listed.days[0].scores.families):
        lists = []
        for ranked in listed.days:
            evidence = ranked.scores.evidence.copy()
            evidence[:, f] = 0.0
            lists.append(_placed(ranked.scores, fuse(evidence)[1]))
        found[family] = find_attacks(pd.concat(lists), truth).within(20)
    return found


def _placed(scores, score: np.ndarray) -> pd.DataFrame:
    order = np.argsort(-score, kind="stable")
    order = order[score[order] > 0]
    columns = {"day": [scores.day] * len(order), "role": scores.role[order], "entity": scores.entity[order]}
    return pd.DataFrame({**columns, "place": np.arange(1, len(order) + 1)})


def _learning(
    case: Case, dataset: str, lab: Project, listed: DailyList, truth: pd.DataFrame, versions: dict[str, str]
) -> list[Figure]:
    """Return what the list shows on the days after three days on which an oracle labelled its first 20 rows."""
    figures = []
    later = [ranked.day for ranked in listed.days[LABELLED_DAYS:]]
    for wrong, oracles in ((0.0, 1), (WRONG, ORACLES)):
        found, above, before, above_before, n = [], [], [], [], 0
        for seed in range(oracles):
            labels, known = _labels(dataset, lab, truth, wrong, np.random.default_rng(seed))
            rest = truth[~truth["attack"].isin(known)]
            learned = daily_list(dataset, project=lab, labels=labels).frame()
            for lists, hits, false in ((learned, found, above), (listed.frame(), before, above_before)):
                hits.append(find_attacks(lists, rest, days=later).within(20))
                false.append(_false_rows_above(lists, truth, rest, later))
            n = len(set(rest[rest["day"].isin(later)]["attack"]))
        what = f"after {LABELLED_DAYS} days of {LABELS_A_DAY} labels" + (
            f", {wrong:.0%} of them wrong" if wrong else ""
        )
        mean, peer = float(np.mean(found)), float(np.mean(before))
        figures.append(
            Figure(
                case.name,
                f"{what}: new attacks in 20 rows, later days",
                mean,
                "attacks",
                UNLABELLED,
                peer,
                None,
                n,
                versions,
            )
        )
        mean, peer = float(np.mean(above)), float(np.mean(above_before))
        ratio = mean / peer if peer else None
        figures.append(
            Figure(
                case.name,
                f"{what}: false rows above an attack, mean",
                mean,
                "rows",
                UNLABELLED,
                peer,
                ratio,
                n,
                versions,
            )
        )
    return figures


def _labels(
    dataset: str, lab: Project, truth: pd.DataFrame, wrong: float, rng: np.random.Generator
) -> tuple[dict[str, bool], set[str]]:
    """Return an oracle's labels of the first rows of the first days, each day's list made with the labels before it."""
    by_row: dict[tuple[date, str, str], set[str]] = {}
    for row in truth.itertuples(index=False):
        by_row.setdefault((row.day, row.role, row.entity), set()).add(str(row.attack))
    labels: dict[str, bool] = {}
    known: set[str] = set()
    for at in range(LABELLED_DAYS):
        first = daily_list(dataset, project=lab, labels=labels).days[at].frame().head(LABELS_A_DAY)
        for row in first.itertuples(index=False):
            attacks = by_row.get((row.day, row.role.split(" ")[0], row.entity), set())
            known |= attacks
            labels[row.row_id] = bool(attacks) != bool(rng.random() < wrong)
    return labels, known


def _false_rows_above(lists: pd.DataFrame, truth: pd.DataFrame, rest: pd.DataFrame, days: Sequence[date]) -> float:
    """Return the mean over attacks of the false rows above the best row of each, 100 at most and where it is not listed."""
    keyed = lists[lists["day"].isin(days)].assign(role=lambda rows: rows["role"].str.split(" ").str[0])
    true_rows = pd.MultiIndex.from_frame(truth[["day", "role", "entity"]])
    keyed["false"] = ~pd.MultiIndex.from_frame(keyed[["day", "role", "entity"]]).isin(true_rows)
    keyed["above"] = keyed.sort_values("place").groupby("day")["false"].cumsum()
    best = keyed.merge(rest, on=["day", "role", "entity"]).groupby("attack")["above"].min().clip(upper=100)
    wanted = sorted(set(rest[rest["day"].isin(days)]["attack"]))
    return float(np.mean([best.get(attack, 100) for attack in wanted])) if wanted else 0.0


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
            "of RITA, four sub-scores as its documentation describes them, written anew here, all pairs of the day in one list.",
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
    main()
