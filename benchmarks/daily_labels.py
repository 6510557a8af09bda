"""An oracle's labels of three days → what the daily list shows on the days after, and how many attacks a label meets."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Figure
from socml.evaluate import find_attacks
from socml.features import EntityDay, build_features, entity_days, load_row_truth
from socml.jobs import Judged, Listing, Ranker
from socml.models import make_detector
from socml.project import Project
from socml.review import FeedbackRanking

UNLABELLED = "the same list without labels"
FOREST = "source-5min, forest that learns from each verdict"
LABELLED_DAYS, LABELS_A_DAY, WRONG, ORACLES = 3, 20, 0.1, 3


@dataclass(frozen=True)
class Days:
    """The rows of a dataset's days, to rank them again and again without reading them."""

    listing: Listing
    rows: tuple[EntityDay, ...]

    @classmethod
    def of(cls, listing: Listing) -> Days:
        """Return the days of a list."""
        return cls(listing, tuple(entity_days(listing.tables)))

    def ranked(self, labels: Mapping[str, bool]) -> pd.DataFrame:
        """Return the list of all days as some labels make it."""
        ranker, judged = Ranker(self.listing.columns, self.listing.context), Judged(labels)
        return pd.concat([ranker.rank(rows, judged).frame() for rows in self.rows], ignore_index=True)


def after_labels(case: str, days: Days, truth: pd.DataFrame, versions: dict[str, str]) -> list[Figure]:
    """Return what the list shows on the days after three days on which an oracle labelled its first 20 rows."""
    figures = []
    later = [rows.day for rows in days.rows[LABELLED_DAYS:]]
    unlabelled = days.ranked({})
    for wrong, oracles in ((0.0, 1), (WRONG, ORACLES)):
        found: list[int] = []
        above: list[float] = []
        before: list[int] = []
        above_before: list[float] = []
        n = 0
        for seed in range(oracles):
            labels, known = _labels(days, truth, wrong, np.random.default_rng(seed))
            rest = truth[~truth["attack"].isin(known)]
            learned = days.ranked(labels)
            for lists, hits, false in ((learned, found, above), (unlabelled, before, above_before)):
                hits.append(find_attacks(lists, rest, days=later).within(20))
                false.append(_false_rows_above(lists, truth, rest, later))
            n = len(set(rest[rest["day"].isin(later)]["attack"]))
        what = f"after {LABELLED_DAYS} days of {LABELS_A_DAY} labels"
        what += f", {wrong:.0%} of them wrong" if wrong else ""
        for measure, unit, values, peers in (
            (f"{what}: new attacks in 20 rows, later days", "attacks", found, before),
            (f"{what}: fewest beyond those of the list without labels", "attacks", None, None),
            (f"{what}: false rows above an attack, mean", "rows", above, above_before),
        ):
            if values is None or peers is None:
                least = min(a - b for a, b in zip(found, before, strict=True))
                figures.append(Figure(case, measure, least, unit, n=n, versions=versions))
                continue
            mean, peer = float(np.mean(values)), float(np.mean(peers))
            ratio = mean / peer if peer and unit == "rows" else None
            figures.append(Figure(case, measure, mean, unit, UNLABELLED, peer, ratio, n, versions))
    return figures


def _labels(
    days: Days, truth: pd.DataFrame, wrong: float, rng: np.random.Generator
) -> tuple[dict[str, bool], set[str]]:
    """Return an oracle's labels of the first rows of the first days, each day's list made with the labels before it."""
    by_row: dict[tuple[date, str, str], set[str]] = {}
    row: Any
    for row in truth.itertuples(index=False):
        by_row.setdefault((row.day, row.role, row.entity), set()).add(str(row.attack))
    labels: dict[str, bool] = {}
    known: set[str] = set()
    ranker = Ranker(days.listing.columns, days.listing.context)
    for rows in days.rows[:LABELLED_DAYS]:
        first = copy.deepcopy(ranker).rank(rows, Judged(labels)).frame().head(LABELS_A_DAY)
        for row in first.itertuples(index=False):
            attacks = by_row.get((row.day, row.role.split(" ")[0], row.entity), set())
            known |= attacks
            labels[row.row_id] = bool(attacks) != bool(rng.random() < wrong)
        ranker.rank(rows, Judged(labels))
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


def attacks_met(
    case: str, dataset: str, lab: Project, days: Days, truth: pd.DataFrame, versions: dict[str, str]
) -> Figure:
    """Return how many different attacks an oracle meets in its labels of three days, on the list and beside the forest."""
    _, met = _labels(days, truth, 0.0, np.random.default_rng(0))
    n = LABELLED_DAYS * LABELS_A_DAY
    forest = len(_met_by_forest(dataset, lab, n, set(_first_days(truth)[:LABELLED_DAYS])))
    value, peer = len(met) / n, forest / n
    return Figure(case, "attacks met a label, first three days", value, "", FOREST, peer, None, n, versions)


def _first_days(truth: pd.DataFrame) -> list[date]:
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
    labelled: list[int] = []
    score = ranking.learn([], [])
    for _ in range(labels):
        left = score.copy()
        left[labelled] = -np.inf
        labelled.append(int(left.argmax()))
        score = ranking.learn(labelled, np.where(bad[labelled], 1, -1))
    entities = features["entity"].tolist()
    return {f"{families[row]} {entities[row]}" for row in labelled if bad[row]}
