"""Anomaly scores and a window of reference scores → percentiles, p-values, discoveries, and a threshold for a budget.

A score compares rows within one model version only; these scales say the same whichever detector it came from.
Everything here reads `anomaly_score`: higher is more ANOMALOUS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from socml.project import ConfigurationError, DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Threshold:
    """A score above which someone is interrupted, and what it would have done in the history it was set on.

    Attributes
    ----------
    value : anomaly score; an alert is a row strictly above it
    per_day : alerts a day that were allowed
    alerts : alerts in the history
    days : days of the history, UTC, those without rows among them
    busiest : most alerts on one of them
    over_budget : days with more alerts than allowed
    """

    value: float
    per_day: float
    alerts: int
    days: int
    busiest: int
    over_budget: int


def percentile(reference: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the share of reference scores that are below each score, 0 to 100, shape as `scores`.

    Examples
    --------
    >>> percentile(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.0, 2.0, 9.0])).tolist()
    [0.0, 25.0, 100.0]
    """
    ordered = _reference(reference)
    return np.asarray(100.0 * np.searchsorted(ordered, _scores(scores), side="left") / len(ordered))


def conformal_p_values(
    reference: np.ndarray, scores: np.ndarray, *, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Return how likely a usual row scores at least as much as each row does, above 0 to 1, shape as `scores`.

    Valid at any number of reference rows and whatever the detector: a row that is exchangeable with the reference
    rows has a p-value of at most a with probability at most a. This holds only if the reference rows were *not* among
    those that the model was fitted on, and hold no anomalies; with some, p-values are larger and alerts fewer. The least
    possible value is 1 / (rows + 1): to discover at 0.001, a thousand reference rows are needed.

    Parameters
    ----------
    reference : scores of usual rows that the model was not fitted on
    rng : breaks ties at random, which makes the p-values of usual rows exactly uniform; without it they are larger

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer (2005), «Algorithmic Learning in a Random World», Springer. S. Bates,
    E. Candès, L. Lei, Y. Romano, M. Sesia (2023), «Testing for Outliers with Conformal p-values», Annals of
    Statistics 51, doi:10.1214/22-AOS2244

    Examples
    --------
    >>> conformal_p_values(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.5, 9.0])).tolist()
    [1.0, 0.5, 0.25]
    """
    ordered, scores = _reference(reference), _scores(scores)
    at_least = len(ordered) - np.searchsorted(ordered, scores, side="left")
    if rng is None:
        return np.asarray((1.0 + at_least) / (len(ordered) + 1.0))
    above = len(ordered) - np.searchsorted(ordered, scores, side="right")
    # uniform over (0, 1]: a p-value of 0 would claim certainty
    share = 1.0 - rng.random(np.shape(scores))
    return np.asarray((above + share * (1.0 + at_least - above)) / (len(ordered) + 1.0))


def adjusted_p_values(p_values: np.ndarray) -> np.ndarray:
    """Return for each row the least false discovery rate at which it is discovered (Benjamini and Hochberg).

    Examples
    --------
    >>> adjusted_p_values(np.array([0.01, 0.04, 0.03, 0.5])).round(3).tolist()
    [0.04, 0.053, 0.053, 0.5]
    """
    p_values = _p_values(p_values)
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return np.minimum(adjusted, 1.0)


def discoveries(p_values: np.ndarray, *, false_discovery_rate: float) -> np.ndarray:
    """Return which rows to call anomalous, shape (n_rows,) of bool, so that few of them are false on average.

    Of the rows called, the share of usual ones is on average at most `false_discovery_rate`, over many such tables.
    Conformal p-values against one reference depend on each other in a way that keeps this true (Bates et al. 2023).
    What is called depends on all rows of the table: give it a whole day, not a row at a time.

    Raises
    ------
    ConfigurationError
        If the rate is not between 0 and 1.

    References
    ----------
    Y. Benjamini, Y. Hochberg (1995), «Controlling the False Discovery Rate», JRSS B 57

    Examples
    --------
    >>> discoveries(np.array([0.01, 0.04, 0.03, 0.5]), false_discovery_rate=0.05).tolist()
    [True, False, False, False]
    """
    if not 0 < false_discovery_rate < 1:
        raise ConfigurationError(f"false_discovery_rate is {false_discovery_rate}; give a share between 0 and 1.")
    return np.asarray(adjusted_p_values(p_values) <= false_discovery_rate)


def budget_threshold(
    scores: np.ndarray, times: pd.Series | np.ndarray, *, per_day: int, share_of_days: float = 1.0
) -> Threshold:
    """Return the lowest threshold that would have kept within "at most `per_day` alerts a day".

    Days are of UTC. Rows of one score alert together or not at all, so that there may be fewer alerts than allowed.
    History is no promise: a busier or different future has more.

    Parameters
    ----------
    scores, times : of the rows of the history, in any order; times aware of their zone, or datetime64 in UTC
    per_day : alerts a day that someone can look at; 0 sets the threshold at the highest score
    share_of_days : days that must keep within the budget, above 0 to 1; 0.95 lets one day in twenty go over it

    Raises
    ------
    DataError
        If there are no rows, or a time or a score is missing.
    ConfigurationError
        If the budget is negative, or the share is not above 0 to 1.

    Examples
    --------
    >>> times = np.array(["2026-01-01T05", "2026-01-01T06", "2026-01-02T07", "2026-01-02T08"], dtype="datetime64[us]")
    >>> budget_threshold(np.array([0.9, 0.2, 0.3, 0.4]), times, per_day=1)
    Threshold(value=0.3, per_day=1, alerts=2, days=2, busiest=1, over_budget=0)
    """
    if per_day < 0 or not 0 < share_of_days <= 1:
        raise ConfigurationError(
            f"per_day is {per_day} and share_of_days {share_of_days}; give 0 or more alerts, and a share above 0 to 1."
        )
    scores = _scores(scores)
    day = _days(times)
    if len(day) != len(scores):
        raise DataError(f"There are {len(scores):,} scores and {len(day):,} times; each row needs one of both.")
    needed = _needed(scores, day, per_day)
    value = float(np.sort(needed)[_allowed(share_of_days, len(needed)) - 1])
    if value == -np.inf:  # fewer rows than the budget on every day: all of them may alert
        value = float(np.nextafter(scores.min(), -np.inf))
    alerts = np.bincount(day[scores > value], minlength=len(needed))
    over = int((alerts > per_day).sum())
    return Threshold(value, per_day, int(alerts.sum()), len(needed), int(alerts.max()), over)


def _needed(scores: np.ndarray, day: np.ndarray, per_day: int) -> np.ndarray:
    """Return for each day the lowest threshold that keeps within the budget: its (per_day + 1)-th highest score."""
    order = np.lexsort((-scores, day))
    counts = np.bincount(day)
    place = np.cumsum(counts) - counts + per_day
    enough = counts > per_day
    needed = np.full(len(counts), -np.inf)
    needed[enough] = scores[order][place[enough]]
    return needed


def _allowed(share: float, days: int) -> int:
    """Return how many days must keep within the budget, at least one."""
    return max(int(np.ceil(share * days - 1e-9)), 1)


def _days(times: pd.Series | np.ndarray) -> np.ndarray:
    """Return the day of each time, counted from the first, in UTC."""
    import pandas as pd

    moments = pd.DatetimeIndex(pd.to_datetime(np.asarray(times) if isinstance(times, np.ndarray) else times, utc=True))
    if moments.isna().any():
        raise DataError(
            f"{np.count_nonzero(moments.isna()):,} of {len(moments):,} rows have no time: to no day do they belong."
        )
    days = moments.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    return days - days.min() if len(days) else days


def _reference(reference: np.ndarray) -> np.ndarray:
    return np.sort(_scores(reference, what="reference scores"))


def _scores(scores: np.ndarray, *, what: str = "scores") -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64)
    if not values.size:
        raise DataError(f"There are no {what}: nothing can be compared.")
    if np.isnan(values).any():
        raise DataError(f"{int(np.isnan(values).sum()):,} of {values.size:,} {what} are missing.")
    return values


def _p_values(p_values: np.ndarray) -> np.ndarray:
    values = np.asarray(p_values, dtype=np.float64).ravel()
    if np.isnan(values).any() or ((values < 0) | (values > 1)).any():
        raise DataError("A p-value is missing or not between 0 and 1.")
    return values
