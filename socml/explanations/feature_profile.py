"""A feature table and what was said of its rows → what each feature looks like: spread, usual range, missing, leaks.

profile_features(features, labels)   →  one FeatureProfile a feature
correlated_features(features)        →  pairs of features that say nearly the same
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.explanations.usual import HIGH, LOW
from socml.features import feature_names, of_rows, plain_table

if TYPE_CHECKING:
    import pandas as pd

BINS = 24
MOST_VALUES = 12  # of a category, that are counted by name
LEAST_OF_EACH = 8  # rows with each of two labels, below which a leak is not spoken of
LEAK = 0.995  # area under the curve of one feature alone, above which it seems to say the label
MANY_MISSING = 0.5
ALIKE = 0.95  # rank correlation from which two features say nearly the same
COMPARED = 20_000  # rows by which features are correlated


@dataclass(frozen=True)
class FeatureProfile:
    """What one feature looks like.

    Attributes
    ----------
    feature : its name
    is_number : else it is a category
    missing : share of rows without a value, 0 to 1
    low, high : of numbers, between which the middle 80 % of rows lie; None where there are none
    edges : of numbers, the borders of the bins, one more than bins; spread as the logarithm where `is_log`
    values : of categories, the most frequent ones, in the order of `counts`
    counts : label → rows in each bin or value; "" stands for rows without a label
    warnings : codes: constant, mostly-missing, leak
    separation : of the feature alone, how well it tells malicious from other labels, 0.5 to 1; None where not known
    """

    feature: str
    is_number: bool
    missing: float
    low: float | None
    high: float | None
    edges: tuple[float, ...] = field(repr=False)
    is_log: bool
    values: tuple[str, ...] = field(repr=False)
    counts: dict[str, tuple[int, ...]] = field(repr=False)
    warnings: tuple[str, ...]
    separation: float | None


@dataclass(frozen=True)
class CorrelatedPair:
    """Two features that say nearly the same, and their rank correlation, −1 to 1."""

    first: str
    second: str
    correlation: float


def profile_features(features: pd.DataFrame, labels: pd.Series | None = None) -> list[FeatureProfile]:
    """Return what each feature of a table looks like, in the table's order.

    Blind to leaks that take two features together.

    Parameters
    ----------
    features : index row_id, or a column of that name
    labels : index row_id, a verdict or truth each; rows that are not named have none

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"flows": [1.0, 2.0, None, 4.0]}, index=list("abcd"))
    >>> found = profile_features(table, pd.Series({"d": "malicious"}))[0]
    >>> found.missing, sum(found.counts["malicious"]), sum(found.counts[""])
    (0.25, 1, 2)
    """
    table = _indexed(features)
    verdicts = _said(table, labels)
    return [_profile(str(name), table[name], verdicts) for name in feature_names(table)]


def correlated_features(features: pd.DataFrame, *, least: float = ALIKE) -> list[CorrelatedPair]:
    """Return the pairs of numeric features whose rank correlation is `least` or more either way, the strongest first.

    Of large tables, the first 20,000 rows are compared. Blind to dependence that neither rises nor falls throughout.
    """
    table = _indexed(features).head(COMPARED)
    numbers = [name for name in feature_names(table) if _is_number(table[name])]
    ranks = table[numbers].rank()
    matrix = ranks.corr().to_numpy()
    pairs = [
        CorrelatedPair(str(numbers[i]), str(numbers[j]), float(matrix[i, j]))
        for i, j in zip(*np.triu_indices(len(numbers), 1), strict=True)
        if abs(matrix[i, j]) >= least  # a constant feature correlates with nothing: NaN is not
    ]
    return sorted(pairs, key=lambda pair: -abs(pair.correlation))


def _indexed(features: pd.DataFrame) -> pd.DataFrame:
    table = plain_table(features)
    if "row_id" not in table.columns:
        return table
    indexed = table.set_index("row_id")
    indexed.attrs = dict(table.attrs)
    return indexed


def _said(table: pd.DataFrame, labels: pd.Series | None) -> NDArray[np.object_]:
    if labels is None:
        return np.full(len(table), "", dtype=object)
    given = of_rows(labels, table.index)
    return np.asarray(given.astype(object).where(given.notna(), ""), dtype=object)


def _is_number(column: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _profile(name: str, column: pd.Series, verdicts: NDArray[np.object_]) -> FeatureProfile:
    if _is_number(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.isfinite(values)
        edges, is_log = _edges(values[known])
        counts = {label: _binned(values[known & (verdicts == label)], edges) for label in _labels(verdicts)}
        low, high = np.quantile(values[known], [LOW, HIGH]).tolist() if known.any() else (None, None)
        separation = _separation(values, verdicts)
        distinct = len(np.unique(values[known][:COMPARED]))
        return FeatureProfile(
            name, True, float(1 - known.mean()) if len(values) else 0.0, low, high, tuple(edges.tolist()), is_log, (),
            counts, _warnings(float(1 - known.mean()) if len(values) else 0.0, distinct, separation), separation,
        )  # fmt: skip
    missing = float(column.isna().mean()) if len(column) else 0.0
    known = column.notna().to_numpy()
    texts = column.astype(str).to_numpy(dtype=object)
    frequent = tuple(str(value) for value in column[known].astype(str).value_counts().index[:MOST_VALUES])
    counts = {
        label: tuple(int(((texts == value) & known & (verdicts == label)).sum()) for value in frequent)
        for label in _labels(verdicts)
    }
    rarity = np.asarray(column.astype(str).map(column.astype(str).value_counts()), dtype=np.float64)
    separation = _separation(rarity, verdicts)
    return FeatureProfile(
        name, False, missing, None, None, (), False, frequent, counts,
        _warnings(missing, len(frequent), separation), separation,
    )  # fmt: skip


def _labels(verdicts: NDArray[np.object_]) -> list[str]:
    return sorted({str(label) for label in verdicts})


def _edges(known: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the borders of the bins, and whether they grow: heavy-tailed counts and bytes are seen on no other scale."""
    if not len(known):
        return np.empty(0), False
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.array([low, low + 1.0]), False
    if low >= 0 and high > 20 * max(float(np.median(known)), 1.0):
        return np.expm1(np.linspace(np.log1p(low), np.log1p(high), BINS + 1)), True
    return np.linspace(low, high, BINS + 1), False


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[int, ...]:
    if len(edges) < 2:
        return ()
    within = np.clip(values, edges[0], edges[-1])  # the last border is rounded
    return tuple(int(n) for n in np.histogram(within, edges)[0])


def _separation(values: NDArray[np.float64], verdicts: NDArray[np.object_]) -> float | None:
    """Return the area under the curve of one feature alone, whichever way it points; None while too few are labelled."""
    from sklearn.metrics import roc_auc_score

    labelled = np.flatnonzero((verdicts != "") & (verdicts != "unsure") & (verdicts != "skip"))
    malicious = verdicts[labelled] == "malicious"
    if min(int(malicious.sum()), int((~malicious).sum())) < LEAST_OF_EACH:
        return None
    here = values[labelled]
    filled = np.where(
        np.isfinite(here), here, np.nanmedian(here[np.isfinite(here)]) if np.isfinite(here).any() else 0.0
    )
    area = float(roc_auc_score(malicious, filled))
    return max(area, 1.0 - area)


def _warnings(missing: float, distinct: int, separation: float | None) -> tuple[str, ...]:
    found = {
        "constant": distinct <= 1,
        "mostly-missing": missing > MANY_MISSING,
        "leak": separation is not None and separation >= LEAK,
    }
    return tuple(code for code, holds in found.items() if holds)
