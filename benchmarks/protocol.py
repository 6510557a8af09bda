"""Figures of several candidates on grouped tables → what leave-one-group-out picks, with intervals and a sign test.

A constant, a weight or a rule is chosen on all groups of tables but one and reported on that one, group by group: no
table has a part in the choice that it is reported with. Tables of one origin are one group, whatever their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

# Words of a case's name → its group; the first that fits counts.
GROUPS = {
    "KDD": ("http", "smtp", "NSL-KDD"),
    "network": ("UNSW", "CIC-IDS", "Stratosphere"),
    "logs": ("sequences", "HTTP parameters"),
    "medical": ("annthyroid", "thyroid", "breastw", "cardio", "Cardiotocography", "mammography"),
    "image": ("landsat", "letter", "optdigits", "pendigits", "satellite", "PageBlocks", "Wilt"),
    "sensor": ("fault", "Ionosphere", "shuttle", "vowels", "Waveform", "glass", "wine", "yeast"),
    "business": ("InternetAds", "campaign"),
}
LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Ours less a peer's: the mean over tables, its interval, and how often ours was ahead.

    Attributes
    ----------
    mean, low, high : the mean and its 95 % interval, tables and the seeds of each drawn anew
    ahead, behind : tables; ties are neither
    p : of the two-sided sign test: how likely a split as uneven is, were both equally good
    """

    mean: float
    low: float
    high: float
    ahead: int
    behind: int
    p: float


def group_of(case: str) -> str:
    """Return the group that a case belongs to.

    Raises
    ------
    LookupError
        If the case is of no group: give it one above, before anything is chosen on it.
    """
    for group, words in GROUPS.items():
        if any(word in case for word in words):
            return group
    raise LookupError(f"Case {case!r} is of no group in benchmarks/protocol.py; add it to one.")


def leave_one_group_out(figures: Mapping[str, Mapping[str, float]], *, errors: float = 0.0) -> dict[str, str]:
    """Return for each case the candidate that is best in the mean over the cases of all other groups.

    Parameters
    ----------
    figures : case → candidate → figure, higher is better; all cases have the same candidates, the most cautious first
    errors : standard errors of the mean difference by which the best must be ahead of one that stands before it

    Examples
    --------
    >>> few = {"http": {"plain": 0.5, "fine": 0.5}, "cardio": {"plain": 0.5, "fine": 0.7}, "letter": {"plain": 0.5, "fine": 0.4}}
    >>> leave_one_group_out(few)
    {'http': 'fine', 'cardio': 'plain', 'letter': 'fine'}
    >>> leave_one_group_out(few, errors=1.0)["http"]
    'plain'
    """
    chosen: dict[str, str] = {}
    for group in dict.fromkeys(group_of(case) for case in figures):
        others = [figures[case] for case in figures if group_of(case) != group] or list(figures.values())
        best = _most_cautious(others, errors)
        chosen |= {case: best for case in figures if group_of(case) == group}
    return chosen


def _most_cautious(figures: Sequence[Mapping[str, float]], errors: float) -> str:
    """Return the first candidate that is behind the best by no more than so many standard errors."""
    candidates = list(figures[0])
    best = max(candidates, key=lambda name: float(np.mean([of[name] for of in figures])))
    for name in candidates:
        behind = np.array([of[best] - of[name] for of in figures])
        error = behind.std(ddof=1) / np.sqrt(len(behind)) if len(behind) > 1 else 0.0
        if behind.mean() <= errors * error:
            return name
    return best


def compare(ours: Sequence[Sequence[float]], peers: Sequence[Sequence[float]], *, draws: int = 2000) -> Difference:
    """Return how ours differs from a peer's; of each table the figures by seed, in the same order.

    Examples
    --------
    >>> told = compare([[0.5, 0.6], [0.9, 0.9], [0.4, 0.4]], [[0.4, 0.5], [0.8, 0.8], [0.4, 0.4]])
    >>> round(told.mean, 3), told.ahead, told.behind, told.p
    (0.067, 2, 0, 0.5)
    """
    by_seed = [np.asarray(own, float) - np.asarray(other, float) for own, other in zip(ours, peers, strict=True)]
    tables = np.array([of.mean() for of in by_seed])
    random = np.random.default_rng(0)
    means = np.empty(draws)
    for draw in range(draws):
        drawn = random.integers(len(by_seed), size=len(by_seed))
        means[draw] = np.mean(
            [by_seed[at][random.integers(by_seed[at].size, size=by_seed[at].size)].mean() for at in drawn]
        )
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    ahead, behind = int((tables > 1e-9).sum()), int((tables < -1e-9).sum())
    p = stats.binomtest(ahead, ahead + behind).pvalue if ahead + behind else 1.0
    return Difference(float(tables.mean()), float(low), float(high), ahead, behind, float(p))
