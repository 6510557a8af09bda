"""The rows of a day's list and of the days before → which columns, and whether the scores, are no longer as they were.

An effect size is told with the number of rows it was seen on. Cohen's d compares the values above 0, on a logarithm;
Cohen's h how many rows have one. Neither grows with the number of rows, so a large network is no more alarming than a
small one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.features import Column
from socml.jobs.day_checks import Problem
from socml.project import CheckSettings

WEEK, RECENT = 7, 3  # days


@dataclass(frozen=True)
class Summary:
    """Values of one day: rows, those above 0, and the sum and sum of squares of log(1 + value) over these."""

    n: int
    positive: int
    total: float
    squares: float

    def __add__(self, other: Summary) -> Summary:
        """Return the summary of both."""
        return Summary(
            self.n + other.n, self.positive + other.positive, self.total + other.total, self.squares + other.squares
        )

    @property
    def mean(self) -> float:
        """Return the mean of the logarithms."""
        return self.total / self.positive if self.positive else 0.0

    @property
    def variance(self) -> float:
        """Return the variance of the logarithms."""
        return max(self.squares / self.positive - self.mean**2, 0.0) if self.positive else 0.0


def summaries_of(
    columns: Sequence[Column], role: NDArray[np.object_], values: NDArray[np.float64]
) -> dict[str, Summary]:
    """Return the summary of each column over the rows of its role."""
    roles = np.array([str(one).split(" ", maxsplit=1)[0] for one in role], object)
    return {column.name: _summary(values[roles == column.role, c]) for c, column in enumerate(columns)}


def score_summary(score: NDArray[np.float64]) -> Summary:
    """Return the summary of a day's scores."""
    return _summary(score)


def drift_of(
    check: str,
    day: str,
    today: Mapping[str, Summary],
    before: Sequence[Mapping[str, Summary]],
    settings: CheckSettings,
    *,
    remembering: Collection[str] = (),
) -> list[Problem]:
    """Return what differs from the days before by more than `settings.effect`; `before` is in order, the latest last.

    Parameters
    ----------
    remembering : columns that depend on what was ever seen before: they move by themselves as that grows, and are
        compared with each of the last three days alone, once there is a week
    """
    past = list(before)[-settings.history_days :]
    if len(past) < settings.least_days:
        return []
    found = []
    for name, now in today.items():
        if name in remembering and len(past) < WEEK:
            continue
        others = [of[name] for of in past if name in of]
        # a jump differs from each of the last days; what fades differs from those of long ago alone
        known = others[-RECENT:] if name in remembering else [sum(others, Summary(0, 0, 0.0, 0.0))]
        effects = [_effect(now, one, settings.least_n) for one in known if min(now.n, one.n) >= settings.least_n]
        effect, text = min(effects, default=(0.0, ""))
        if effect >= settings.effect:
            found.append(Problem(check, day, name, text, now.n, round(effect, 3)))
    return found


def column_effects(
    now: Mapping[str, NDArray[np.float64]], before: Mapping[str, NDArray[np.float64]], *, least: int = 30
) -> list[tuple[str, float, str]]:
    """Return for each column that both tables have how far it has moved, the furthest first: name, effect size, in words.

    Columns with fewer than `least` rows in either are left out. Missing values count as none.

    Examples
    --------
    >>> before, now = np.full(100, 7.0), np.r_[np.zeros(50), np.full(50, 7.0)]
    >>> [(name, round(size, 2)) for name, size, _ in column_effects({"a": now, "b": before}, {"a": before, "b": before})]
    [('a', 1.57), ('b', 0.0)]
    """
    found = []
    for name in [name for name in now if name in before]:
        one, other = (_summary(np.nan_to_num(values)) for values in (now[name], before[name]))
        if min(one.n, other.n) >= least:
            found.append((name, *_effect(one, other, least)))
    return sorted(found, key=lambda effect: -effect[1])


def _effect(now: Summary, known: Summary, least: int) -> tuple[float, str]:
    """Return the larger of the two effect sizes, and what it says."""
    d, h = _cohens_d(now, known, least), _cohens_h(now, known)
    if abs(d) > abs(h):
        way = "higher" if d > 0 else "lower"
        return abs(d), f"values are {way} than on the days before: effect size {abs(d):.2f}, n = {now.positive:,}"
    return abs(h), f"{_shares(now, known)}: effect size {abs(h):.2f}, n = {now.n:,}"


def _summary(values: NDArray[np.float64]) -> Summary:
    logs = np.log1p(values[values > 0])
    return Summary(len(values), len(logs), math.fsum(logs), math.fsum(logs**2))


def _cohens_d(now: Summary, known: Summary, least: int) -> float:
    if min(now.positive, known.positive) < least:
        return 0.0
    pooled = (now.variance * now.positive + known.variance * known.positive) / (now.positive + known.positive)
    return (now.mean - known.mean) / math.sqrt(pooled) if pooled > 0 else 0.0


def _cohens_h(now: Summary, known: Summary) -> float:
    shares = (now.positive / now.n, known.positive / known.n)
    return 2 * math.asin(math.sqrt(shares[0])) - 2 * math.asin(math.sqrt(shares[1]))


def _shares(now: Summary, known: Summary) -> str:
    return f"{now.positive / now.n:.1%} of the rows have a value, and {known.positive / known.n:.1%} had"
