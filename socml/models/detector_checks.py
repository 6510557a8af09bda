"""A detector, perhaps of a stranger's making, and what it says of rows → one number a row, or a sentence that says what is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.project import ModelError


def check_learnt(detector: object) -> None:
    """Raise ModelError if scikit-learn takes a detector for unfitted after `fit`: its pipeline would refuse to score."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(detector)
    except NotFittedError:
        raise ModelError(
            f"{type(detector).__name__} keeps nothing that it learnt: in fit, set an attribute whose name ends in _, "
            "such as self.mean_."
        ) from None


def checked_normality(normality: ArrayLike, rows: int, detector: object) -> NDArray[np.float64]:
    """Return what a detector says of rows, shape (rows,); ModelError if that is not one number a row."""
    values: NDArray[np.float64] = np.asarray(normality, dtype=np.float64)
    if values.shape != (rows,):
        found = f"the shape {values.shape}"
    elif np.isnan(values).any():
        found = f"{int(np.isnan(values).sum()):,} times NaN"
    else:
        return values
    raise ModelError(
        f"score_samples of {type(detector).__name__} gave {found} for {rows:,} rows, not one number a row."
    )
