"""One value a method and block (a dataset) → which methods differ by more than chance.

References
----------
J. Demšar (2006), «Statistical Comparisons of Classifiers over Multiple Data Sets», JMLR 7. A. Benavoli, G. Corani,
F. Mangili (2016), «Should We Really Use Post-Hoc Tests Based on Mean-Ranks?», JMLR 17: why the pairs are tested
with Wilcoxon's test and not by their mean ranks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from socml.project import DataError

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05


class PairRecord(TypedDict):
    """Two methods, and the p-value that they are the same."""

    methods: list[str]
    p: float


class ComparisonRecord(TypedDict, total=False):
    """A `Comparison` as plain values; None is what could not be tested."""

    mean_ranks: dict[str, float]
    friedman_p: float | None
    critical_difference: float | None
    pairs: list[PairRecord]
    blocks: int
    notices: list[str]


@dataclass(frozen=True)
class Comparison:
    """Which methods differ.

    Attributes
    ----------
    mean_ranks : method → mean rank over the blocks, 1 is best
    friedman_p : p-value that all are the same; NaN if it cannot be tested
    critical_difference : mean ranks further apart differ at 5 % (Nemenyi); NaN if it cannot be said
    pairs : (method, method) → p-value of Wilcoxon's signed-rank test, adjusted by Holm
    blocks : number of blocks
    notices : what the figures do not say
    """

    mean_ranks: dict[str, float]
    friedman_p: float
    critical_difference: float
    pairs: dict[tuple[str, str], float]
    blocks: int
    notices: list[str] = field(default_factory=list)

    def to_dict(self) -> ComparisonRecord:
        """Return it as plain values."""
        pairs: list[PairRecord] = [{"methods": list(names), "p": p} for names, p in self.pairs.items()]
        return {
            "mean_ranks": self.mean_ranks,
            "friedman_p": None if np.isnan(self.friedman_p) else self.friedman_p,
            "critical_difference": None if np.isnan(self.critical_difference) else self.critical_difference,
            "pairs": pairs,
            "blocks": self.blocks,
            "notices": self.notices,
        }


def compare_methods(values: pd.DataFrame) -> Comparison:
    """Return which methods differ: `values` has a column a method and a row a block; higher is better.

    Raises
    ------
    DataError
        If there is nothing to compare, or a value is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> values = pd.DataFrame({"a": [0.9, 0.8, 0.9, 0.7], "b": [0.5, 0.6, 0.4, 0.3], "c": [0.1, 0.2, 0.3, 0.2]})
    >>> found = compare_methods(values)
    >>> found.mean_ranks, round(found.friedman_p, 3)
    ({'a': 1.0, 'b': 2.0, 'c': 3.0}, 0.018)
    """
    if values.shape[1] < 2 or not len(values):
        raise DataError("A comparison needs two methods and one block.")
    if values.isna().to_numpy().any():
        raise DataError("A method has no value in some block: methods are compared over the same blocks.")
    names = [str(name) for name in values.columns]
    matrix = values.to_numpy(dtype=np.float64)
    ranks = _ranks(matrix)
    notices = []
    if len(matrix) < 6:
        notices.append(
            f"{len(matrix)} blocks: with fewer than 6, no pair can differ at 5 % by Wilcoxon's test whatever the values."
        )
    return Comparison(
        mean_ranks=dict(zip(names, ranks.mean(axis=0).tolist(), strict=True)),
        friedman_p=friedman(matrix),
        critical_difference=critical_difference(len(names), len(matrix)),
        pairs=_pairs(names, matrix),
        blocks=len(matrix),
        notices=notices,
    )


def friedman(matrix: np.ndarray) -> float:
    """Return the p-value, with ties allowed for, that columns of (n_blocks, n_methods) are the same; NaN if untestable.

    Examples
    --------
    >>> bool(np.isnan(friedman(np.ones((4, 3)))))
    True
    """
    from scipy.stats import friedmanchisquare

    blocks, methods = matrix.shape
    if methods < 3 or blocks < 2 or bool((matrix == matrix[:, :1]).all()):
        return float("nan")
    return float(friedmanchisquare(*matrix.T).pvalue)


def critical_difference(methods: int, blocks: int) -> float:
    """Return Nemenyi's critical difference of mean ranks at 5 %; NaN with one block or method.

    Examples
    --------
    >>> round(critical_difference(4, 14), 2)  # Demšar (2006), section 3.2.2
    1.25
    """
    from scipy.stats import studentized_range

    if methods < 2 or blocks < 2:
        return float("nan")
    quantile = float(studentized_range.ppf(1 - ALPHA, methods, np.inf)) / np.sqrt(2.0)
    return float(quantile * np.sqrt(methods * (methods + 1) / (6.0 * blocks)))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted by Holm's step-down method, in their order.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    first = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[first] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[first] = np.minimum(stepped, 1.0)
    return adjusted


def _pairs(names: list[str], matrix: np.ndarray) -> dict[tuple[str, str], float]:
    from scipy.stats import wilcoxon

    pairs = list(combinations(range(len(names)), 2))
    raw = []
    for a, b in pairs:
        differences = matrix[:, a] - matrix[:, b]
        raw.append(float(wilcoxon(differences).pvalue) if np.any(differences != 0) else 1.0)
    adjusted = holm(np.array(raw))
    return {(names[a], names[b]): float(p) for (a, b), p in zip(pairs, adjusted, strict=True)}


def _ranks(matrix: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(-matrix, axis=1))
