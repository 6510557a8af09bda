"""A feature table with a column of sequences → the texts that a detector of sequences reads, kept inside the model.

A sequence is a text: its tokens in order, blanks between them. It stays as it is; only what has to be told of it in
numbers, for a detector's neighbours, is counted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from socml.features.given_table import feature_names
from socml.project import ModelError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

COUNTS = 64  # columns that tokens are counted in


class Sequences(TransformerMixin, BaseEstimator):
    """Hand on the one column of a table that holds sequences; the other features are left out.

    A missing sequence is an empty one. Blind to all that is not in that column.

    Parameters
    ----------
    column : the feature that holds sequences; if empty, the only one that is text

    Attributes
    ----------
    feature_names_in_ : list of that one feature
    origin_ : column of the matrix → feature it came from: itself
    typical_ : feature → its most frequent sequence
    dropped_ : other feature → why it is not read
    missing_ : feature → share of rows in which it was missing, 0 to 1

    Raises
    ------
    ModelError
        If there is no such column, or no or more than one of text to choose from.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"steps": ["open read", None], "events": [2.0, 0.0]})
    >>> sequences = Sequences().fit(table)
    >>> sequences.transform(table).tolist(), sequences.dropped_
    ([['open read'], ['']], {'events': 'is no sequence'})
    """

    def __init__(self, *, column: str = "") -> None:
        self.column = column

    def fit(self, X: pd.DataFrame, y: object = None) -> Sequences:
        """Learn which column it is, and what is frequent there; `y` is ignored."""
        if not len(X):
            raise ModelError("The feature table has no rows: there is nothing to learn what is usual from.")
        names = feature_names(X)
        name = self.column or _only_text(X, names)
        if name not in names:
            raise ModelError(f"The feature table has no column {name!r} of sequences.{did_you_mean(name, names)}")
        texts = self._texts(X, name)
        values, counts = np.unique(texts.astype(str), return_counts=True)
        self.feature_names_in_ = self.feature_names_out_ = [name]
        self.numbers_: dict[str, object] = {}
        self.categories_: dict[str, dict[str, object]] = {name: {}}
        self.origin_ = {name: name}
        self.dropped_ = {other: "is no sequence" for other in names if other != name}
        self.missing_ = {name: float(X[name].isna().mean())}
        self.typical_ = {name: str(values[counts.argmax()])}
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the sequences, shape (n_rows, 1), objects that are texts."""
        check_is_fitted(self, "origin_")
        return self._texts(X, self.feature_names_in_[0])[:, None]

    def in_numbers(self, X: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        """Return rows as numbers that can be compared, and the feature that each column came from.

        How often tokens come, on a logarithmic scale: shape (n_rows, 64), float32; tokens are told by their hashes.
        """
        check_is_fitted(self, "origin_")
        places: dict[str, int] = {}
        counted = np.zeros((len(X), COUNTS), dtype=np.float32)
        for i, text in enumerate(self._texts(X, self.feature_names_in_[0])):
            for token in text.split():
                if token not in places:
                    places[token] = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0]
                counted[i, places[token] % COUNTS] += 1.0
        return np.log1p(counted), [self.feature_names_in_[0]] * COUNTS

    def blank(self) -> np.ndarray:
        """Return one row of the matrix, with nothing in it."""
        return np.array([[""]], dtype=object)

    def _texts(self, X: pd.DataFrame, name: str) -> np.ndarray:
        if name not in X.columns:
            raise ModelError(f"The feature table has no column {name!r}, which the model reads.")
        column = X[name].astype(object)
        return np.array([str(value) for value in column.where(column.notna(), "")], dtype=object)


def _only_text(X: pd.DataFrame, names: list[str]) -> str:
    from pandas.api import types

    texts = [name for name in names if name in X.columns and not types.is_numeric_dtype(X[name])]
    if len(texts) == 1:
        return texts[0]
    found = "has none" if not texts else f"has several: {', '.join(texts)}"
    raise ModelError(
        f"A detector of sequences reads one column of text, and the feature table {found}."
        " Name it: [preparation] column"
    )
