"""One row and its explanation → the fewest of its values that would have to be usual for it to be ordinary; and the ordinary row most like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from socml.explanations.sentences import percentile_in_words
from socml.explanations.values import cell_in_words, feature_label
from socml.project import DataError, TableMetadata, metadata_of, words

if TYPE_CHECKING:
    import pandas as pd

    from socml.models import ModelVersion

ORDINARY = 95.0  # percentile below which a row is called ordinary
TRIED = 5  # top features of which every subset is tried; beyond, they are added one by one


@dataclass(frozen=True)
class WouldBeNormal:
    """What would make a row ordinary.

    Attributes
    ----------
    features : the features to set to the usual, most pushing first; empty if none is needed or none suffices
    typical : feature → the usual value it was set to (median, or most frequent category; None is missing)
    now, then : percentile of the row as it is, and with those values
    """

    features: list[str]
    typical: dict[str, object]
    now: float
    then: float


def what_would_be_normal(version: ModelVersion, row: pd.DataFrame, explained: pd.DataFrame) -> WouldBeNormal:
    """Return the smallest set of features that, set to everyone's usual, brings the row below percentile 95.

    Every subset of the five that push most is scored again; if none suffices, more are added one by one.

    Parameters
    ----------
    row : the feature row, a table of one row
    explained : its explanation rows
    """
    return would_be_normal(version, row, [explained])[0]


def would_be_normal(
    version: ModelVersion, rows: pd.DataFrame, explained: Sequence[pd.DataFrame]
) -> list[WouldBeNormal]:
    """Return `what_would_be_normal` of each row, all sets of all rows scored at once.

    Parameters
    ----------
    rows : n feature rows
    explained : the explanation rows of each, in the order of `rows`
    """
    sets = [_sets(table) for table in explained]
    percentiles = _percentiles(version, rows, sets)
    return [_smallest(version, of_row, *scored) for of_row, scored in zip(sets, percentiles, strict=True)]


def _sets(explained: pd.DataFrame) -> list[list[str]]:
    """Return the sets of features to try, none first, then the smaller ones."""
    order = np.argsort(explained["position"].to_numpy(), kind="stable")
    pushing = explained["feature"].to_numpy()[order][explained["contribution"].to_numpy()[order] > 0].tolist()
    top = pushing[:TRIED]
    sets = [list(chosen) for size in range(len(top) + 1) for chosen in combinations(top, size)]
    return sets + [pushing[:size] for size in range(len(top) + 1, len(pushing) + 1)]


def _smallest(version: ModelVersion, sets: list[list[str]], now: float, *then: float) -> WouldBeNormal:
    """Return the first set, none left out, whose percentile is ordinary."""
    if now < ORDINARY:
        return WouldBeNormal([], {}, now, now)
    enough = next((i for i, percentile in enumerate(then) if percentile < ORDINARY), None)
    if enough is None:
        return WouldBeNormal([], {}, now, min(then, default=now))
    chosen = sets[enough + 1]
    typical = version.preparation.typical_
    return WouldBeNormal(chosen, {name: typical[name] for name in chosen}, now, then[enough])


def normal_in_words(found: WouldBeNormal, *, features_metadata: TableMetadata, language: str = "en") -> str:
    """Return it as one honest sentence: also when nothing small suffices, or nothing is needed."""
    say = words(language)
    now, then = percentile_in_words(found.now, say), percentile_in_words(found.then, say)
    if not found.features:
        key = "ordinary" if found.now < ORDINARY else "nothing_suffices"
        return say(f"explanation.normal.{key}", now=now, then=then)
    changes = [
        say(
            "explanation.normal.change",
            what=feature_label(name, features_metadata, language),
            value=cell_in_words(name, found.typical[name], features_metadata, say),
        )
        for name in found.features
    ]
    return say("explanation.normal.change_of", changes=say("explanation.normal.and").join(changes), now=now, then=then)


def _percentiles(version: ModelVersion, rows: pd.DataFrame, sets: list[list[list[str]]]) -> list[list[float]]:
    """Return the percentiles of each row, one for each of its sets of features made usual."""
    counts = [len(of_row) for of_row in sets]
    changed = rows.iloc[np.repeat(np.arange(len(rows)), counts)].reset_index(drop=True)
    chosen = [frozenset(one) for of_row in sets for one in of_row]
    made = {}
    for name in frozenset().union(*chosen):
        typical = version.preparation.typical_[name]
        kind = float if isinstance(typical, float) else object  # a whole number that no float is, or a category
        column = changed[name].to_numpy(dtype=kind, na_value=np.nan, copy=True)
        column[[name in one for one in chosen]] = typical
        made[name] = column
    changed = changed.assign(**made)
    found = iter(version.reference.percentile(version.pipeline.score_samples(changed)).tolist())
    return [list(islice(found, n)) for n in counts]


@dataclass(frozen=True)
class NearestNormal:
    """The ordinary row nearest to a row.

    Attributes
    ----------
    row_id : the ordinary row
    now, then : percentile of the row, and of the ordinary one
    differs : DataFrame, index the feature, columns `here`, `there`, `share` of the distance; the largest first
    """

    row_id: str
    now: float
    then: float
    differs: pd.DataFrame = field(repr=False)
    metadata: TableMetadata = field(default_factory=TableMetadata, repr=False)

    def in_words(self, language: str = "en", top: int = 5) -> pd.DataFrame:
        """Return a line for each of the features that differ most: what, here, there. All text is inert."""
        import pandas as pd

        say = words(language)
        lines = [
            (
                feature_label(str(name), self.metadata, language),
                *(cell_in_words(str(name), cell, self.metadata, say) for cell in (row["here"], row["there"])),
            )
            for name, row in self.differs.head(top).iterrows()
        ]
        return pd.DataFrame(lines, columns=[say(f"explanation.nearest.{key}") for key in ("what", "here", "there")])


def nearest_normal(version: ModelVersion, features: pd.DataFrame, row_id: str) -> NearestNormal:
    """Return the row below percentile 95 that is nearest, each column of the matrix measured in its usual range.

    Raises
    ------
    DataError
        If the row is not in the table, or no other row is ordinary.
    """
    import pandas as pd

    table = features.set_index("row_id") if "row_id" in features.columns else features
    if row_id not in table.index:
        raise DataError(f"The feature table has no row {row_id!r}.")
    percentile = version.reference.percentile(version.pipeline.score_samples(table))
    at = int(table.index.get_indexer(pd.Index([row_id]))[0])
    ordinary = np.flatnonzero((percentile < ORDINARY) & (np.arange(len(table)) != at))
    if not len(ordinary):
        raise DataError(f"No other row of the table is ordinary (below percentile {ORDINARY:g}).")
    matrix, origin = version.preparation.in_numbers(table)
    away = np.abs(matrix[ordinary] - matrix[at]) / _usual_range(matrix[ordinary])
    nearest = int(away.sum(axis=1).argmin())
    there = ordinary[nearest]
    apart = pd.Series(away[nearest], index=pd.Index(origin)).groupby(level=0).sum()
    names = [str(name) for name in apart[apart > 0].sort_values(ascending=False, kind="stable").index]
    differs = pd.DataFrame(
        {
            "here": table.iloc[at][names].astype(object),
            "there": table.iloc[there][names].astype(object),
            "share": (apart[names] / max(float(apart.sum()), np.finfo(float).tiny)).astype(float),
        },
        index=pd.Index(names, name="feature"),
    )
    about = metadata_of(features).copy()
    return NearestNormal(str(table.index[there]), float(percentile[at]), float(percentile[there]), differs, about)


def _usual_range(matrix: np.ndarray) -> np.ndarray:
    """Return the middle 90 % of each column; the whole range where that is nothing, 1 where nothing varies."""
    low, high = np.quantile(matrix, [0.05, 0.95], axis=0)
    middle, whole = high - low, np.ptp(matrix, axis=0)
    usual = np.where(middle > 0, middle, whole)
    return np.where(usual > 0, usual, 1.0)
