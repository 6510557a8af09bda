"""What a data scientist says is known of rows, in whatever words → 1.0 malicious, 0.0 not, NaN unknown; or a sentence; and which columns say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from socml.project import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Said = TypeVar("Said", "pd.DataFrame", "pd.Series")
Truth: TypeAlias = "pd.Series | NDArray[np.generic] | Sequence[object] | Mapping[object, object]"

WORDS = {
    "malicious": 1.0, "anomaly": 1.0, "attack": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0,
    "benign": 0.0, "false_alarm": 0.0, "normal": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0,
    "unsure": np.nan, "skip": np.nan, "": np.nan,
}  # fmt: skip


def as_malicious(known: pd.Series) -> pd.Series:
    """Return 1.0 malicious, 0.0 not, NaN unknown, of truth values, 1 and 0, verdicts, or words such as attack and normal.

    Capitals and blanks around a word change nothing.

    Raises
    ------
    DataError
        If it holds anything else: −1 and 1 are outlier and inlier in one library, and the other way round in another.

    Examples
    --------
    >>> import pandas as pd
    >>> as_malicious(pd.Series(["attack", "normal", None])).tolist()
    [1.0, 0.0, nan]
    """
    try:
        values = known.dropna().unique().tolist()
    except TypeError:  # lists, dictionaries
        raise DataError(
            "The truth holds lists or the like in its cells: one number, truth value or word a row."
        ) from None
    words = {value: str(value).strip().lower() for value in values}
    said = {value: float(value) if value in (0, 1) else WORDS.get(word) for value, word in words.items()}
    if None not in said.values():
        return known.astype("object").map(said).astype("float64")
    shown = ", ".join(map(repr, values[:4]))
    raise DataError(f"The truth holds {shown}: write 1 or True for malicious, 0 or False for the rest.")


def of_rows(given: Said, row_ids: pd.Index) -> Said:
    """Return what is said of rows, in their order, missing where nothing is.

    Scores and labels name rows by texts: where one side does and the other does not, names are compared as texts.

    Examples
    --------
    >>> import pandas as pd
    >>> of_rows(pd.Series({"1": "benign"}), pd.Index([0, 1])).tolist()
    [nan, 'benign']
    """
    if (given.index.inferred_type == "string") == (row_ids.inferred_type == "string"):
        return given.reindex(row_ids)
    named = given.set_axis(given.index.map(str), axis=0).reindex(row_ids.map(str))
    return named.set_axis(row_ids, axis=0)


def row_name(row: object) -> str:
    """Return a row's name as text, the same whether pandas tells a tuple of a MultiIndex with numpy's numbers or Python's.

    Examples
    --------
    >>> row_name((np.int64(5), "tcp"))
    "(5, 'tcp')"
    """
    return str(
        tuple(part.item() if isinstance(part, np.generic) else part for part in row) if isinstance(row, tuple) else row
    )


def truth_by_name(truth: Truth, names: Iterable[str]) -> pd.Series:
    """Return what is known of rows by their names as texts: of a Series by its index, of anything else in the rows' order.

    Raises
    ------
    DataError
        If it names a row twice or none of them, has another number of values, or holds anything but truth values.
    """
    import pandas as pd

    names = list(names)
    if isinstance(truth, Mapping):
        truth = pd.Series(dict(truth))
    if hasattr(truth, "columns") or getattr(truth, "ndim", 1) > 1:
        raise DataError("The truth is a table, and one value a row is asked for: give one column of it, truth[NAME].")
    if isinstance(truth, pd.Series):
        by_name = truth.set_axis([row_name(row) for row in truth.index])
        if by_name.index.has_duplicates:
            raise DataError("The truth names a row twice: its index must name each of the table's rows once.")
        known = by_name.reindex(names)
    else:
        values = list(truth)
        if len(values) != len(names):
            raise DataError(
                f"The truth has {len(values):,} values for {len(names):,} rows: give one a row, or a Series."
            )
        known = pd.Series(values, index=names)
    if len(known) and known.isna().all():
        why = (
            "every value is missing"
            if all(pd.isna(value) for value in list(truth))
            else "its index must name the table's rows"
        )
        raise DataError(f"The truth says nothing about any row: {why}.")
    return as_malicious(known)


ROWS_COMPARED = 100_000  # rows of known truth that are looked at
LABELLED = 50  # rows of known truth from which a column that agrees with it is no chance


def label_columns(table: pd.DataFrame, malicious: np.ndarray) -> list[str]:
    """Return the columns of two values that say of every known row what the label says, under whatever name.

    Blind to a column that is the label nearly, or together with another.

    Parameters
    ----------
    malicious : shape (n_rows,): 1.0, 0.0, or NaN where nothing is known

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"bytes": [1, 2, 2], "outcome": ["ok", "bad", "ok"]})
    >>> label_columns(table, np.array([0.0, 1.0, 0.0]))
    ['outcome']
    """
    import pandas as pd

    labelled = np.flatnonzero(~np.isnan(malicious))[:ROWS_COMPARED]
    truth = malicious[labelled]
    if len(np.unique(truth)) < 2:
        return []
    found = []
    for name in table.columns:
        codes, values = pd.factorize(table[name].iloc[labelled].astype(str))
        if len(values) == 2 and len(np.unique(codes + 2 * truth)) == 2:
            found.append(str(name))
    return found
