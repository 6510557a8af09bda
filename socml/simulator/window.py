"""A start and a number of days → moments in between, in the rhythm of people and of machines.

Every time is an int64 array of microseconds since 1970, UTC. The organisation works in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Share of the working day's activity in each hour, from 00: quiet nights, a dip at lunch, some late work.
_HOURS = np.array([2, 1, 1, 1, 1, 2, 6, 25, 70, 100, 108, 98, 45, 72, 100, 102, 92, 60, 25, 12, 9, 8, 6, 4], float)
_WEEKEND = 0.06  # of a working day's activity


@dataclass(frozen=True)
class Window:
    """The simulated time: `days` whole days from `start_us`, which is a midnight; `holidays` are numbers of days."""

    start_us: int
    days: int
    holidays: tuple[int, ...] = ()

    @classmethod
    def of(cls, start: str, days: int) -> Window:
        """Return the window that begins on the day `start`, as YYYY-MM-DD.

        Examples
        --------
        >>> Window.of("2026-03-02", 4).end_us - Window.of("2026-03-02", 4).start_us == 4 * DAY
        True
        """
        midnight = datetime.fromisoformat(start).replace(tzinfo=UTC)
        midnight + timedelta(days=days)  # its end is a moment too
        return cls(int(midnight.timestamp()) * SECOND, days)

    @property
    def end_us(self) -> int:
        """The first microsecond after the window."""
        return self.start_us + self.days * DAY

    def at(self, share: float, hour: float) -> int:
        """Return `hour` o'clock of the day that lies at `share` (0 to 1) of the window."""
        day = min(int(share * self.days), self.days - 1)
        return self.start_us + day * DAY + int(hour * HOUR)

    def day_weights(self) -> NDArray[np.float64]:
        """Return each day's activity relative to a working day, shape (days,)."""
        midnights = self.start_us + np.arange(self.days) * DAY
        weekday = (midnights // DAY + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
        free = (weekday >= 5) | np.isin(np.arange(self.days), self.holidays)
        return np.where(free, _WEEKEND, 1.0)


def working_moments(
    window: Window, rng: np.random.Generator, per_day: ArrayLike, *, shift_hours: ArrayLike = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return who does something and when: Poisson many a day, spread like working hours.

    Parameters
    ----------
    per_day : shape (people,), mean number on a working day
    shift_hours : shape (people,), how much later than the others each one lives

    Returns
    -------
    (who, time_us) : two arrays of one length; `who` counts from 0
    """
    means = np.atleast_1d(np.asarray(per_day, float))
    shift = np.broadcast_to(np.asarray(shift_hours, float), means.shape)
    counts = rng.poisson(means[:, None] * window.day_weights()[None, :])
    who, day = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), window.days)
    edges = np.concatenate([[0.0], np.cumsum(_HOURS) / _HOURS.sum()])
    hour = (np.interp(rng.random(who.size), edges, np.arange(25.0)) + shift[who]) % 24
    return who, window.start_us + day * DAY + (hour * HOUR).astype(np.int64)


def ticks(
    begin_us: int, end_us: int, rng: np.random.Generator, *, every_s: float, jitter: float = 0.0
) -> NDArray[np.int64]:
    """Return moments about `every_s` seconds apart, each moved by up to `jitter` (a share of the interval).

    Examples
    --------
    >>> ticks(0, 10 * SECOND, np.random.default_rng(0), every_s=4).tolist()
    [0, 4000000, 8000000]
    """
    step = every_s * SECOND
    exact = begin_us + np.arange(max(0, int(np.ceil((end_us - begin_us) / step)))) * step
    moved = exact + rng.uniform(-jitter, jitter, exact.size) * step
    return np.clip(moved, begin_us, end_us - 1).astype(np.int64)


def any_time(window: Window, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return `n` moments, each as likely as any other, in order."""
    return np.sort(rng.integers(window.start_us, window.end_us, n))


def seconds(values: ArrayLike) -> NDArray[np.int64]:
    """Return seconds as whole microseconds."""
    return (np.asarray(values, float) * SECOND).astype(np.int64)
