from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

class Pipeline(BaseEstimator):
    steps: list[tuple[str, Any]]
    named_steps: dict[str, Any]

    def __init__(self, steps: list[tuple[str, Any]], *, memory: None = None, verbose: bool = False) -> None: ...
    def fit(self, X: ArrayLike | pd.DataFrame, y: ArrayLike | None = None) -> Self: ...
    def score_samples(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]: ...

def make_pipeline(*steps: object) -> Pipeline: ...
