"""A metric's name, an order, alerts and what is known → its value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from socml.evaluate.metrics.daily import DAY_US
from socml.evaluate.metrics.ranking import number_of, ranking_metrics, thresholds
from socml.project import DataError, Metric, metric_of


def chosen_metrics(
    names: Sequence[str],
    order: np.ndarray,
    malicious: np.ndarray,
    *,
    alert: np.ndarray | None = None,
    time_us: np.ndarray | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the values of some metrics, and of each that cannot be measured the reason; `measure` says the rest."""
    found, absent = {}, {}
    for name in names:
        try:
            found[name] = measure(name, order, malicious, alert=alert, time_us=time_us)
        except DataError as error:
            absent[name] = str(error)
    return found, absent


def measure(
    name: str,
    order: np.ndarray,
    malicious: np.ndarray,
    *,
    alert: np.ndarray | None = None,
    time_us: np.ndarray | None = None,
) -> float:
    """Return one metric, 0 to 1, higher is better; rows of unknown truth are left out. Under ties, what is expected.

    average_precision, auroc, ndcg: of the whole order · precision_at_K: share of the first K rows that are malicious ·
    recall_at_K: share of the malicious rows that are among them, as of an alert budget · …_a_day: of the first K rows of
    each day · ndcg_at_K · detection_rate_at_F: share of the malicious rows above a threshold that a share F of the benign
    rows is above · f1, accuracy, precision, recall: of the alerts.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first
    malicious : shape (n_rows,): 1.0, 0.0, or NaN where nothing is known
    alert : bool (n_rows,), for the metrics of alerts
    time_us : microseconds since 1970, UTC, for those a day; NaN where unknown

    Raises
    ------
    RecipeError
        If there is no such metric.
    DataError
        If it cannot be measured on these rows; the message is the reason.

    Examples
    --------
    >>> order, malicious = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, 1.0, 0.0])
    >>> measure("recall_at_1", order, malicious), measure("detection_rate_at_0.5", order, malicious)
    (0.5, 1.0)
    >>> round(measure("f1", order, malicious, alert=order < 3), 2)
    0.5
    """
    metric = metric_of(name)
    if len(order) != len(malicious) or np.isnan(order).any():
        raise DataError(
            f"{len(order)} places, {int(np.isnan(order).sum())} of them NaN, are no order of {len(malicious)} rows"
        )
    known = ~np.isnan(malicious)
    hit = malicious[known] > 0
    if not hit.any():
        raise DataError("no row is known to be malicious")
    if metric.needs_alerts:
        if alert is None:
            raise DataError("it is about alerts, and only an order is known")
        return _of_alerts(metric, np.asarray(alert, dtype=bool)[known], hit)
    order = np.asarray(order, dtype=np.float64)[known]
    if metric.kind.endswith("_a_day"):
        if time_us is None or np.isnan(time_us[known]).all():
            raise DataError("no row of known truth has a time")
        return _a_day(metric, order, hit, time_us[known])
    return _of_order(metric, order, hit)


def _of_alerts(metric: Metric, alert: np.ndarray, hit: np.ndarray) -> float:
    right, alerts, hits = int((alert & hit).sum()), int(alert.sum()), int(hit.sum())
    if metric.kind == "accuracy":
        return float((alert == hit).mean())
    if metric.kind == "f1":
        return 2 * right / (alerts + hits)
    if metric.kind == "recall":
        return right / hits
    if not alerts:
        raise DataError("there is no alert")
    return right / alerts


def _of_order(metric: Metric, order: np.ndarray, hit: np.ndarray) -> float:
    if metric.kind in {"average_precision", "auroc", "precision_at_malicious"}:
        found = ranking_metrics(order, hit.astype(np.float64), at=())
        if metric.kind not in found:
            raise DataError("every row of known truth is malicious")
        return number_of(found, metric.kind)
    ends, hits = (np.concatenate([[0], values]) for values in thresholds(order, hit))
    if metric.kind == "detection_rate_at_F":
        others = ends - hits
        if not others[-1]:
            raise DataError("every row of known truth is malicious")
        return _upper(metric.number, others / others[-1], hits / hits[-1])
    if metric.kind.startswith("ndcg"):
        return _ndcg(int(metric.number) or len(hit), ends, hits)
    looked_at = min(metric.number, len(hit))
    found_there = float(np.interp(looked_at, ends, hits))
    if metric.kind == "precision_at_K":
        if metric.number > len(hit):
            raise DataError(f"there are only {len(hit)} rows of known truth")
        return found_there / looked_at
    return found_there / float(hits[-1])


def _upper(at: float, x: np.ndarray, y: np.ndarray) -> float:
    """Return y at a place of a rising line; where the line goes straight up, its upper end."""
    last = int(np.searchsorted(x, at, side="right")) - 1
    if last == len(x) - 1:
        return float(y[-1])
    part = (at - x[last]) / (x[last + 1] - x[last])
    return float(y[last] + part * (y[last + 1] - y[last]))


def _ndcg(k: int, ends: np.ndarray, hits: np.ndarray) -> float:
    """Return the discounted gain of the first k rows over that of the best order; tied rows share theirs."""
    rows = int(ends[-1])
    gain = np.repeat(np.diff(hits) / np.diff(ends), np.diff(ends).astype(np.int64))[:k]
    discount = 1 / np.log2(np.arange(2, rows + 2))[:k]
    return float((gain * discount).sum() / discount[: int(hits[-1])].sum())


def _a_day(metric: Metric, order: np.ndarray, hit: np.ndarray, time_us: np.ndarray) -> float:
    timed = ~np.isnan(time_us)
    day = (time_us[timed] // DAY_US).astype(np.int64)
    found, looked_at, there = 0.0, 0.0, int(hit[timed].sum())
    for one in np.unique(day):
        ends, hits = (
            np.concatenate([[0], values]) for values in thresholds(order[timed][day == one], hit[timed][day == one])
        )
        seen = min(metric.number, float(ends[-1]))
        looked_at += seen
        found += float(np.interp(seen, ends, hits))
    if metric.kind == "precision_at_K_a_day":
        return found / looked_at
    if not there:
        raise DataError("no malicious row has a time")
    return found / there
