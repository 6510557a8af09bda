from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import BaseEstimator

def validate_data(
    estimator: BaseEstimator,
    /,
    X: ArrayLike | pd.DataFrame = ...,
    *,
    reset: bool = True,
    dtype: DTypeLike | str | None = ...,
    accept_sparse: bool | list[str] = ...,
    ensure_all_finite: bool | Literal["allow-nan"] = ...,
    ensure_min_samples: int = ...,
    ensure_2d: bool = ...,
    order: Literal["C", "F"] | None = ...,
    skip_check_array: bool = ...,
) -> np.ndarray: ...
def check_array(
    array: object,
    *,
    dtype: DTypeLike | str | None = ...,
    ensure_all_finite: bool | Literal["allow-nan"] = ...,
    estimator: BaseEstimator | None = ...,
) -> np.ndarray: ...
def check_is_fitted(estimator: object, attributes: str | list[str] | None = None) -> None: ...
def has_fit_parameter(estimator: object, parameter: str) -> bool: ...
