"""Counts, or an order and what is known of its rows → intervals that hold the true value 95 times in a hundred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054  # two-sided 95 % of a normal distribution
FEWEST_GROUPS = 10  # groups to resample; with fewer, rows are resampled one by one


def wilson(hits: float, of: float) -> tuple[float, float]:
    """Return Wilson's interval of a share, low and high; (0, 1) where nothing was counted.

    References
    ----------
    E. B. Wilson (1927), «Probable Inference, the Law of Succession, and Statistical Inference», JASA 22.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if of <= 0:
        return 0.0, 1.0
    share, spread = hits / of, Z95 * Z95 / of
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * np.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return float(max(centre - half, 0.0)), float(min(centre + half, 1.0))


@dataclass(frozen=True)
class SortedRows:
    """Rows in the order they are looked at, ready to be weighed again and again.

    Attributes
    ----------
    first : positions of the rows, the first to be looked at first
    ends : last place (in `first`) of each run of equal values
    hit : float, 1 where the row at that place is malicious
    """

    first: np.ndarray
    ends: np.ndarray
    hit: np.ndarray

    @classmethod
    def of(cls, order: np.ndarray, malicious: np.ndarray) -> SortedRows:
        """Sort rows by `order`, the lowest first; `malicious` is 1 or 0."""
        first = np.argsort(order, kind="stable")
        return cls(first, ends_of_ties(np.asarray(order)[first]), np.asarray(malicious, dtype=np.float64)[first])

    def measured(self, weight: np.ndarray, at: Sequence[int]) -> dict[str, float]:
        """Return average precision, AUROC and precision@k of rows that count `weight` times each; NaN if undefined."""
        here = weight[self.first]
        seen, hits = np.cumsum(here)[self.ends], np.cumsum(here * self.hit)[self.ends]
        total, others = hits[-1], seen - hits
        found = {f"precision_at_{k}": _precision(k, seen, hits) for k in at}
        if total <= 0 or others[-1] <= 0:
            return {"average_precision": np.nan, "auroc": np.nan, **found}
        gained = np.diff(hits, prepend=0)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        area = np.sum(np.diff(others, prepend=0) * (hits + np.concatenate([[0], hits[:-1]])) / 2)
        return {
            "average_precision": float(gained @ precision / total),
            "auroc": float(area / (total * others[-1])),
            **found,
        }


def ends_of_ties(ordered: np.ndarray) -> np.ndarray:
    """Return the last place of each run of equal values, of values in order; those at infinity are equal too.

    Examples
    --------
    >>> ends_of_ties(np.array([1.0, 1.0, 2.0, np.inf, np.inf])).tolist()
    [1, 2, 4]
    """
    return np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])


def bootstrap(
    order: np.ndarray,
    malicious: np.ndarray,
    *,
    rng: np.random.Generator,
    at: Sequence[int] = (10, 100),
    groups: np.ndarray | None = None,
    replicates: int = 200,
) -> dict[str, tuple[float, float]]:
    """Return 95 % percentile intervals of average precision, AUROC and precision@k.

    Parameters
    ----------
    order : shape (n_rows,): the lowest is looked at first
    malicious : 1.0, 0.0, or NaN where nothing is known; such rows are left out
    groups : whom a row is about; whole groups are resampled, for rows of one are no independent evidence. With
        fewer than 10 groups rows are resampled one by one
    replicates : samples

    References
    ----------
    B. Efron, R. Tibshirani (1993), «An Introduction to the Bootstrap», Chapman & Hall.

    Examples
    --------
    >>> low, high = bootstrap(np.arange(40.0), np.repeat([1.0, 0.0], 20), rng=np.random.default_rng(0))["auroc"]
    >>> low, high
    (1.0, 1.0)
    """
    known = ~np.isnan(malicious)
    rows = SortedRows.of(order[known], malicious[known])
    draw = _drawer(known, groups, rng)
    return _intervals([rows.measured(draw(), at) for _ in range(replicates)]) if known.any() else {}


def paired_bootstrap(
    orders: tuple[np.ndarray, np.ndarray],
    malicious: np.ndarray,
    *,
    rng: np.random.Generator,
    at: Sequence[int] = (10, 100),
    groups: np.ndarray | None = None,
    replicates: int = 200,
) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals of the differences, second order less first, both of the same resampled rows.

    Parameters are those of `bootstrap`.
    """
    known = ~np.isnan(malicious)
    if not known.any():
        return {}
    a, b = (SortedRows.of(order[known], malicious[known]) for order in orders)
    draw = _drawer(known, groups, rng)
    differences = []
    for _ in range(replicates):
        weight = draw()
        one, other = a.measured(weight, at), b.measured(weight, at)
        differences.append({name: other[name] - one[name] for name in one})
    return _intervals(differences)


def _drawer(known: np.ndarray, groups: np.ndarray | None, rng: np.random.Generator) -> Callable[[], np.ndarray]:
    rows = int(known.sum())
    codes = np.arange(rows)
    if groups is not None:
        _, grouped = np.unique(np.asarray(groups)[known].astype(str), return_inverse=True)
        codes = grouped if grouped.size and grouped.max() + 1 >= FEWEST_GROUPS else codes
    count = int(codes.max(initial=-1)) + 1

    def draw() -> np.ndarray:
        return np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)[codes]

    return draw


def _intervals(measured: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    found = {}
    for name in measured[0]:
        values = np.array([m[name] for m in measured])
        values = values[np.isfinite(values)]
        if len(values) >= len(measured) // 2:
            low, high = np.quantile(values, [0.025, 0.975])
            found[name] = (float(low), float(high))
    return found


def _precision(k: int, seen: np.ndarray, hits: np.ndarray) -> float:
    if k > seen[-1]:
        return float("nan")
    return float(np.interp(k, np.concatenate([[0], seen]), np.concatenate([[0], hits])) / k)
