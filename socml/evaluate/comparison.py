"""Two scoring runs → their metrics side by side, how alike their orders are, and the rows that moved most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from socml.evaluate.metrics.chosen import chosen_metrics
from socml.evaluate.metrics.daily import microseconds
from socml.evaluate.metrics.intervals import paired_bootstrap
from socml.evaluate.metrics.ranking import number_of, ranking_metrics, truth_of_rows
from socml.project import DataError, Project, Run, SocmlError, find_project, html_text

if TYPE_CHECKING:
    import pandas as pd

TOPS = (10, 100, 1000)


@dataclass(frozen=True)
class RunComparison:
    """Two runs over the same rows.

    Attributes
    ----------
    a, b : what run.json says of each, and the run ids
    rows : rows that both have
    metrics : one dict a metric: metric, a, b, difference (b - a), low and high (95 %, bootstrap over entities, or rows
        where there are fewer than ten); empty without ground truth
    rank_correlation : Spearman's, -1 to 1
    overlap : rows at the top → share of them that are at the top of both, 0 to 1
    moved : DataFrame, the rows that moved most: row_id, time, entity, rank_a, rank_b, times (rank of the one over that
        of the other, so that the top counts most), malicious (True, False, None)
    """

    a: dict[str, object]
    b: dict[str, object]
    rows: int
    metrics: list[dict[str, object]]
    rank_correlation: float
    overlap: dict[int, float]
    moved: pd.DataFrame = field(repr=False)
    notices: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        moved = self.moved.astype(object).where(self.moved.notna(), None).to_dict("records")
        names = ("a", "b", "rows", "metrics", "rank_correlation", "overlap", "notices")
        return {**{name: getattr(self, name) for name in names}, "moved": moved}

    def _repr_html_(self) -> str:
        import pandas as pd

        a, b = (html_text(run["model_version"]) for run in (self.a, self.b))
        return f"<b>{a} and {b}</b>{pd.DataFrame(self.metrics).to_html()}{self.moved.to_html()}"


def compare(
    a: str,
    b: str,
    *,
    metrics: Sequence[str] = (),
    judged_by: Literal["truth", "analysts"] = "truth",
    project: Project | None = None,
    moved: int = 10,
    replicates: int = 200,
    seed: int = 0,
) -> RunComparison:
    """Compare two scoring runs over the rows that both have.

    Ranks are among those rows. The truth is the one the dataset has now; where it has none, or `judged_by` is
    "analysts", the current labels of analysts are. Where a run's model was taught with it,
    its figures flatter, and a notice says so.

    Parameters
    ----------
    metrics : names of more metrics of the order (`socml.evaluate.measure`), without an interval
    moved : rows to list

    Raises
    ------
    UnknownName, DataError
        If there is no such run, they are of two datasets, or share no row.
    RecipeError
        If there is no such metric.
    """
    from socml.models import load_scores

    project = project or find_project()
    first, second = load_scores(a, project=project), load_scores(b, project=project)
    runs = [scores.attrs["socml"] for scores in (first, second)]
    shared, notices = _shared_rows(runs, (first, second))
    here = [scores.loc[shared] for scores in (first, second)]
    known, by_labels = _known(runs[0], shared, project, judged_by)
    judged = not np.isnan(known).all()
    if judged and by_labels:
        notices.append("Judged by labels of analysts: rows that they looked at, and no sample of all.")
    elif judged:
        notices += _taught_notices(runs, project)
    tied = tuple(scores["anomaly_score"].rank(method="min", ascending=False).to_numpy() for scores in here)
    entity = here[0]["entity"].astype(object).fillna("").astype(str).to_numpy()
    groups = np.where(entity == "", shared.to_numpy().astype(str), entity)
    measured = _metrics((tied[0], tied[1]), known, groups, replicates, seed)
    measured += _more_metrics(metrics, (tied[0], tied[1]), known, here[0]["time"], notices) if judged else []
    ranks = [scores["rank"].rank(method="first").to_numpy().astype(np.int64) for scores in here]
    return RunComparison(
        a=runs[0],
        b=runs[1],
        rows=len(shared),
        metrics=measured,
        rank_correlation=_spearman(tied[0], tied[1]),
        overlap={k: float(((ranks[0] <= k) & (ranks[1] <= k)).sum() / k) for k in TOPS if k <= len(shared)},
        moved=_moved(here[0], ranks, known, moved),
        notices=notices,
    )


def _shared_rows(runs: list[Run], scores: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.Index, list[str]]:
    """Return the rows that both runs have, and what is to be said of those that only one has."""
    shared = scores[0].index.intersection(scores[1].index, sort=False)
    # the same host and hour has the same id in two datasets, and is another row
    if shared.empty or runs[0]["dataset"] != runs[1]["dataset"]:
        named = " and ".join(f"{run['run_id']} of {run['dataset']} by {run['feature_set']}" for run in runs)
        raise DataError(f"The runs share no row: {named}. Rows are the same only in one dataset and feature set.")
    return shared, [
        f"Run {run['run_id']} has {len(own) - len(shared):,} rows that the other has not: they are left out."
        for run, own in zip(runs, scores, strict=True)
        if len(own) > len(shared)
    ]


def _known(
    run: Run, rows: pd.Index, project: Project, judged_by: Literal["truth", "analysts"]
) -> tuple[np.ndarray, bool]:
    """Return what is known of the rows, NaN where nothing is, and whether analysts said it."""
    from socml.features import load_row_truth
    from socml.labels import read_labels
    from socml.models import training_labels_from_labels

    truth = load_row_truth(run["dataset"], run["feature_set"], project=project)
    if judged_by == "truth" and len(truth):
        return truth_of_rows(truth, rows), False
    labels = read_labels(dataset=run["dataset"], project=project)
    return training_labels_from_labels(labels, rows).malicious, True


def _more_metrics(
    names: Sequence[str], orders: tuple[np.ndarray, np.ndarray], known: np.ndarray, time: pd.Series, notices: list[str]
) -> list[dict[str, object]]:
    """Return the lines of further metrics; one that cannot be measured is a notice."""
    (a, absent), (b, _) = (chosen_metrics(names, order, known, time_us=microseconds(time)) for order in orders)
    notices += [f"{name} is not measured: {why}." for name, why in absent.items()]
    return [
        {"metric": name, "a": a[name], "b": b[name], "difference": b[name] - a[name], "low": None, "high": None}
        for name in a
        if name in b
    ]


def _taught_notices(runs: list[Run], project: Project) -> list[str]:
    from socml.models import has_seen_truth, load_model

    notices = []
    for run in runs:
        name, _, number = run["model_version"].rpartition("/")
        try:
            if has_seen_truth(load_model(name, number, project=project), run["dataset"]):
                notices.append(f"{run['model_version']} was taught with this truth: its figures flatter.")
        except SocmlError:  # an online model, or a run that outlived its model
            continue
    return notices


def _metrics(
    orders: tuple[np.ndarray, np.ndarray], known: np.ndarray, groups: np.ndarray, replicates: int, seed: int
) -> list[dict[str, object]]:
    if np.isnan(known).all():
        return []
    a, b = (ranking_metrics(order, known) for order in orders)
    intervals = paired_bootstrap(orders, known, rng=np.random.default_rng(seed), groups=groups, replicates=replicates)
    names = ("average_precision", "auroc", "precision_at_10", "precision_at_100")
    return [
        {
            "metric": name,
            "a": a[name],
            "b": b[name],
            "difference": number_of(b, name) - number_of(a, name),
            "low": intervals[name][0] if name in intervals else None,
            "high": intervals[name][1] if name in intervals else None,
        }
        for name in names
        if name in a and name in b
    ]


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import rankdata

    one, other = rankdata(a), rankdata(b)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _moved(scores: pd.DataFrame, ranks: list[np.ndarray], known: np.ndarray, limit: int) -> pd.DataFrame:
    import pandas as pd

    times = np.maximum(ranks[0], ranks[1]) / np.minimum(ranks[0], ranks[1])
    first = np.argsort(-times, kind="stable")[:limit]
    labels = [None if np.isnan(k) else bool(k) for k in known[first]]
    return pd.DataFrame(
        {
            "row_id": scores.index.to_numpy()[first],
            "time": scores["time"].to_numpy()[first],
            "entity": scores["entity"].to_numpy(dtype=object)[first],
            "rank_a": ranks[0][first],
            "rank_b": ranks[1][first],
            "times": times[first],
            "malicious": pd.Series(labels, dtype=object),
        }
    )
