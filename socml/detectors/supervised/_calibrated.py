"""A numeric matrix and what is known of its rows → a calibrated probability that a row is malicious, and its family.

What every classifier shares: calibration on held-out folds, the second level of families, the direction; and of
those that rows without a label teach too, which of them.
"""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.project import Interval

LEAST = 1e-3  # a vote share of 0 or 1 counts as this far from it, so that its log-odds are finite
LEAST_SLOPE = (
    1e-3  # of the calibration: where held-out rows do not confirm the order, it is kept but says nearly nothing
)
LEAST_IN_FAMILY = 3  # rows; a family with fewer is not told from the others


class FittedClassifier(Protocol):
    """A classifier of scikit-learn, as far as it is used here."""

    def fit(self, X: np.ndarray, y: np.ndarray, /, *, sample_weight: np.ndarray) -> FittedClassifier:
        """Learn from rows, their classes and their weights."""

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the parameters, by name."""

    def set_params(self, **parameters: object) -> FittedClassifier:
        """Set parameters, by name."""

    def predict_proba(self, X: np.ndarray, /) -> np.ndarray:
        """Return the probability of each class, shape (n_rows, n_classes)."""


class DecidingClassifier(FittedClassifier, Protocol):
    """A classifier that has log-odds of its own."""

    def decision_function(self, X: np.ndarray, /) -> np.ndarray:
        """Return the log-odds of the second class, shape (n_rows,)."""


class Calibrated(ClassifierMixin, BaseEstimator):
    """Base of the classifiers; a subclass gives `_make_estimator()` and perhaps `_log_odds(estimator, X)`.

    Calibration (Platt): the rows are parted into `calibration_folds` stratified folds, each is judged by an
    estimator fitted on the others, and a sigmoid with Platt's targets is fitted to those held-out log-odds; the
    estimator that is kept is fitted on all rows. Probabilities are of the share of malicious rows among those it
    was taught with. Rows of one entity may lie in different folds: of an entity never seen, they promise too much.

    Attributes
    ----------
    slope_, intercept_ : of the sigmoid: calibrated log-odds = intercept + slope · log-odds of the estimator
    held_out_ : ndarray (n_rows,), the calibrated probability of each row when it was held out; NaN without folds
    families_ : list of the families that are told apart among malicious rows; empty with fewer than two
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "calibration_folds": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    calibration_folds: int
    random_state: int | None

    def fit(
        self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, families: ArrayLike | None = None
    ) -> Calibrated:
        """Learn from X (n_rows, n_columns) and y (1 malicious, 0 not); `families` names those of malicious rows.

        Raises
        ------
        ValueError
            If y has one class only.
        """
        X = validate_data(self, X, dtype=np.float32)
        y = np.asarray(y).astype(np.int64).ravel()
        self.classes_ = np.unique(y)
        if self.classes_.tolist() != [0, 1]:
            raise ValueError(f"a classifier needs both malicious (1) and other rows (0), not {self.classes_.tolist()}")
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        from threadpoolctl import threadpool_limits

        # One thread of BLAS and OpenMP: the same bits on any machine, and no waiting for each other on a busy one.
        with threadpool_limits(limits=1):
            self.estimator_ = self._fitted(X, y, weight)
            self._calibrate(X, y, weight)
            self._fit_families(X, y, weight, families)
        return self

    def log_odds(self, X: ArrayLike) -> np.ndarray:
        """Return the calibrated log-odds of being malicious, shape (n_rows,): 0 is as likely as not."""
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return np.asarray(self.intercept_ + self.slope_ * self._log_odds(self.estimator_, X))

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the calibrated probabilities, shape (n_rows, 2): not malicious, malicious."""
        malicious = _sigmoid(self.log_odds(X))
        return np.column_stack([1.0 - malicious, malicious])

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the probability of being malicious, shape (n_rows,): higher is more NORMAL, as of a detector."""
        return -_sigmoid(self.log_odds(X))

    def family_proba(self, X: ArrayLike) -> np.ndarray:
        """Return how likely each family is *if* the row is malicious, shape (n_rows, n_families); not calibrated."""
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, dtype=np.float32, reset=False)
        if self.family_estimator_ is None:
            return np.ones((len(X), len(self.families_)))
        return np.asarray(self.family_estimator_.predict_proba(X))

    def _make_estimator(self) -> FittedClassifier:
        raise NotImplementedError

    def _unfitted_parts(self) -> list[FittedClassifier]:
        """Return what it will be made of, whose parameters say whether its own make sense."""
        return [self._make_estimator()]

    def _fitted(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> FittedClassifier:
        estimator = self._make_estimator().fit(X, y, sample_weight=weight)
        if "n_jobs" in estimator.get_params():
            estimator.set_params(n_jobs=None)  # blocks of rows are scored in threads already
        return estimator

    def _fitted_families(self, X: np.ndarray, names: np.ndarray, weight: np.ndarray) -> FittedClassifier:
        """Return the second level, fitted on malicious rows alone: the same kind of estimator, unless told otherwise."""
        return self._fitted(X, names, weight)

    def _log_odds(self, estimator: FittedClassifier, X: np.ndarray) -> np.ndarray:
        """Return the log-odds of an estimator that votes; those at 0 or 1 are kept finite."""
        share = np.clip(estimator.predict_proba(X)[:, 1], LEAST, 1.0 - LEAST)
        return np.asarray(np.log(share / (1.0 - share)))

    def _calibrate(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> None:
        from sklearn.model_selection import StratifiedKFold

        self.slope_, self.intercept_, self.held_out_ = 1.0, 0.0, np.full(len(y), np.nan)
        folds = min(self.calibration_folds, int(y.sum()), int((1 - y).sum()))
        if folds < 2:
            return
        held_out = np.empty(len(y))
        for train, test in StratifiedKFold(folds, shuffle=True, random_state=self.random_state).split(X, y):
            estimator = self._fitted(X[train], y[train], weight[train])
            held_out[test] = self._log_odds(estimator, X[test])
        self.slope_, self.intercept_ = platt(held_out, y, weight)
        self.held_out_ = _sigmoid(self.intercept_ + self.slope_ * held_out)

    def _fit_families(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, families: ArrayLike | None) -> None:
        self.families_: list[str] = []
        self.family_estimator_ = None
        if families is None:
            return
        named = np.array([f if isinstance(f, str) else "" for f in np.asarray(families, dtype=object)], dtype=object)
        usable = (y == 1) & (named != "")
        names, counts = np.unique(named[usable].astype(str), return_counts=True)
        kept = [str(name) for name, count in zip(names, counts, strict=True) if count >= LEAST_IN_FAMILY]
        usable &= np.isin(named.astype(str), kept)
        self.families_ = kept
        if len(kept) > 1:
            names = named[usable].astype(str)
            self.family_estimator_ = self._fitted_families(X[usable], names, weight[usable])


def platt(log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the sigmoid that turns held-out log-odds into probabilities.

    Targets are Platt's, (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2), so that rows that are told apart without an error
    do not become certainties.

    References
    ----------
    J. Platt (1999), «Probabilistic Outputs for Support Vector Machines», Advances in Large Margin Classifiers.

    Examples
    --------
    >>> slope, _ = platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1]), np.ones(4))
    >>> slope > 0
    True
    """
    from scipy.optimize import minimize

    positive, negative = float(weight[y == 1].sum()), float(weight[y == 0].sum())
    target = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    scale = max(float(np.abs(log_odds).max()), 1.0)
    x = log_odds / scale

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        z = at[0] * x + at[1]
        error = weight * (_sigmoid(z) - target)
        value = float(np.sum(weight * (np.logaddexp(0.0, z) - target * z)))
        total = weight.sum()
        return value / total, np.array([error @ x, error.sum()]) / total

    start = np.array([scale, np.log((positive + 1) / (negative + 1))])
    bounds = [(LEAST_SLOPE * scale, None), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-10})
    return float(found.x[0] / scale), float(found.x[1])


def _sigmoid(z: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(z))


class SemiSupervised(Calibrated):
    """Base of classifiers that rows without a label teach too; a subclass reads `self._unlabelled` in `_fitted`."""

    most_unlabelled = 5_000  # rows without a label that are learned from: a seeded sample of more

    @property
    def is_semi_supervised(self) -> bool:
        """Say whether rows without a label teach it too."""
        return True

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        families: ArrayLike | None = None,
        unlabelled: ArrayLike | None = None,
    ) -> SemiSupervised:
        """Learn from X (n_rows, n_columns) and y (1 malicious, 0 not), and from rows that have no label.

        Raises
        ------
        ValueError
            If y has one class only.
        """
        rows = np.empty((0, np.shape(X)[1])) if unlabelled is None else np.asarray(unlabelled)
        rng = np.random.default_rng(self.random_state)
        taken = min(len(rows), self.most_unlabelled if self.is_semi_supervised else 0)
        self._unlabelled = rows[np.sort(rng.choice(len(rows), taken, replace=False))].astype(np.float32)
        try:
            super().fit(X, y, sample_weight=sample_weight, families=families)
        finally:
            del self._unlabelled
        return self
