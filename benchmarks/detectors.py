"""Labelled tables → how well each detector ranks what is malicious → docs/results/results-detectors.

Run it with `make results-detectors`. It reads the datasets beside the checkout (`SOCML_SHARED` names another place).
Every detector is fitted on the rows it scores, as the field does; ours score them inductively.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.combining import RULES, by_nearest_tables, traits
from benchmarks.detector_cases import Case, cases
from benchmarks.protocol import compare, leave_one_group_out
from benchmarks.results import Figure, versions_of, write_results
from socml.detectors._spikes import Spikes
from socml.detectors._tail_scale import normal_score, surprise
from socml.detectors.ensemble import SPIKE
from socml.evaluate import number_of, ranking_metrics
from socml.features import Preparation
from socml.project import component

SEEDS = 3
MEASURES = ("average_precision", "auroc", "precision_at_100")
DEFAULT = "ensemble"
FOREST = "scikit-learn IsolationForest"
LARGEST_LOSS = 0.05  # of average precision on a table, against scikit-learn's forest
MOST_ROWS = 100_000  # of a case: more are drawn anew for each seed
MOST_OTHERS = 20_000  # rows up to which our other detectors are measured; they are, for the first seed
LOGO = f"{DEFAULT}, leave-one-group-out"
# What the default's weights are chosen among, those nearest to the forest first; the members are fitted once.
MEMBERS: dict[str, dict[str, Any]] = {
    "isolation-forest": {"n_estimators": 200},
    "ecod": {},
    "knn": {},
    "robust-covariance": {},
}
CANDIDATES = {
    "forest alone": (1, 0, 0, 0),
    "forest 8, knn 1, covariance 1": (8, 0, 1, 1),
    "forest 4, covariance 1": (4, 0, 0, 1),
    "forest 7, ecod 1, knn 1, covariance 1": (7, 1, 1, 1),
    "forest 6, knn 2, covariance 2": (6, 0, 2, 2),
    "forest 5, ecod 1, knn 2, covariance 2": (5, 1, 2, 2),
    "all alike": (1, 1, 1, 1),
}
OURS = (
    "ensemble ecod copod hbos loda knn local-outlier pca robust-covariance one-class-svm rarity robust-z autoencoder "
    "isolation-forest"
).split()

Ranked = dict[str, dict[str, float]]  # detector → measure → mean over the seeds
Runs = dict[str, list[dict[str, float]]]  # detector → for each seed, measure → value


def main() -> None:
    """Rank every case with every detector and write what came out."""
    warnings.filterwarnings("ignore")
    versions = versions_of("socml", "scikit-learn", "pyod", "numpy")
    figures: list[Figure] = []
    runs: dict[str, Runs] = {}
    found: dict[str, Ranked] = {}
    known: dict[str, np.ndarray] = {}
    for case in cases():
        runs[case.name], rows, rate, known[case.name] = rank(case)
        found[case.name] = means_of(runs[case.name])
        figures.append(Figure(case.name, "anomaly rate", rate, "share", n=rows, versions=versions))
        figures += beside_peers(case.name, found[case.name], rows, versions)
        figures += others(case.name, found[case.name], rows, versions)
        sys.stderr.write(f"{case.name}: {found[case.name][DEFAULT]['average_precision']:.3f}\n")
    path = write_results(
        "results-detectors",
        "Detectors on labelled tables",
        f"What `{DEFAULT}`, the default detector, and its peers put first, mean of {SEEDS} seeds (of the detector, and of "
        "the attacks drawn where they are subsampled). All read the same matrix, the one that `Preparation` makes; peers "
        "keep their own defaults. Judge by average precision and precision at 100, beside the anomaly rate.",
        [*chosen_elsewhere(runs, known, versions), *summary(found, versions), *figures],
        notes=[
            "Leave-one-group-out: of the candidates that lose fewest tables of all other groups by more than .05, the one nearest to the forest "
            "that is within two standard errors of the best in the mean of them (benchmarks/protocol.py). `low` and `high` are a 95 % interval of the mean difference, tables and seeds drawn anew; "
            "the sign test is two-sided, over tables.",
            f"Tables of more than {MOST_ROWS:,} rows: as many, drawn anew for each seed. Our other detectors: the first seed, tables "
            f"of at most {MOST_OTHERS:,} rows.",
            "Fitted on the rows that are scored, without their labels. Attacks of named shares are drawn anew for each seed.",
            "Sequences are counted into a table of event types for all detectors but `markov`, which reads them as they are.",
            "HTTP parameters are counts of kinds of character for all detectors but `markov`, which reads the characters.",
            "HDFS sequences have no labelled normal test set beside the checkout, and are absent.",
            "The rows `all tables` are of the one default that ships; its members, the bounds of a dull column and of a spike were "
            "chosen on these tables: their means are not those of new data.",
        ],
    )
    sys.stdout.write(path.read_text(encoding="utf-8"))


def peers() -> dict[str, Callable[[int], Any]]:
    """Return what makes each peer for a seed; PyOD's keep their training scores, which are then the ones ranked."""
    from pyod.models.copod import COPOD
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.inne import INNE
    from pyod.models.knn import KNN
    from sklearn.ensemble import IsolationForest

    return {
        FOREST: lambda seed: IsolationForest(random_state=seed),
        "PyOD ECOD": lambda seed: ECOD(),
        "PyOD COPOD": lambda seed: COPOD(),
        "PyOD HBOS": lambda seed: HBOS(),
        "PyOD KNN": lambda seed: KNN(),
        "PyOD INNE": lambda seed: INNE(random_state=seed),
    }


def rank(case: Case) -> tuple[Runs, int, float, np.ndarray]:
    """Return how well each detector ranks a case, seed by seed, its rows, its anomaly rate and its traits."""
    runs: Runs = {}
    table, malicious = case.load()
    for seed in range(SEEDS):
        rows = case.rows(seed)
        if len(rows) > MOST_ROWS:
            rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
        truth = malicious[rows].astype(np.float64)
        matrix = Preparation().fit(table.iloc[rows]).transform(table.iloc[rows])
        for name, make in peers().items():
            runs.setdefault(name, []).append(measured(anomaly(make(seed).fit(matrix), matrix), truth))
        for name, scores in candidates(matrix, seed).items():
            runs.setdefault(name, []).append(measured(scores, truth))
        others = OURS if not seed and len(rows) <= MOST_OTHERS else (DEFAULT,)
        for name in others:
            runs.setdefault(name, []).append(measured(-own(name, seed).fit(matrix).score_samples(matrix), truth))
        if case.sequences is not None:
            lines = case.sequences()
            taken = [lines[row] for row in rows]
            markov = component("detectors", "markov")(tokens=case.tokens).fit(taken)
            runs.setdefault("markov", []).append(measured(-markov.score_samples(taken), truth))
    return runs, len(rows), float(truth.mean()), traits(matrix)


def means_of(runs: Runs) -> Ranked:
    """Return the means over the seeds."""
    return {name: {m: float(np.mean([run[m] for run in each])) for m in each[0]} for name, each in runs.items()}


def candidates(matrix: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return the anomaly scores of each candidate for the default: the same fitted members, combined otherwise."""
    fitted = component("detectors", DEFAULT)(members=MEMBERS, random_state=seed).fit(matrix)
    read, each = matrix[:, fitted.columns_], zip(fitted.members_, fitted.scales_, strict=True)
    places = np.array([normal_score(surprise(scale, -member.score_samples(read))) for member, scale in each])
    times = Spikes(fitted.middle_, fitted.down_, fitted.up_).times(read).max(axis=1)
    spikes = np.where(times > 0, SPIKE + np.log1p(times), 0.0)
    weighed = {name: np.array(weights, float) @ places / sum(weights) for name, weights in CANDIDATES.items()}
    ruled = {name: rule(places, read) for name, rule in RULES.items()}
    return {name: scores + spikes for name, scores in {**weighed, **ruled}.items()}


def worth(own: float, forest: float) -> float:
    """Return what a candidate is chosen by: its average precision, and a table lost weighs more than any gain."""
    return own - float(own < forest - LARGEST_LOSS)


def chosen_elsewhere(runs: dict[str, Runs], known: dict[str, np.ndarray], versions: dict[str, str]) -> list[Figure]:
    """Return the default's mean average precision by leave-one-group-out, beside each peer, and what was chosen."""
    measure, tables = "average_precision", len(runs)
    means = {case: means_of(of) for case, of in runs.items()}
    every = (*CANDIDATES, *RULES)
    worths = {
        case: {name: worth(of[name][measure], of[FOREST][measure]) for name in every} for case, of in means.items()
    }
    chosen = leave_one_group_out(worths, errors=2.0)
    ours = [[run[measure] for run in runs[case][chosen[case]]] for case in runs]
    value = float(np.mean([np.mean(of) for of in ours]))
    figures = []
    for peer in peers():
        theirs = [[run[measure] for run in runs[case][peer]] for case in runs]
        comparison = compare(ours, theirs)
        peer_value = float(np.mean([np.mean(of) for of in theirs]))
        figures += [
            compared(LOGO, "mean average precision", value, peer, peer_value, tables, versions),
            Figure(LOGO, "mean difference", comparison.mean, "", peer, n=tables, versions=versions),
            Figure(LOGO, "mean difference, low", comparison.low, "", peer, n=tables, versions=versions),
            Figure(LOGO, "mean difference, high", comparison.high, "", peer, n=tables, versions=versions),
            Figure(
                LOGO, "tables ahead", comparison.ahead, "tables", peer, comparison.behind, n=tables, versions=versions
            ),
            Figure(LOGO, "sign test", comparison.p, "p", peer, n=tables, versions=versions),
        ]
    figures += lost(LOGO, {case: means[case][chosen[case]][measure] for case in runs}, means, versions)
    for name in every:
        times = sum(picked == name for picked in chosen.values())
        figures += [
            *candidate(name, {case: of[name][measure] for case, of in means.items()}, means, versions),
            Figure("candidates", f"tables for which others chose {name}", times, "tables", n=tables, versions=versions),
        ]
    near = by_nearest_tables(worths, known)
    selected = {case: means[case][near[case]][measure] for case in runs}
    return [*figures, *candidate("what is best on the nearest tables, as MetaOD", selected, means, versions)]


def candidate(name: str, own: dict[str, float], means: dict[str, Ranked], versions: dict[str, str]) -> list[Figure]:
    """Return a candidate's mean, and on how many tables it loses to the forest."""
    below = sum(means[case][FOREST]["average_precision"] - value > LARGEST_LOSS for case, value in own.items())
    mean, tables = float(np.mean(list(own.values()))), len(own)
    return [
        Figure("candidates", f"mean average precision of {name}", mean, n=tables, versions=versions),
        Figure("candidates", f"tables lost by {name}", below, "tables", n=tables, versions=versions),
    ]


def lost(case: str, own: dict[str, float], means: dict[str, Ranked], versions: dict[str, str]) -> list[Figure]:
    """Return on how many tables ours loses to the forest, and the largest loss."""
    loss = {of: means[of][FOREST]["average_precision"] - value for of, value in own.items()}
    worst = max(loss, key=lambda of: loss[of])
    below, tables = sum(value > LARGEST_LOSS for value in loss.values()), len(own)
    return [
        Figure(case, f"tables more than {LARGEST_LOSS} below {FOREST}", below, "tables", n=tables, versions=versions),
        Figure(case, f"largest loss against {FOREST}: {worst}", loss[worst], n=tables, versions=versions),
    ]


def own(name: str, seed: int) -> Any:
    """Return one of our detectors with its defaults."""
    detector = component("detectors", name)()
    return detector.set_params(random_state=seed) if "random_state" in detector.get_params() else detector


def anomaly(fitted: Any, matrix: np.ndarray) -> np.ndarray:
    """Return a fitted peer's anomaly scores of the rows it was fitted on, higher is more anomalous."""
    if hasattr(fitted, "decision_scores_"):
        return np.asarray(fitted.decision_scores_)
    return -np.asarray(fitted.score_samples(matrix))


def measured(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the measures that the scores of a case allow."""
    metrics = ranking_metrics(-np.nan_to_num(scores), truth)
    return {measure: number_of(metrics, measure) for measure in MEASURES if measure in metrics}


def beside_peers(case: str, ranked: Ranked, rows: int, versions: dict[str, str]) -> list[Figure]:
    """Return the default's figures on a case, each beside every peer's."""
    return [
        compared(case, measure.replace("_", " "), value, peer, ranked[peer][measure], rows, versions)
        for measure, value in ranked[DEFAULT].items()
        for peer in peers()
    ]


def others(case: str, ranked: Ranked, rows: int, versions: dict[str, str]) -> list[Figure]:
    """Return the average precision of our other detectors on a case."""
    return [
        Figure(case, f"average precision of {name}", ranked[name]["average_precision"], n=rows, versions=versions)
        for name in (*OURS, "markov")
        if name in ranked and name != DEFAULT
    ]


def summary(found: dict[str, Ranked], versions: dict[str, str]) -> list[Figure]:
    """Return the means over all cases, the peers' beside, and the largest loss against scikit-learn's forest."""
    figures = []
    for measure in MEASURES:
        has = [ranked for ranked in found.values() if measure in ranked[DEFAULT]]
        mean = {name: float(np.mean([r[name][measure] for r in has if name in r])) for name in (*OURS, *peers())}
        label = f"mean {measure.replace('_', ' ')}"
        figures += [
            compared("all tables", label, mean[DEFAULT], peer, mean[peer], len(has), versions) for peer in peers()
        ]
        if measure == "average_precision":
            figures += [
                Figure(
                    "all tables",
                    f"{label} of {name}",
                    mean[name],
                    n=sum(name in ranked for ranked in has),
                    versions=versions,
                )
                for name in OURS
                if name != DEFAULT
            ]
    own = {case: ranked[DEFAULT]["average_precision"] for case, ranked in found.items()}
    return [*figures, *lost("all tables", own, found, versions)]


def compared(
    case: str, measure: str, value: float, peer: str, peer_value: float, rows: int, versions: dict[str, str]
) -> Figure:
    """Return one figure of the default beside one peer's."""
    return Figure(
        case, measure, value, "", peer, peer_value, value / peer_value if peer_value else None, rows, versions
    )


if __name__ == "__main__":
    main()
