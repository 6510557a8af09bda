"""What a data scientist says is known of rows, in whatever words → 1.0 malicious, 0.0 not, NaN unknown; or a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from socml.project import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Said = TypeVar("Said", "pd.DataFrame", "pd.Series")
Truth: TypeAlias = "pd.Series | NDArray[np.generic] | Sequence[object]"

WORDS = {
    "malicious": 1.0, "anomaly": 1.0, "attack": 1.0, "true": 1.0, "benign": 0.0, "normal": 0.0, "false": 0.0,
}  # fmt: skip


def as_malicious(known: pd.Series) -> pd.Series:
    """Return 1.0 malicious, 0.0 not, NaN unknown, of truth values, 1 and 0, or words such as malicious and benign.

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
    values = known.dropna().unique().tolist()
    plain = known.astype("object")
    if all(value in (0, 1) for value in values):
        return plain.map({True: 1.0, False: 0.0}).astype("float64")
    if all(str(value).lower() in WORDS for value in values):
        return plain.map(lambda value: WORDS.get(str(value).lower(), np.nan)).astype("float64")
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


def truth_by_name(truth: Truth, names: Iterable[str]) -> pd.Series:
    """Return what is known of rows by their names as texts: of a Series by its index, of anything else in the rows' order.

    Raises
    ------
    DataError
        If it names a row twice or none of them, has another number of values, or holds anything but truth values.
    """
    import pandas as pd

    names = list(names)
    if isinstance(truth, pd.Series):
        by_name = truth.set_axis([str(row) for row in truth.index])
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
        raise DataError("The truth says nothing about any row: its index must name the table's rows.")
    return as_malicious(known)
