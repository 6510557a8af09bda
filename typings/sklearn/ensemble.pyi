from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin

class IsolationForest(OutlierMixin, BaseEstimator):
    estimators_: list[Any]
    estimators_features_: list[NDArray[np.int64]]
    max_samples_: int
    offset_: float

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        max_samples: str | float = "auto",
        contamination: str | float = "auto",
        max_features: float = 1.0,
        bootstrap: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None: ...
    def fit(self, X: ArrayLike | pd.DataFrame, y: object = None, sample_weight: ArrayLike | None = None) -> Self: ...
    def score_samples(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]: ...
    def _score_samples(self, X: ArrayLike) -> NDArray[np.float64]: ...

class _Classifier(ClassifierMixin, BaseEstimator):
    classes_: NDArray[Any]

    def __init__(self, **parameters: object) -> None: ...
    def fit(self, X: ArrayLike | pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]: ...

class _Forest(_Classifier):
    estimators_: list[Any]
    oob_decision_function_: NDArray[np.float64]

    def apply(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.int64]: ...

class RandomForestClassifier(_Forest): ...
class ExtraTreesClassifier(_Forest): ...
class HistGradientBoostingClassifier(_Classifier): ...
