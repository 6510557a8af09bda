"""A table and what is known of its rows → the columns that are the label itself, under whatever name.

Blind to a column that is the label nearly, or together with another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ROWS_COMPARED = 100_000  # rows of known truth that are looked at
LABELLED = 50  # rows of known truth from which a column that agrees with it is no chance


def label_columns(table: pd.DataFrame, malicious: np.ndarray) -> list[str]:
    """Return the columns of two values that say of every known row what the label says.

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
