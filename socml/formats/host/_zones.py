"""Local times of a zone, many at once → UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["utc_micros"]

_QUARTER = 900_000_000  # microseconds; a zone changes its clocks at most once in it
_EPOCH = datetime(1970, 1, 1)


def utc_micros(local: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Return microseconds since 1970 in UTC of clock times in `zone`; one that occurs twice is the first of the two.

    Examples
    --------
    >>> utc_micros(np.array([3_600_000_000]), ZoneInfo("Europe/Paris")).tolist()
    [0]
    """
    quarters, which = np.unique(local // _QUARTER, return_inverse=True)
    begin = [_ahead(int(quarter) * _QUARTER, zone) for quarter in quarters]
    end = [_ahead(int(quarter) * _QUARTER + _QUARTER - 1, zone) for quarter in quarters]
    utc: NDArray[np.int64] = local - np.array(begin, np.int64)[which]
    for row in np.flatnonzero((np.array(begin) != np.array(end))[which]):
        utc[row] = local[row] - _ahead(int(local[row]), zone)
    return utc


def _ahead(local: int, zone: ZoneInfo) -> int:
    """Return by how much the zone is ahead of UTC at a clock time, in microseconds."""
    when = (_EPOCH + timedelta(microseconds=local)).replace(tzinfo=zone)
    return local - (when.astimezone(UTC).replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)
