"""A feature table, block by block → the numeric rows an online detector reads, learned as they come.

Nothing has to be seen before: a number goes on a signed logarithmic scale, a category becomes how rare it was so
far, a missing number stays missing. A column that begins with a whole number beyond float64 is counted from that one.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import Floats, Ints
from socml.detectors.online._state import State
from socml.project import ModelError, did_you_mean, njit

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53  # whole numbers up to it are float64's
MOST_VALUES = 50_000  # values of a category that are remembered; a further one counts as never seen


class OnlineColumns:
    """Turn features into rows of float64, each by what came before it; blocks and single rows give the same.

    Blind to the order of categories, and to a value of a category that came after 50,000 others.

    Parameters
    ----------
    features : names of the columns to read, in order
    log : whether numbers go through sign(x)·log(1 + |x|)

    Attributes
    ----------
    kinds : feature → `number` or `category`, as the first block showed it
    offsets : feature → what its numbers are counted from: 0, or the first known one where that is whole and beyond 2^53

    Examples
    --------
    >>> import pandas as pd
    >>> columns = OnlineColumns(["bytes", "proto"])
    >>> columns.read(pd.DataFrame({"bytes": [0.0, None, 0.0], "proto": ["tcp", "tcp", "udp"]})).round(2).tolist()
    [[0.0, 0.0], [nan, 0.0], [0.0, 1.58]]
    """

    def __init__(self, features: list[str], *, log: bool = True) -> None:
        self.features, self.log = list(features), bool(log)
        self.kinds: dict[str, str] = {}
        self.offsets: dict[str, int] = {}
        self.rows = 0
        self._places: dict[str, dict[str, int]] = {}
        self._counts: dict[str, NDArray[np.int64]] = {}

    def read(self, table: pd.DataFrame, *, learn: bool = True) -> Floats:
        """Return the rows of a table, shape (n_rows, n_features), and learn how often each category comes.

        Raises
        ------
        ModelError
            If a column is absent, or changed from a number to a category or back.
        """
        block = np.empty((len(table), len(self.features)))
        for j, name in enumerate(self.features):
            if name not in table.columns:
                near = did_you_mean(name, [str(c) for c in table.columns])
                raise ModelError(f"The feature table has no column {name!r}, which the model reads.{near}")
            column = table[name]
            if self._kind(column, name) == "number":
                block[:, j] = self._numbers(column, name, learn)
            else:
                block[:, j] = self._rarity(column, name, learn)
        self.rows += len(table) if learn else 0
        return block

    def state(self) -> State:
        """Return all that was learned. Of a category's values only hashes are kept."""
        counts = {name: self._counts[name][: len(places)] for name, places in self._places.items()}
        order = {name: list(places) for name, places in self._places.items()}
        names = list(self._places)
        return {
            "features": self.features,
            "rows": self.rows,
            "kinds": self.kinds,
            "offsets": self.offsets,
            "categories": names,
            "values": [order[name] for name in names],
            "counts": {str(i): counts[name] for i, name in enumerate(names)},
        }

    def restore(self, state: State) -> None:
        """Continue where `state` was taken."""
        self.features, self.kinds, self.rows = list(state["features"]), dict(state["kinds"]), int(state["rows"])
        before = {name: 0 for name, kind in self.kinds.items() if kind == "number"}  # a state of before 0.3
        self.offsets = dict(state.get("offsets", before))
        self._places, self._counts = {}, {}
        for i, name in enumerate(state["categories"]):
            self._places[name] = {value: place for place, value in enumerate(state["values"][i])}
            self._counts[name] = np.array(state["counts"][str(i)], dtype=np.int64)

    def _kind(self, column: pd.Series, name: str) -> str:
        from pandas.api import types

        number = types.is_bool_dtype(column) or types.is_numeric_dtype(column)
        plain = types.is_string_dtype(column) or types.is_object_dtype(column) or column.dtype == "category"
        if types.is_complex_dtype(column) or not (number or plain or column.isna().all()):
            raise ModelError(f"Column {name!r} is {column.dtype}; a feature is a number, a truth value or a category.")
        kind = "number" if number else "category"
        known = self.kinds.get(name)
        if known is None and not (kind == "category" and column.isna().all()):
            self.kinds[name] = kind
        elif known is not None and known != kind and column.notna().any():
            raise ModelError(f"Column {name!r} was a {known} before, and holds a {kind} now.")
        return self.kinds.get(name, "number")

    def _numbers(self, column: pd.Series, name: str, learn: bool) -> Floats:
        known = column.notna()
        if not known.any():
            return np.full(len(column), np.nan)
        offset = self.offsets.get(name)
        if offset is None:
            offset = first_offset(column[known].iloc[0])
            if learn:
                self.offsets[name] = offset
        values = _counted_from(column, offset)
        if self.log:
            largest = np.finfo(np.float64).max
            values = np.clip(values, -largest, largest)
            values = np.sign(values) * np.log1p(np.abs(values))
        values[np.isinf(values)] = np.nan
        return values

    def _rarity(self, column: pd.Series, name: str, learn: bool) -> Floats:
        """Return log2 of rows so far over rows so far with this value, both one more; 0 for the first."""
        import pandas as pd

        try:
            codes, values = pd.factorize(column, use_na_sentinel=False)
        except TypeError:  # lists, dictionaries
            raise ModelError(f"Column {name!r} holds lists or the like in its cells: count what is in them.") from None
        places = self._places.setdefault(name, {})
        kept = self._counts.setdefault(name, np.zeros(0, dtype=np.int64))
        found = np.full(len(values), -1, dtype=np.int64)
        for code, value in enumerate(values):  # in the order in which they first come
            key = _digest(value)
            place = places.get(key, -1)
            if place < 0 and learn and len(places) < MOST_VALUES:
                place = places[key] = len(places)
            found[code] = place
        if len(places) > len(kept):
            larger = np.zeros(max(2 * len(kept), len(places)), dtype=np.int64)
            larger[: len(kept)] = kept
            kept = self._counts[name] = larger
        return np.asarray(_running_rarity(codes.astype(np.int64), found, kept, self.rows, learn))


def first_offset(value: object) -> int:
    """Return what a column is counted from that begins with this number: itself if it is whole and float64 may not hold it."""
    return int(value) if isinstance(value, int | np.integer) and abs(int(value)) >= EXACT else 0


def _counted_from(column: pd.Series, offset: int) -> Floats:
    """Return numbers minus an offset, NaN where missing; of whole ones the difference is rounded, and not they."""
    from pandas.api.types import is_integer_dtype

    values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), copy=True)
    if not offset:
        return values
    if not is_integer_dtype(column.dtype):
        return values - offset
    known = np.flatnonzero(column.notna().to_numpy())
    values[known] = [float(int(value) - offset) for value in column.iloc[known]]
    return values


def _digest(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    text = b"" if missing else b"=" + str(value).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


@njit(cache=True, nogil=True)
def _running_rarity(codes: Ints, places: Ints, counts: Ints, rows: int, learn: bool) -> Floats:
    """Return log2((rows so far + 1) / (rows so far with this value + 1)) of each row, shape (n_rows,).

    Parameters
    ----------
    codes : int64 (n_rows,), which of the block's values each row has
    places : int64 (n_values,), where each of the block's values is counted, −1 for nowhere
    counts : int64, rows so far with each value; changed in place if `learn`
    rows : rows before this block
    """
    rarity = np.empty(codes.size)
    for i in range(codes.size):
        place = places[codes[i]]
        seen = counts[place] if place >= 0 else 0
        before = rows + i if learn else rows
        rarity[i] = math.log2((before + 1.0) / (seen + 1.0))
        if learn and place >= 0:
            counts[place] += 1
    return rarity
