"""A day's scores and those of the days before → which rows alert, by a budget or a false discovery rate.

The policy is [nightly] of socml.toml until a person sets one: `workspace/nights/DATASET/threshold.json`. What it would
have done is told by replaying history: each day by the days before it alone, as a night does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from socml.models import budget_threshold, conformal_p_values, discoveries
from socml.project import ConfigurationError, NightSettings, read_json, write_json

LEAST_REFERENCE = 50  # rows of earlier days before which no false discovery rate can be kept
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Policy:
    """When a row alerts. Exactly one of the three counts.

    Attributes
    ----------
    alerts_a_day : rows a day; the score that would have kept to it on every remembered day
    false_discovery_rate : share of false alerts, 0 to 1, beside the rows of the remembered days as what is usual
    score : a row above it alerts, whatever came before
    """

    alerts_a_day: int | None = None
    false_discovery_rate: float | None = None
    score: float | None = None
    set_by: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigurationError if it says nothing, or two things."""
        given = [value for value in (self.alerts_a_day, self.false_discovery_rate, self.score) if value is not None]
        if len(given) != 1:
            raise ConfigurationError(
                "Give one of --alerts-a-day N, --fdr SHARE and --score S: a threshold is a budget, a false discovery "
                "rate or a score."
            )
        if self.score is not None and not math.isfinite(self.score):
            raise ConfigurationError(f"--score is {self.score}; give a number.")
        if self.alerts_a_day is not None and self.alerts_a_day < 0:
            raise ConfigurationError(f"--alerts-a-day is {self.alerts_a_day}; give 0 or more.")
        if self.false_discovery_rate is not None and not 0 < self.false_discovery_rate < 1:
            raise ConfigurationError(f"--fdr is {self.false_discovery_rate}; give a share between 0 and 1.")

    def __str__(self) -> str:
        """Return it in words."""
        if self.alerts_a_day is not None:
            return f"at most {self.alerts_a_day} rows a day"
        if self.false_discovery_rate is not None:
            return f"a false discovery rate of {self.false_discovery_rate:g}"
        return f"scores above {self.score:g}"


@dataclass(frozen=True)
class Replayed:
    """What a policy would have done on one day: rows that alert, and of those labelled how many were malicious.

    `lacking` are the rows of earlier days that there are too few of for a single row to alert, whatever it does.
    """

    day: date
    alerts: int
    labelled: int
    malicious: int
    lacking: int = 0


@dataclass(frozen=True)
class PastDay:
    """A day's scores, higher is more ANOMALOUS: as the night saw them, and as the labels of the day's own rows left them."""

    day: date
    unlearned: Floats
    learned: Floats


def alerting(policy: Policy, scores: Floats, before: Sequence[Floats]) -> NDArray[np.bool_]:
    """Return which rows of a day alert, shape as `scores`. A row that says nothing (score 0) never does.

    Parameters
    ----------
    scores : of the day, higher is more ANOMALOUS
    before : those of the days before it, a table each
    """
    says = scores > 0
    if policy.score is not None:
        return np.asarray(says & (scores > policy.score))
    if policy.alerts_a_day is not None:
        return says & _within_budget(policy.alerts_a_day, scores, before)
    reference = np.concatenate([np.empty(0), *before])
    if policy.false_discovery_rate is None or len(reference) < LEAST_REFERENCE or not len(scores):
        return np.zeros(len(scores), bool)
    p_values = conformal_p_values(reference, scores)
    return np.asarray(says & discoveries(p_values, false_discovery_rate=policy.false_discovery_rate))


def replay_policy(
    policy: Policy, history: Sequence[PastDay], verdicts: Sequence[dict[int, bool]] = ()
) -> list[Replayed]:
    """Return what a policy would have done on each day of the history, by the days before it.

    What was said of a day's own rows came after its night, and does not change which of them alert.
    """
    replayed = []
    for i, past in enumerate(history):
        rows = np.flatnonzero(alerting(policy, past.unlearned, [of.learned for of in history[:i]])).tolist()
        of_day = verdicts[i] if i < len(verdicts) else {}
        known = [of_day[row] for row in rows if row in of_day]
        lacking = rows_needed(policy, len(past.unlearned)) - sum(len(of.learned) for of in history[:i])
        replayed.append(Replayed(past.day, len(rows), len(known), sum(known), max(0, lacking)))
    return replayed


def rows_needed(policy: Policy, rows: int) -> int:
    """Return how many rows of earlier days it takes so that one of so many rows of a day can alert.

    Its p-value is 1 / (n + 1) at least, and alone it alerts up to rate / rows: Benjamini and Hochberg 1995,
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> rows_needed(Policy(false_discovery_rate=0.05), 300), rows_needed(Policy(alerts_a_day=5), 300)
    (5999, 0)
    """
    if policy.false_discovery_rate is None or not rows:
        return 0
    return max(LEAST_REFERENCE, math.ceil(rows / policy.false_discovery_rate) - 1)


def read_policy(folder: Path, settings: NightSettings) -> Policy:
    """Return what a person has set for a dataset; else what the settings say."""
    path = folder / "threshold.json"
    if path.is_file():
        return Policy(**read_json(path))
    if settings.false_discovery_rate:
        return Policy(false_discovery_rate=settings.false_discovery_rate)
    return Policy(alerts_a_day=settings.alerts_a_day)


def write_policy(folder: Path, policy: Policy) -> None:
    """Set a policy for a dataset from the next night on."""
    write_json(folder / "threshold.json", asdict(policy))


def _within_budget(per_day: int, scores: Floats, before: Sequence[Floats]) -> NDArray[np.bool_]:
    """Return the rows above the budget's threshold; on a day that has more of them than that, its highest.

    The first day has no history: its own highest rows are the budget.
    """
    if not per_day or not len(scores):
        return np.zeros(len(scores), bool)
    own = _highest(scores, per_day)
    days = [of for of in before if len(of)]
    if not days:
        return own
    times = np.repeat(np.arange(len(days)), [len(of) for of in days]).astype("datetime64[D]")
    threshold = budget_threshold(np.concatenate(days), times, per_day=per_day, share_of_days=0.5)
    return own & (scores > threshold.value)


def _highest(scores: Floats, n: int) -> NDArray[np.bool_]:
    """Return the `n` highest rows; of equal ones at the end none, unless that leaves nothing."""
    if len(scores) <= n:
        return np.ones(len(scores), bool)
    limit = np.partition(scores, len(scores) - n - 1)[len(scores) - n - 1]
    above = scores > limit
    return np.asarray(above if above.any() else scores >= limit)
