"""A feature table → the numeric matrix a detector reads, learned once and kept inside the model.

Numbers that lie close together far from 0 are counted from their middle, and heavy-tailed ones put on a signed
logarithmic scale; missing ones are filled and marked; a category becomes its frequent values and its rarity. Every matrix
column knows the feature it came from.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING, ClassVar, NotRequired, TypedDict, cast

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from socml.features.given_table import KEYS, TableError, feature_names, plain_table, say_digits_are_lost
from socml.project import Interval, ModelError, Notice, did_you_mean, metadata_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SKEWED = 2.0  # skewness of an exponential distribution: beyond it a column counts as heavy-tailed
LARGEST = float(np.finfo(np.float32).max) / 4  # the matrix is float32; differences of two values must fit too
NARROW = 2.0**11  # a range so many times smaller than its numbers has less than 2^12 steps in float32, of 24 bits
EXACT = 2**53  # whole numbers up to it are float64's
TIMES = ("date", "time", "duration", "period")  # how the names of such kinds begin, of pandas and of Arrow
MAX_REMEMBERED = 50_000  # most frequent values of a category whose frequency is kept; the others count as never seen


class NumberScale(TypedDict):
    """What was learned of a column of numbers."""

    log: bool  # whether it goes through sign(x)·log(1 + |x|)
    marked: bool  # whether a column says where it is missing
    low: float  # what stands for −∞
    high: float  # what stands for ∞
    offset: NotRequired[float]  # what is taken from every value first: an int, exactly; models of before have none


class Frequencies(TypedDict):
    """What was learned of a column of categories."""

    frequent: list[str]  # values that get a column each, "=" before each; "" is a missing one
    hashes: NDArray[np.uint64]  # of the values seen, sorted
    rarity: NDArray[np.float64]  # bits, −log2 of the share of each
    unseen: float  # bits, of a value that was never seen


class Preparation(TransformerMixin, BaseEstimator):
    """Turn the features of a table into a float32 matrix, in the way `fit` saw fit.

    Blind to a value that is missing in a column where none was in `fit` (it is filled with the median), to
    the order of categories, and to everything in a column that was constant in `fit`.

    Parameters
    ----------
    log : whether heavy-tailed columns go through sign(x)·log(1 + |x|)
    max_values : most frequent values of a category that get a column each
    min_share : share of rows, 0 to 1, that a value needs to be frequent

    Attributes
    ----------
    feature_names_in_ : list of the features, in order
    feature_names_out_ : list of the matrix columns
    origin_ : matrix column → feature it came from
    typical_ : feature → its median, or its most frequent category (None: missing is)
    dropped_ : feature → why it is not in the matrix
    missing_ : feature → share of rows in which it was missing, 0 to 1

    Raises
    ------
    ModelError
        If a column is missing, is neither a number nor a category, or changed from one to the other.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"bytes": [1.0, 2.0, None], "proto": ["tcp", "tcp", "udp"], "year": [1, 1, 1]})
    >>> preparation = Preparation().fit(table)
    >>> preparation.feature_names_out_
    ['bytes', 'bytes is missing', 'proto=tcp', 'proto=udp', 'proto rarity']
    >>> preparation.dropped_
    {'year': 'has one value only'}
    >>> preparation.transform(table.assign(proto="gre"))[0].round(2).tolist()
    [1.0, 0.0, 0.0, 0.0, 2.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "log": ["boolean"],
        "max_values": [Interval(Integral, 0, None, closed="left")],
        "min_share": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, *, log: bool = True, max_values: int = 10, min_share: float = 0.01) -> None:
        self.log = log
        self.max_values = max_values
        self.min_share = min_share

    def fit(self, X: pd.DataFrame, y: object = None) -> Preparation:
        """Learn how each feature column becomes numbers; `y` is ignored."""
        X = plain_table(X)
        if not len(X):
            raise TableError("The feature table has no rows: there is nothing to learn what is usual from.")
        self.feature_names_in_ = feature_names(X)
        _say_what_is_left_out(X, self.feature_names_in_)
        is_own = not metadata_of(X)  # of a table without a recipe nobody has said that such texts are names
        self.numbers_: dict[str, NumberScale] = {}
        self.categories_: dict[str, Frequencies] = {}
        self.dropped_: dict[str, str] = {}
        self.typical_: dict[str, object] = {}
        self.missing_: dict[str, float] = {}
        for name in self.feature_names_in_:
            column = self._column(X, name)
            if _is_number(column, name):
                self._learn_number(name, column)
            else:
                self._learn_category(name, column)
                if is_own and name in self.categories_:
                    _say_numbers_are_texts(column, self.max_values)
        self.origin_ = self._name_outputs()
        self.feature_names_out_ = list(self.origin_)
        if not self.origin_:
            why = (
                f"No feature of the table varies: {', '.join(self.dropped_)}" if self.dropped_ else "It has no feature"
            )
            raise TableError(f"{why} ({len(X)} sample{'s' * (len(X) != 1)}). Nothing can be unusual.")
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the matrix, shape (n_rows, n_columns), float32, finite; columns that are no features are ignored."""
        check_is_fitted(self, "origin_")
        X = plain_table(X)
        matrix = np.empty((len(X), len(self.origin_)), dtype=np.float32)
        at = 0
        for name in self.feature_names_in_:
            column = self._column(X, name)
            if name in self.numbers_:
                at = self._write_number(matrix, at, name, column)
            elif name in self.categories_:
                at = self._write_category(matrix, at, name, column)
        return matrix

    def blank(self) -> np.ndarray:
        """Return one row of the matrix, with nothing in it."""
        return np.zeros((1, len(self.feature_names_out_)), dtype=np.float32)

    def in_numbers(self, X: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        """Return rows as numbers that can be compared, and the feature that each column came from: the matrix itself."""
        return self.transform(X), list(self.origin_.values())

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the matrix columns."""
        check_is_fitted(self, "origin_")
        return np.asarray(self.feature_names_out_, dtype=object)

    def _column(self, X: pd.DataFrame, name: str) -> pd.Series:
        if name not in X.columns:
            near = did_you_mean(name, [str(c) for c in X.columns if c not in KEYS])
            raise ModelError(f"The feature table has no column {name!r}, which the model reads.{near}")
        return X[name]

    def _outputs(self, name: str) -> list[str]:
        if name in self.numbers_:
            return [name, f"{name} is missing"] if self.numbers_[name]["marked"] else [name]
        if name in self.categories_:
            frequent = self.categories_[name]["frequent"]
            return [*(f"{name}{value or ' is missing'}" for value in frequent), f"{name} rarity"]
        return []

    def _name_outputs(self) -> dict[str, str]:
        origin: dict[str, str] = {}
        for name in self.feature_names_in_:
            for out in self._outputs(name):
                unique = out
                while unique in origin:  # a table may have a column that is called "proto=tcp" itself
                    unique += "'"
                origin[unique] = name
        return origin

    def _learn_number(self, name: str, column: pd.Series) -> None:
        values = _numbers(column)
        offset = _offset(column, values)
        if offset:
            values = _numbers(column, offset)
        missing = np.isnan(values)
        known = values[np.isfinite(values)]
        self.missing_[name] = float(missing.mean())
        if not len(known):
            self.dropped_[name] = "is missing in every row" if missing.all() else "is never finite"
            return
        low, high = float(known.min()), float(known.max())
        marked = bool(missing.any())
        with np.errstate(over="ignore"):  # of two values in the middle whose sum no number holds
            self.typical_[name] = offset or float(np.clip(np.median(known), low, high))
        if low == high and not marked and not np.isinf(values).any():
            self.dropped_[name] = "has one value only"
            return
        margin = max(high - low, abs(high), abs(low), 1.0)  # beyond anything seen, as an infinite value is
        logged = bool(self.log and _skewness(known) > max(SKEWED, _skewness(_signed_log(known))))
        self.numbers_[name] = {"log": logged, "marked": marked, "low": low - margin, "high": high + margin}
        if offset:
            self.numbers_[name]["offset"] = offset

    def _write_number(self, matrix: np.ndarray, at: int, name: str, column: pd.Series) -> int:
        how = self.numbers_[name]
        if not _is_number(column, name) and column.notna().any():
            raise ModelError(f"Column {name!r} was a number when the model was fitted, and holds text now.")
        offset = how.get("offset", 0)
        values = _numbers(column, offset)
        missing = np.isnan(values)
        values[missing] = cast("float", self.typical_[name]) - offset
        values[values == np.inf] = how["high"]
        values[values == -np.inf] = how["low"]
        if how["log"]:
            values = _signed_log(values)
        matrix[:, at] = np.clip(values, -LARGEST, LARGEST)
        if how["marked"]:
            matrix[:, at + 1] = missing
        return at + 1 + int(how["marked"])

    def _learn_category(self, name: str, column: pd.Series) -> None:
        codes, values = _coded(column)
        counts = np.bincount(codes, minlength=len(values))
        rows = len(column)
        order = sorted(range(len(values)), key=lambda code: (-counts[code], values[code]))
        self.typical_[name] = values[order[0]][1:] or None
        self.missing_[name] = float(sum(counts[code] for code in order if not values[code])) / rows
        if len(order) == 1:
            self.dropped_[name] = "has one value only" if values[0] else "is missing in every row"
            return
        frequent = [values[code] for code in order[: self.max_values] if counts[code] >= self.min_share * rows]
        kept = order[:MAX_REMEMBERED]
        hashes = np.array([_hash(values[code]) for code in kept], dtype=np.uint64)
        by_hash = np.argsort(hashes)
        self.categories_[name] = {
            "frequent": frequent,
            "hashes": hashes[by_hash],
            "rarity": -np.log2(counts[kept] / rows)[by_hash],
            "unseen": float(np.log2(rows + 1)),
        }

    def _write_category(self, matrix: np.ndarray, at: int, name: str, column: pd.Series) -> int:
        if _is_number(column, name) and column.notna().any():
            raise ModelError(f"Column {name!r} was a category when the model was fitted, and holds numbers now.")
        how = self.categories_[name]
        codes, values = _coded(column)
        for value in how["frequent"]:
            matrix[:, at] = np.array([v == value for v in values], dtype=np.float32)[codes]
            at += 1
        hashes = np.array([_hash(value) for value in values], dtype=np.uint64)
        found = np.minimum(np.searchsorted(how["hashes"], hashes), len(how["hashes"]) - 1)
        matrix[:, at] = np.where(how["hashes"][found] == hashes, how["rarity"][found], how["unseen"])[codes]
        return at + 1


def _say_what_is_left_out(table: pd.DataFrame, features: list[str]) -> None:
    """Give a notice where the column `time`, which says when a row was, holds numbers, as a measured time would."""
    from pandas.api.types import is_numeric_dtype

    if "time" in table.columns and "time" not in features and is_numeric_dtype(table["time"]):
        warnings.warn(
            "The column 'time' holds numbers, and is no feature: it says when a row was, as entity says whom it is about. "
            "Rename it if it is to count.",
            Notice,
            stacklevel=3,
        )


def _say_numbers_are_texts(column: pd.Series, few: int) -> None:
    """Give a notice where more texts than a few are all numbers, as of a file that was read without its types."""
    known = column.dropna().unique()
    if column.dtype == "category" or len(known) <= few:
        return
    with suppress(ValueError, TypeError):
        if np.isfinite([float(text) for text in known if text != ""]).all():
            warnings.warn(
                f"The column {column.name!r} holds numbers written as text, and each is a category: pd.to_numeric makes numbers "
                'of them. If they are names, say so: astype("category").',
                Notice,
                stacklevel=4,
            )


def _is_number(column: pd.Series, name: str) -> bool:
    from pandas.api import types

    if types.is_bool_dtype(column) or (types.is_numeric_dtype(column) and not types.is_complex_dtype(column)):
        return True
    if isinstance(column.dtype, types.CategoricalDtype) or types.is_string_dtype(column):
        return False
    kind = types.infer_dtype(column, skipna=True) if column.dtype == object else str(column.dtype)
    is_time = kind.startswith(TIMES)
    if (column.dtype == object and not is_time) or kind == "null[pyarrow]":
        return False
    advice = "numbers of it: the hour of the day, seconds since another time" if is_time else "numbers or a text of it"
    raise TableError(
        f"Column {name!r} is {kind}; a feature is a number, a truth value or a category. Drop it, or make {advice}."
    )


def _numbers(column: pd.Series, offset: float = 0) -> np.ndarray:
    """Return a copy as float64 minus `offset`, NaN where missing; of whole numbers the difference is exact."""
    from pandas.api.types import is_integer_dtype

    if not column.notna().any():
        return np.full(len(column), np.nan)
    values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), copy=True)
    if not offset:
        return values
    with np.errstate(over="ignore"):
        values -= offset
    if is_integer_dtype(column.dtype) and isinstance(offset, int):
        whole = _whole(column).astype(np.uint64)  # modulo 2^64, as is the difference: right where it needs no more bits
        exact = (whole - np.uint64(offset % 2**64)).view(np.int64)
        near = np.abs(values) < 2.0**62
        values[near] = exact[near]
    return values


def _whole(column: pd.Series) -> NDArray[np.integer]:
    """Return whole numbers in 64 bits, 0 where missing."""
    from pandas.api.types import is_unsigned_integer_dtype

    kind = np.uint64 if is_unsigned_integer_dtype(column.dtype) else np.int64
    return np.asarray(column.to_numpy(dtype=kind, na_value=0))


def _offset(column: pd.Series, values: np.ndarray) -> float:
    """Return what to count a column from, if its range is too narrow for float32; else 0.

    It is the middle value: an int for whole numbers beyond float64, so that no digit is lost. Where their range is too wide
    for that, a notice says which column holds some that are no longer told apart.
    """
    from pandas.api.types import is_integer_dtype

    known = values[np.isfinite(values)]
    low, high = float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))
    largest, middle = max(-low, high), len(known) // 2
    is_beyond = bool(is_integer_dtype(column.dtype) and largest >= EXACT)
    if largest > (high - low) * NARROW:
        if is_beyond:
            return int(np.partition(_whole(column)[~np.isnan(values)], middle)[middle])
        if high > low:
            return float(np.partition(known, middle)[middle])
    elif is_beyond and len(np.unique(known)) < column.nunique():
        say_digits_are_lost(column.name)
    return 0


def _coded(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return each row's code and the texts of the codes: "=" and the value, or "" for a missing one."""
    import pandas as pd

    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists, arrays, dictionaries
        kinds = sorted({type(value).__name__ for value in column if value.__hash__ is None})
        raise TableError(
            f"Column {column.name!r} holds {' and '.join(kinds) or 'values'} in its cells; a feature is a number, a "
            "truth value or a category. Count what is in them, or join it to one text."
        ) from None
    texts = [f"={value}" for value in values]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append("")
    if len(set(texts)) < len(texts):  # 1 and "1" in a column of objects
        merged, distinct = pd.factorize(np.array(texts, dtype=object))
        return merged[codes], list(distinct)
    return codes, texts


def _hash(text: str) -> int:
    """Return 64 bits of a text: a model remembers that a value was seen, not the value itself."""
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big")


def _signed_log(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _skewness(values: np.ndarray) -> float:
    """Return the absolute skewness, 0 for a constant column; scaled first, so that no power overflows."""
    largest = np.abs(values).max()
    centred = values / largest if largest > 0 else values
    centred = centred - centred.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return abs(float(((centred / spread) ** 3).mean())) if spread > 1e-12 else 0.0
