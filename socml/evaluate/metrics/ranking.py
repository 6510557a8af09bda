"""Scores and ground truth → how well the malicious rows come first, beside the anomaly rate.

Everything here depends on the order of the rows alone. What cannot be measured is absent, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from socml.evaluate.metrics.intervals import ends_of_ties
from socml.project import DataError

if TYPE_CHECKING:
    import pandas as pd

AT = (10, 100)
POINTS = 200  # of a curve, at most


def evaluate(scores: pd.DataFrame | pd.Series, truth: pd.DataFrame | pd.Series) -> dict[str, object]:
    """Return the metrics of a score table, over its rows of known truth.

    Parameters
    ----------
    scores : a score table, index or column `row_id`; `anomaly_score` is higher for the more anomalous; or these scores by row
    truth : `malicious` by row: a Series, or a table with index or column `row_id` (or `event_id`)

    Returns
    -------
    dict as of `ranking_metrics`

    Raises
    ------
    DataError
        If the scores are no table or have no `anomaly_score`, or the truth is not about rows, or about none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"anomaly_score": [0.9, 0.4, 0.5]}, index=["a", "b", "c"])
    >>> evaluate(scores, pd.Series({"a": True, "b": False, "c": False}))["average_precision"]
    1.0
    """
    import pandas as pd

    if isinstance(scores, pd.Series):
        scores = scores.to_frame("anomaly_score")
    if not isinstance(scores, pd.DataFrame) or "anomaly_score" not in scores:
        raise DataError("Scores are a table with the column anomaly_score, or a Series.")
    if not pd.api.types.is_numeric_dtype(scores["anomaly_score"]) or scores["anomaly_score"].isna().any():
        raise DataError(
            "anomaly_score is missing in some row, or no number: what has no score has no place in an order."
        )
    by_row = scores.set_index("row_id") if "row_id" in scores.columns else scores
    known = truth_of_rows(truth, by_row.index)
    return ranking_metrics(by_row["anomaly_score"].rank(method="min", ascending=False).to_numpy(), known)


def truth_of_rows(truth: pd.DataFrame | pd.Series, row_ids: pd.Index) -> np.ndarray:
    """Return what is known of each row: 1.0 malicious, 0.0 benign, NaN unknown; shape (n_rows,).

    Raises
    ------
    DataError
        If it is no table and no Series, is about none of the rows, or holds anything but truth values.
    """
    import pandas as pd

    from socml.features import as_malicious, of_rows

    if not isinstance(truth, pd.DataFrame | pd.Series):
        raise DataError("The truth is a table or a Series, whose index names the rows.")
    if isinstance(truth, pd.DataFrame):
        for key in ("row_id", "event_id"):
            if key in truth.columns:
                truth = truth.set_index(key)
        if "malicious" not in truth.columns:
            raise DataError(f"The truth has no column 'malicious'; it has {', '.join(map(str, truth.columns))}.")
        truth = truth["malicious"]
    truth = truth[~truth.index.duplicated()]
    known = of_rows(truth, row_ids)
    if len(truth) and len(row_ids) and not known.notna().any():
        raise DataError("The truth is about none of these rows: its row_ids are others. Is it of this feature set?")
    return as_malicious(known).to_numpy()


def ranking_metrics(order: np.ndarray, malicious: np.ndarray, *, at: Sequence[int] = AT) -> dict[str, object]:
    """Return how well an order puts the malicious rows first.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first; equal values are tied
    malicious : shape (n_rows,): 1.0, 0.0, or NaN where nothing is known; such rows are left out
    at : rows looked at, for precision_at_…

    Returns
    -------
    dict
        rows (of known truth), malicious, anomaly_rate, average_precision, auroc, precision_at_10,
        precision_at_100, precision_at_malicious (the last at k = number of malicious rows). Under ties,
        precision is what is expected. `absent` maps each metric that cannot be measured to the reason.

    Examples
    --------
    >>> m = ranking_metrics(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    >>> round(m["average_precision"], 3), m["auroc"], m["anomaly_rate"]
    (0.833, 0.75, 0.5)
    >>> ranking_metrics(np.array([1.0, 2.0]), np.array([0.0, 0.0]))["absent"]["auroc"]
    'no row is known to be malicious'
    """
    known = ~np.isnan(malicious)
    order, hit = np.asarray(order, dtype=np.float64)[known], malicious[known] > 0
    rows, total = len(hit), int(hit.sum())
    found: dict[str, object] = {"rows": rows, "malicious": total}
    absent: dict[str, str] = {}
    if rows:
        found["anomaly_rate"] = total / rows
    if 0 < total < rows:
        ends, hits = thresholds(order, hit)
        found["average_precision"] = _average_precision(ends, hits)
        found["auroc"] = _auroc(ends, hits)
    else:
        reason = _one_class(rows, total)
        absent |= {"average_precision": reason, "auroc": reason}
    for name, k in [*((f"precision_at_{k}", k) for k in at), ("precision_at_malicious", total)]:
        if 0 < k <= rows and total:
            found[name] = _precision_at(k, *thresholds(order, hit))
        else:
            absent[name] = _one_class(rows, total) if not total else f"there are only {rows} rows of known truth"
    return {**found, "absent": absent} if absent else found


def number_of(metrics: Mapping[str, object], name: str) -> float:
    """Return one metric; NaN where it is absent."""
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else np.nan


def intervals_of(metrics: Mapping[str, object]) -> dict[str, Sequence[float]]:
    """Return the ends of the 95 % interval of each metric that has one."""
    return cast("dict[str, Sequence[float]]", metrics.get("intervals", {}))


def absent_of(metrics: Mapping[str, object]) -> dict[str, str]:
    """Return why each metric that is absent is."""
    return cast("dict[str, str]", metrics.get("absent", {}))


def precision_recall(order: np.ndarray, malicious: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and recall at each threshold of an order (lowest first), for a plot; arrays of one length."""
    known = ~np.isnan(malicious)
    ends, hits = thresholds(order[known], malicious[known] > 0)
    return hits / ends, hits / max(hits.max(initial=0), 1)


def thresholds(order: np.ndarray, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each distinct value of the order, how many rows come up to it, and how many hits."""
    first = np.argsort(order, kind="stable")
    ends = ends_of_ties(order[first])
    return ends + 1, np.cumsum(hit[first])[ends]


def _average_precision(ends: np.ndarray, hits: np.ndarray) -> float:
    return float(np.sum(np.diff(hits, prepend=0) * hits / ends) / hits[-1])


def _auroc(ends: np.ndarray, hits: np.ndarray) -> float:
    others = ends - hits
    area = np.sum(np.diff(others, prepend=0) * (hits + np.concatenate([[0], hits[:-1]])) / 2)
    return float(area / (hits[-1] * others[-1]))


def _precision_at(k: int, ends: np.ndarray, hits: np.ndarray) -> float:
    return float(np.interp(k, np.concatenate([[0], ends]), np.concatenate([[0], hits])) / k)


def _one_class(rows: int, total: int) -> str:
    if not rows:
        return "no row has known truth"
    return "no row is known to be malicious" if not total else "every row of known truth is malicious"


def curves(order: np.ndarray, malicious: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Return `precision_recall` (recall, precision) and `roc` (false_positive_rate, recall); empty with one class.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first
    malicious : 1.0, 0.0, or NaN where nothing is known; such rows are left out

    Examples
    --------
    >>> curves(np.array([1.0, 2.0]), np.array([1.0, 0.0]))["roc"]
    {'false_positive_rate': [0.0, 0.0, 1.0], 'recall': [0.0, 1.0, 1.0]}
    """
    known = ~np.isnan(malicious)
    hit = malicious[known] > 0
    if hit.all() or not hit.any():
        return {}
    seen, hits = thresholds(order[known], hit)
    kept = _kept(hits, seen - hits)
    seen, hits = seen[kept], hits[kept]
    recall, wrong = (hits / hits[-1]).tolist(), ((seen - hits) / (seen - hits)[-1]).tolist()
    return {
        "precision_recall": {"recall": recall, "precision": (hits / seen).tolist()},
        "roc": {"false_positive_rate": [0.0, *wrong], "recall": [0.0, *recall]},
    }


def _kept(hits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the places of at most so many points, evenly along both axes, the last among them."""
    last = len(hits) - 1
    if last < POINTS:
        return np.arange(last + 1)
    half = POINTS // 2
    along = [np.searchsorted(axis, np.linspace(axis[0], axis[-1], half)) for axis in (hits, others)]
    return np.unique(np.minimum(np.concatenate([*along, [last]]), last))
