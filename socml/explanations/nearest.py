"""One row of a feature table → the ordinary row that is most like it, and where the two differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from socml.explanations.normal import ORDINARY
from socml.explanations.values import cell_in_words, feature_label
from socml.project import DataError, TableMetadata, metadata_of, words

if TYPE_CHECKING:
    import pandas as pd

    from socml.models import ModelVersion


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
