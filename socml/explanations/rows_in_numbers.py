"""A feature table → its rows as standardised numbers that can be compared, and the feature of each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.features import Preparation, plain_table

if TYPE_CHECKING:
    import pandas as pd

FURTHEST = 8.0  # standard deviations; one value far out would else be all that a map shows


@dataclass(frozen=True)
class RowsInNumbers:
    """Rows whose columns have mean 0 and standard deviation 1.

    Attributes
    ----------
    row_ids : names of the rows, in order
    matrix : shape (n_rows, n_columns), within ±`FURTHEST`
    features : the feature that each column came from
    """

    row_ids: pd.Index
    matrix: NDArray[np.float64]
    features: tuple[str, ...]


def rows_in_numbers(features: pd.DataFrame) -> RowsInNumbers:
    """Return the rows of a feature table as numbers: heavy tails on a logarithmic scale, categories as columns.

    Parameters
    ----------
    features : index row_id, or a column of that name; `entity` and `time` are no features

    Raises
    ------
    TableError
        If there is no row, or no feature varies.
    """
    table = plain_table(features)
    table = table.set_index("row_id") if "row_id" in table.columns else table
    preparation = Preparation().fit(table)
    matrix = preparation.transform(table).astype(np.float64)
    spread = matrix.std(axis=0)
    standard = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return RowsInNumbers(table.index, np.clip(standard, -FURTHEST, FURTHEST), tuple(preparation.origin_.values()))
