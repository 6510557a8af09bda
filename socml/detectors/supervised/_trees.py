"""What classifiers of many voting trees share: their parameters and how they are grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socml.detectors.supervised._calibrated import Calibrated, FittedClassifier

if TYPE_CHECKING:
    from collections.abc import Callable


class VotingTrees(Calibrated):
    """Base of the classifiers of scikit-learn's tree ensembles; a subclass gives `_ensemble` and `_class_weight`."""

    _ensemble: Callable[..., FittedClassifier]
    _class_weight: str

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        max_depth: int | None = None,
        min_samples_leaf: int = 2,
        max_features: str | int | float = "sqrt",
        calibration_folds: int = 3,
        n_jobs: int | None = -1,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.calibration_folds = calibration_folds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _make_estimator(self) -> FittedClassifier:
        return self._ensemble(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            class_weight=self._class_weight,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
