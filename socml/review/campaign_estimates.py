"""Counts and draws → estimates with intervals of 95 %.

References
----------
E. B. Wilson (1927), «Probable Inference», JASA 22 (shares).
J. Cohen (1960), «A Coefficient of Agreement for Nominal Scales», Educational and Psychological Measurement 20.
D. G. Horvitz, D. J. Thompson (1952), «A Generalization of Sampling Without Replacement», JASA 47; D. Raj (1956),
«Some Estimators in Sampling with Varying Probabilities Without Replacement», JASA 51 (draws one after the other).
C. J. Clopper, E. S. Pearson (1934), «The Use of Confidence or Fiducial Limits», Biometrika 26 (exact limits).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z = 1.959963984540054  # the normal quantile of a two-sided interval of 95 %
TAIL = 0.025


@dataclass(frozen=True)
class Estimate:
    """A figure, its interval of 95 %, and how many labels it rests on. Without any, the value is null."""

    value: float | None
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, object]:
        """Return it fit for JSON."""
        return asdict(self)


def share(hits: int, n: int) -> Estimate:
    """Estimate a share from `hits` of `n`, with Wilson's interval.

    Examples
    --------
    >>> share(9, 10)
    Estimate(value=0.9, low=0.596, high=0.982, n=10)
    >>> share(0, 0)
    Estimate(value=None, low=0.0, high=1.0, n=0)
    """
    if n == 0:
        return Estimate(None, 0.0, 1.0, 0)
    middle = (hits + Z * Z / 2) / (n + Z * Z)
    half = Z / (n + Z * Z) * math.sqrt(hits * (n - hits) / n + Z * Z / 4)
    return Estimate(hits / n, round(max(0.0, middle - half), 3), round(min(1.0, middle + half), 3), n)


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Estimate:
    """Return Cohen's kappa of verdicts that two analysts gave to the same rows: 1 agree, 0 no better than by chance.

    The interval is the large-sample one. Where both gave one and the same verdict throughout, chance explains
    it all and kappa is not defined: the value is null.

    Examples
    --------
    >>> both = [("malicious", "malicious")] * 45 + [("benign", "benign")] * 45
    >>> found = agreement([*both, *[("malicious", "benign")] * 10])  # error: √(0.9 × 0.1 / 100) / 0.505
    >>> found.value, found.low, found.high
    (0.802, 0.686, 0.918)
    """
    n = len(pairs)
    if n == 0:
        return Estimate(None, -1.0, 1.0, 0)
    first, second = zip(*pairs, strict=True)
    classes = sorted({*map(str, first), *map(str, second)})
    observed = sum(a == b for a, b in pairs) / n
    by_chance = sum((list(map(str, first)).count(c) / n) * (list(map(str, second)).count(c) / n) for c in classes)
    if by_chance >= 1.0:
        return Estimate(None, -1.0, 1.0, n)
    kappa = (observed - by_chance) / (1 - by_chance)
    error = math.sqrt(observed * (1 - observed) / n) / (1 - by_chance)
    return Estimate(round(kappa, 3), round(max(-1.0, kappa - Z * error), 3), round(min(1.0, kappa + Z * error), 3), n)


def malicious_among_open(
    open_before: ArrayLike, found_since: ArrayLike, is_malicious: ArrayLike, *, open_now: int
) -> Estimate:
    """Estimate how many malicious rows are left among those that nobody has labelled.

    Each draw was one open row, all as likely: it was malicious with probability (left + found_since) /
    open_before. So is_malicious × open_before − found_since is an unbiased estimate of what is left (inverse
    probability, one draw after the other), and their mean is too, whatever was labelled in between. The
    interval holds all numbers under which as many malicious draws as there were, or fewer, and as many or
    more, both have a probability of 2.5 %.

    Parameters
    ----------
    open_before : shape (n_draws,), rows without a label just before each draw: 1 / inclusion probability
    found_since : shape (n_draws,), malicious rows that were labelled from that draw on, itself included
    is_malicious : shape (n_draws,), what the draw was
    open_now : rows without a label now

    Examples
    --------
    >>> malicious_among_open([1000.0] * 40, [3] * 40, [True] + [False] * 39, open_now=960)
    Estimate(value=22.0, low=0.0, high=129.0, n=40)
    """
    sizes, since, drawn = (np.asarray(a, dtype=np.float64) for a in (open_before, found_since, is_malicious))
    if not len(sizes):
        return Estimate(None, 0.0, float(open_now), 0)
    value = min(max(float((drawn * sizes - since).mean()), 0.0), float(open_now))
    hits = int(drawn.sum())
    from scipy.stats import poisson_binom

    def chances(left: int) -> NDArray[np.float64]:
        return np.clip((left + since) / sizes, 0.0, 1.0)

    low = _first(lambda left: bool(poisson_binom.sf(hits - 1, chances(left)) > TAIL), open_now)
    high = _first(lambda left: bool(poisson_binom.cdf(hits, chances(left)) <= TAIL), open_now)
    return Estimate(round(value, 1), float(low), float(max(high, low)), len(sizes))


def _first(holds: Callable[[int], bool], most: int) -> int:
    """Return the least number from 0 to `most` at which a condition that stays true becomes true."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
