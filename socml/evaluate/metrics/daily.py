"""Rows in time and what is known of them → how a day of looking goes, and how long an incident runs unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from socml.evaluate.metrics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

DAY_US = 86_400_000_000


def microseconds(moments: pd.Series) -> np.ndarray:
    """Return times as microseconds since 1970, UTC; NaN where there is none."""
    import pandas as pd

    times = pd.to_datetime(moments, utc=True)
    micros = times.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64).astype(np.float64)
    return np.where(times.isna().to_numpy(), np.nan, micros)


class DailyPrecision(TypedDict):
    """What someone finds who looks at the first rows of each day."""

    days: int
    looked_at: int
    found: int
    precision: float
    interval: Sequence[float]


def precision_at_a_day(order: np.ndarray, malicious: np.ndarray, time_us: np.ndarray, k: int) -> DailyPrecision | None:
    """Return what someone finds who looks at the first `k` rows of each day; None where no row has a time.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first; ties in the order of the rows
    malicious : 1.0, 0.0, or NaN where nothing is known; such rows are left out
    time_us : microseconds since 1970, UTC; NaN where unknown

    Returns
    -------
    dict
        days, looked_at (rows), found (malicious among them), precision = found / looked_at, interval (Wilson's)

    Examples
    --------
    >>> time = np.array([0.0, 1.0, DAY_US, DAY_US + 1.0])
    >>> precision_at_a_day(np.array([1.0, 2.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0, 1.0]), time, 1)["precision"]
    0.5
    """
    known = ~np.isnan(malicious) & ~np.isnan(time_us)
    if not known.any():
        return None
    day = (time_us[known] // DAY_US).astype(np.int64)
    hit = malicious[known] > 0
    first = np.lexsort((order[known], day))
    begins = np.flatnonzero(np.append(True, np.diff(day[first]) != 0))
    place = np.arange(len(first)) - np.repeat(begins, np.diff(np.append(begins, len(first))))
    seen = first[place < k]
    found = int(hit[seen].sum())
    return {
        "days": len(begins),
        "looked_at": len(seen),
        "found": found,
        "precision": found / len(seen),
        "interval": wilson(found, len(seen)),
    }


class _Detected(TypedDict):
    incidents: int
    detected: int
    detected_share: float
    interval: Sequence[float]


class Detection(_Detected, total=False):
    """How long incidents ran before their first alert; without times where none was detected."""

    median_s: float
    p90_s: float


def time_to_detection(
    alert: np.ndarray, malicious: np.ndarray, time_us: np.ndarray, incidents: np.ndarray
) -> Detection | None:
    """Return how long incidents run before their first alert; None where there are none with a time.

    An incident is all malicious rows of one name (an entity and a family, say). It begins with its first row and is
    detected by its first row that is an alert; the time between is 0 if they are one. What is never detected has
    no time: look at `detected` first.

    Returns
    -------
    dict
        incidents, detected, detected_share, interval (Wilson's of the share), median_s and p90_s (of the detected)

    Examples
    --------
    >>> time_to_detection(np.array([False, True]), np.ones(2), np.array([0.0, 60e6]), np.array(["a", "a"]))["median_s"]
    60.0
    """
    rows = (malicious > 0) & ~np.isnan(time_us)
    if not rows.any():
        return None
    _, code = np.unique(np.asarray(incidents)[rows].astype(str), return_inverse=True)
    count = int(code.max()) + 1
    begins, seen = np.full(count, np.inf), np.full(count, np.inf)
    np.minimum.at(begins, code, time_us[rows])
    alerted = np.asarray(alert, dtype=bool)[rows]
    np.minimum.at(seen, code[alerted], time_us[rows][alerted])
    waited = (seen - begins)[np.isfinite(seen)] / 1e6
    found: Detection = {
        "incidents": count,
        "detected": len(waited),
        "detected_share": len(waited) / count,
        "interval": wilson(len(waited), count),
    }
    if len(waited):
        found["median_s"], found["p90_s"] = float(np.median(waited)), float(np.quantile(waited, 0.9))
    return found
