"""Whatever rows a data scientist has → a table of named columns, numbers as numbers, or a sentence that says why not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Set
from os import PathLike
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np

from socml.project import ModelError, Notice, metadata_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import pandas as pd
    from numpy.typing import ArrayLike


@runtime_checkable
class Convertible(Protocol):
    """A table of another library, such as polars, that pandas can be made of."""

    def to_pandas(self) -> pd.DataFrame:
        """Return it as a DataFrame."""


Rows: TypeAlias = "ArrayLike | pd.DataFrame | Convertible | Mapping[str, Iterable[object]]"

KEYS = ("row_id", "time", "entity")
NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}  # as pandas calls what objects are


class TableError(ModelError, ValueError):
    """Rows that cannot be learned from or scored; a ValueError too, as scikit-learn expects of its estimators."""


def feature_names(features: pd.DataFrame) -> list[str]:
    """Return the names of the columns that are features: as the metadata says, else all but the keys.

    Examples
    --------
    >>> import pandas as pd
    >>> feature_names(pd.DataFrame({"entity": ["a"], "flows": [1.0]}))
    ['flows']
    """
    metadata = metadata_of(features)
    return list(metadata.get("features") or [str(name) for name in features.columns if name not in KEYS])


def plain_table(X: Rows) -> pd.DataFrame:
    """Return rows as a table with distinct column names that are texts; a table that has them is returned as it is.

    Columns of objects that are all numbers (a database's decimals, truth values of which some are missing) become
    float64, so that a column is the same kind whether or not a value is missing; Int64 if they are whole numbers that
    float64 does not hold. What an array masks is missing.

    Parameters
    ----------
    X : DataFrame (of pandas, or what has `to_pandas` or streams Arrow), ndarray or lists of shape (n_rows, n_columns),
        an array with named fields, one dictionary a row, or one of columns by name

    Raises
    ------
    TableError
        If X has not two dimensions, or two columns of one name.

    Examples
    --------
    >>> list(plain_table([[1.0, 2.0]]).columns)
    ['x0', 'x1']
    """
    import pandas as pd

    if not isinstance(X, pd.DataFrame):
        check_rows(X)
        X = _as_table(X) if is_table(X) else _named(cast("ArrayLike", X))
    if all(type(name) is str for name in X.columns) and X.columns.is_unique:
        return _with_numbers(X)
    names = [str(name) for name in X.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise TableError(f"Column {twice!r} is there {names.count(twice)} times: rename or drop the others.")
    renamed = X.set_axis(names, axis=1)
    renamed.attrs = dict(X.attrs)
    return _with_numbers(renamed)


def check_rows(X: object) -> None:
    """Raise a TableError if something is given for rows that holds none: nothing, a file's name, a frame not collected."""
    if hasattr(X, "collect"):  # of polars and Spark
        raise TableError(f"A {type(X).__name__} holds no rows yet: give X.collect(), or X.toPandas() of Spark.")
    if X is None or isinstance(X, str | bytes | PathLike):
        raise TableError(f"Rows are a table, an array or lists, and this is {X!r}. Read a file first: pd.read_csv(…).")
    if isinstance(X, Iterator | Set):
        raise TableError(
            f"Rows are a table, an array or lists, and this is a {type(X).__name__}: give list(X), in its order."
        )


def is_table(X: object) -> bool:
    """Say whether rows have names for their columns: a table, named fields, a dictionary a row or of columns."""
    if isinstance(X, Mapping):
        return not hasattr(X, "toarray")  # a sparse matrix may be a dictionary of its cells
    if hasattr(X, "to_pandas") or hasattr(X, "__arrow_c_stream__"):  # of one dimension it has no names
        return any(hasattr(X, names) for names in ("columns", "column_names", "schema"))
    if isinstance(X, np.ndarray) and (X.dtype.names or X.ndim != 1):
        return X.dtype.names is not None
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and all(isinstance(row, dict) for row in X)


def _as_table(X: Rows) -> pd.DataFrame:
    import pandas as pd

    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, Convertible):
        return X.to_pandas()
    if hasattr(X, "__arrow_c_stream__"):
        import pyarrow as pa

        table: pd.DataFrame = pa.table(X).to_pandas()
        return table
    if isinstance(X, Mapping):
        try:
            return pd.DataFrame(dict(X))
        except ValueError as error:
            raise TableError(
                f"A dictionary is columns by name, as many values in each; one row is [row]: {error}"
            ) from None
    return pd.DataFrame(X if isinstance(X, np.ndarray) and X.dtype.names else list(cast("Iterable[object]", X)))


def _with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    from pandas.api.types import infer_dtype

    table = _in_known_kinds(table)
    objects = {str(name): table[name] for name in table.columns[(table.dtypes == np.dtype(object)).to_numpy()]}
    kinds = {n: infer_dtype(c, skipna=True) for n, c in objects.items() if n not in KEYS}
    numbers = {n: _as_numbers(objects[n], kind) for n, kind in kinds.items() if kind in NUMBERS}
    return table.assign(**numbers) if numbers else table


def _as_numbers(column: pd.Series, kind: str) -> pd.Series:
    """Return a column of objects that are numbers as numbers: ±∞ where one is larger than any float64."""
    known = column.where(column.notna(), np.nan)
    whole = {int(value) for value in column.dropna() if abs(value) >= 2**53} if kind == "integer" else set()
    if whole and max(map(abs, whole)) < 2**63:
        return column.astype("Int64")
    if len({_as_float(value) for value in whole}) < len(whole):
        say_digits_are_lost(column.name)
    try:
        return known.astype("float64")
    except OverflowError:
        return known.map(_as_float).astype("float64")


def say_digits_are_lost(name: object) -> None:
    """Give a notice that a column holds whole numbers that are no longer told apart."""
    warnings.warn(
        f"The column {str(name)!r} holds whole numbers beyond 2^53 that are no longer told apart, for numbers are float64. If "
        "they name things, make them text: astype(str).",
        Notice,
        stacklevel=4,
    )


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _in_known_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Return columns that pandas does little with, Arrow's dictionaries and long doubles, as what they hold."""
    import pandas as pd

    held: dict[Hashable, np.dtype | pd.ArrowDtype] = {}
    for name, kind in table.dtypes.items():
        if isinstance(kind, pd.ArrowDtype) and hasattr(kind.pyarrow_dtype, "index_type"):
            held[name] = pd.ArrowDtype(kind.pyarrow_dtype.value_type)
        elif isinstance(kind, np.dtype) and kind.kind == "f" and kind.itemsize > 8:
            held[name] = np.dtype(np.float64)
    return table.astype(held) if held else table


def with_gaps(X: ArrayLike) -> ArrayLike:
    """Return rows, NaN (or None) where an array of numpy masks a value; others as they are."""
    if not isinstance(X, np.ma.MaskedArray):
        return X
    gaps = np.ma.getmaskarray(X)
    if not gaps.any():
        return X.data
    filled = X.data.astype(np.promote_types(X.dtype, np.float64) if X.dtype.kind in "buif" else object)
    filled[gaps] = np.nan if filled.dtype.kind == "f" else None
    return filled


def _named(X: ArrayLike) -> pd.DataFrame:
    import pandas as pd

    if hasattr(X, "toarray"):
        raise TableError("Sparse rows are not read: give X.toarray(), or pd.DataFrame.sparse.from_spmatrix(X).")
    try:
        values = np.asarray(with_gaps(X))
    except ValueError as error:
        raise TableError(f"Rows must all have as many values as there are columns: {error}") from None
    if values.ndim != 2:
        raise TableError(
            f"Rows must have two dimensions, (n_rows, n_columns), and this is {values.ndim}-dimensional. Reshape your "
            "data: array.reshape(-1, 1) is one column, array.reshape(1, -1) one row."
        )
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])]).infer_objects()
