"""Events → the same events, divided by their day in UTC, so that a night reads its day's parts and no others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from socml.project import UNDATED

__all__ = ["by_day"]

MOST_DAYS = 62  # events of more days stay together: times that are scattered over centuries would be a file each
_DAY_US = 86_400_000_000
_NO_TIME = np.iinfo(np.int64).min


def by_day(events: pa.Table) -> list[tuple[str, pa.Table]]:
    """Return the events of each day, in their order, with the day; `undated` are those without a time.

    If they are of more than 62 days, all are returned as one table of no day.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> times = [datetime(2026, 3, 2, 23, 59, tzinfo=UTC), None, datetime(2026, 3, 3, tzinfo=UTC)]
    >>> events = pa.table({"time": pa.array(times, pa.timestamp("us", tz="UTC")), "n": [1, 2, 3]})
    >>> [(day, rows["n"].to_pylist()) for day, rows in by_day(events)]
    [('undated', [2]), ('2026-03-02', [1]), ('2026-03-03', [3])]
    """
    if not len(events):
        return []
    moments = events["time"].cast(pa.int64()).fill_null(_NO_TIME).to_numpy()
    days = np.where(moments == _NO_TIME, _NO_TIME, moments // _DAY_US)
    found = np.unique(days)
    if len(found) > MOST_DAYS:
        return [("", events)]
    if len(found) == 1:
        return [(_name(int(found[0])), events)]
    places = {_name(int(day)): np.flatnonzero(days == day) for day in found}
    scattered = {day for day, at in places.items() if at[-1] - at[0] + 1 != len(at)}
    whole = events.combine_chunks() if scattered else events  # rows of one piece are taken in a quarter of the time
    return [
        # logs are sorted by time as a rule: nothing is copied
        (day, whole.take(pa.array(at)) if day in scattered else events.slice(int(at[0]), len(at)))
        for day, at in places.items()
    ]


def _name(day: int) -> str:
    return UNDATED if day == _NO_TIME else str(np.datetime64(day, "D"))
