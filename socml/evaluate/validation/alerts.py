"""The matrix of alerts, and of them alone → groups of alerts that are alike, and what sets each apart."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

MOST = 2000  # alerts that are compared, the most pressing first: every one is compared with every other
FEWEST = 5  # alerts of a group
NAMED = 3  # features that are named as what sets a group apart


class Cluster(TypedDict, total=False):
    """Alerts that are alike."""

    cluster: int
    alerts: int
    first: int  # position of its first alert
    apart: dict[str, float]  # feature → difference from the other alerts, in standard deviations
    malicious_share: float
    row_id: str  # of its first alert


def alert_clusters(
    matrix: np.ndarray, names: list[str], *, malicious: np.ndarray | None = None
) -> tuple[np.ndarray, list[Cluster]]:
    """Group alerts by density, over standardised columns, and say what sets each group apart from the other alerts.

    Blind to groups of fewer than `FEWEST` alerts, and to alerts past the first 2,000: they are in no group (-1).

    Parameters
    ----------
    matrix : shape (n_alerts, n_columns), the most pressing alert first
    names : feature that each column came from; columns of one feature are compared as one
    malicious : 1.0, 0.0, NaN: gives the share of malicious rows of each group

    Returns
    -------
    ndarray of int, the group of each alert, numbered from 0 in the order of their size; -1 in none
    list of dicts, one a group: cluster, alerts, first (position of its first alert), apart (features that differ most
        from the other alerts, each with the difference in standard deviations), malicious_share where it is known

    References
    ----------
    R. Campello, D. Moulavi, J. Sander (2013), «Density-Based Clustering Based on Hierarchical Density Estimates»,
    PAKDD, doi:10.1007/978-3-642-37456-2_14

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> alerts = np.concatenate([rng.normal(0, 0.1, (20, 2)), rng.normal(5, 0.1, (10, 2))])
    >>> labels, groups = alert_clusters(alerts, ["bytes", "ports"])
    >>> [group["alerts"] for group in groups], sorted(set(labels.tolist()))
    ([20, 10], [0, 1])
    """
    labels = np.full(len(matrix), -1, dtype=np.int64)
    some = np.asarray(matrix[:MOST], dtype=np.float64)
    if len(some) < 2 * FEWEST:
        return labels, []
    scaled = (some - some.mean(axis=0)) / np.where(some.std(axis=0) > 0, some.std(axis=0), 1.0)
    labels[: len(some)] = _by_size(_density_groups(scaled))
    known = np.full(len(matrix), np.nan) if malicious is None else malicious
    return labels, [_described(k, labels[: len(some)], scaled, names, known) for k in range(int(labels.max()) + 1)]


def _density_groups(scaled: np.ndarray) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    return np.asarray(HDBSCAN(min_cluster_size=FEWEST, copy=True).fit_predict(scaled))


def _by_size(found: np.ndarray) -> np.ndarray:
    numbers, counts = np.unique(found[found >= 0], return_counts=True)
    place = {int(number): at for at, number in enumerate(numbers[np.argsort(-counts, kind="stable")])}
    return np.array([place.get(int(label), -1) for label in found], dtype=np.int64)


def _described(
    cluster: int, labels: np.ndarray, scaled: np.ndarray, names: list[str], malicious: np.ndarray
) -> Cluster:
    inside = labels == cluster
    difference = scaled[inside].mean(axis=0) - scaled[~inside].mean(axis=0) if (~inside).any() else np.zeros(len(names))
    apart: dict[str, float] = {}
    for column in np.argsort(-np.abs(difference), kind="stable"):
        if len(apart) < NAMED and difference[column] != 0:
            apart.setdefault(names[column], float(difference[column]))
    described: Cluster = {
        "cluster": cluster,
        "alerts": int(inside.sum()),
        "first": int(np.flatnonzero(inside)[0]),
        "apart": apart,
    }
    known = malicious[: len(labels)][inside]
    if not np.isnan(known).all():
        described["malicious_share"] = float(np.nanmean(known))
    return described
