"""Normal scores of several detectors → one score by rules published for combining without labels, to compare with.

Each is the rule in its smallest form, on the same members as the default detector's, not its authors' code.

References
----------
S. Rayana, L. Akoglu (2016), «Less is More: Building Selective Anomaly Ensembles», ACM TKDD 10, doi:10.1145/2890508.
Y. Zhao, Z. Nasrullah, M. Hryniewicki, Z. Li (2019), «LSCP: Locally Selective Combination in Parallel Outlier Ensembles»,
SDM. Y. Zhao, R. Rossi, L. Akoglu (2021), «Automatic Unsupervised Outlier Model Selection», NeurIPS 34.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol import group_of

Scores = NDArray[np.float64]  # (n_members, n_rows), higher is more anomalous
CLUSTERS, ROWS_A_CLUSTER = 20, 100
BEST = 3  # of the members, in a cluster
NEAREST = 5  # tables


def select(members: Scores, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add members to the mean as long as it comes nearer to the mean of all, rows at the top weighing most (SELECT)."""
    consensus = members.mean(axis=0)
    weights = 1.0 / (1.0 + np.argsort(np.argsort(-consensus)))
    start = int(np.argmax([_alike(one, consensus, weights) for one in members]))
    mean, used = members[start], 1
    rest = [one for at, one in enumerate(members) if at != start]
    while rest:
        one = rest.pop(int(np.argmax([_alike(one, mean, weights) for one in rest])))
        new = (mean * used + one) / (used + 1)
        if _alike(new, consensus, weights) > _alike(mean, consensus, weights):
            mean, used = new, used + 1
    return np.asarray(mean)


def agreement(members: Scores, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh each member by the square of its correlation with the others."""
    alike = np.nan_to_num(np.corrcoef(members)) - np.eye(len(members))
    weights = np.maximum(alike.sum(axis=1), 0.0) ** 2 + 1e-12
    return np.asarray(weights @ members / weights.sum())


def median(members: Scores, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the median of the members, row by row."""
    return np.asarray(np.median(members, axis=0))


def local(members: Scores, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """In each cluster of rows, the largest of the members that go best with the largest of all there (LSCP)."""
    from sklearn.cluster import MiniBatchKMeans

    spread = matrix.std(axis=0)
    clusters = min(CLUSTERS, max(2, len(matrix) // ROWS_A_CLUSTER))
    of = MiniBatchKMeans(clusters, n_init=1, random_state=0).fit_predict(matrix / np.where(spread > 0, spread, 1.0))
    target, out = members.max(axis=0), np.empty(len(matrix))
    for cluster in np.unique(of):
        rows = of == cluster
        fit = [_alike(one[rows], target[rows], np.ones(int(rows.sum()))) for one in members]
        out[rows] = members[np.argsort(fit)[-BEST:]][:, rows].max(axis=0)
    return out


RULES: dict[str, Callable[[Scores, NDArray[np.float64]], NDArray[np.float64]]] = {
    "members by SELECT": select,
    "members by agreement": agreement,
    "median of members": median,
    "members by cluster, as LSCP": local,
}


def traits(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what tables are compared by: size, and the spread of the skewness and kurtosis of their columns."""
    from scipy.stats import kurtosis, skew

    shapes = [np.log1p(np.abs(np.nan_to_num(of(matrix, axis=0)))) for of in (skew, kurtosis)]
    quantiles = [float(q) for shape in shapes for q in np.quantile(shape, [0.1, 0.5, 0.9])]
    return np.array([np.log10(len(matrix)), np.log10(matrix.shape[1]), *quantiles])


def by_nearest_tables(
    figures: Mapping[str, Mapping[str, float]], known: Mapping[str, NDArray[np.float64]]
) -> dict[str, str]:
    """Return for each case what was best in the mean of the most alike tables of other groups (as MetaOD selects).

    Parameters
    ----------
    figures : case → candidate → figure, higher is better
    known : case → its traits
    """
    spread = np.std(list(known.values()), axis=0)
    chosen = {}
    for case in figures:
        others = [name for name in figures if group_of(name) != group_of(case)]
        away = [
            float(np.linalg.norm((known[name] - known[case]) / np.where(spread > 0, spread, 1.0))) for name in others
        ]
        near = [others[at] for at in np.argsort(away, kind="stable")[:NEAREST]]
        candidates = list(figures[case])
        chosen[case] = max(candidates, key=lambda name: float(np.mean([figures[at][name] for at in near])))
    return chosen


def _alike(one: NDArray[np.float64], other: NDArray[np.float64], weights: NDArray[np.floating]) -> float:
    """Return the weighted correlation, 0 where one of them is constant."""
    one, other = (side - np.average(side, weights=weights) for side in (one, other))
    spread = np.sqrt(np.average(one**2, weights=weights) * np.average(other**2, weights=weights))
    return float(np.average(one * other, weights=weights) / spread) if spread > 0 else 0.0
