"""An outlier detector of scikit-learn or PyOD → a detector in socml's direction, which was tried on a planted outlier."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.detectors.foreign.import_paths import make_estimator, split_step
from socml.project import ModelError, Notice, RecipeError

OUTLIER = 60  # row of the planted outlier, among 120


class Foreign(BaseEstimator):
    """Score rows by an estimator of another library, higher for the more NORMAL.

    PyOD's `decision_function` is turned. Before it is fitted, copies are fitted on usual rows, with one far out and
    without it: an estimator that finds it more normal than one in ten of the others both times is refused, and one whose
    score of a row depends on the rows that are scored with it is named in a notice. Blind to what the estimator is blind to.

    Parameters
    ----------
    estimator : unfitted, with `fit` and `score_samples` or `decision_function`

    Attributes
    ----------
    estimator_ : the fitted one

    Examples
    --------
    >>> detector = foreign_detector("sklearn.neighbors.LocalOutlierFactor", {"n_neighbors": 3})
    >>> X = [[0.0], [0.1], [0.2], [0.3], [9.0]]
    >>> int(detector.fit(X).score_samples(X).argmin())
    4
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: ArrayLike, y: object = None) -> Foreign:
        """Learn what is usual from X of shape (n_rows, n_columns); `y` is ignored."""
        X = validate_data(self, X, dtype=np.float64)
        self._try_on_a_planted_outlier()
        self.estimator_ = clone(self.estimator).fit(X)
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how normal each row is, shape (n_rows,): higher is more NORMAL."""
        check_is_fitted(self, "estimator_")
        return normality_of(self.estimator_, validate_data(self, X, dtype=np.float64, reset=False))

    def _try_on_a_planted_outlier(self) -> None:
        rows = np.random.default_rng(0).normal(size=(2 * OUTLIER, 4))
        rows[OUTLIER] = 8.0
        name = f"{type(self.estimator).__module__}.{type(self.estimator).__name__}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tried = clone(self.estimator).fit(rows)
                scores = normality_of(tried, rows)
                alone = normality_of(tried, rows[:1])
                unseen = normality_of(clone(self.estimator).fit(np.delete(rows, OUTLIER, axis=0)), rows)
        except ModelError:
            raise
        except Exception as error:  # whatever another library raises
            raise ModelError(f"{name} cannot score rows that it was not fitted on: {error}") from error
        if all(told[OUTLIER] > np.quantile(told, 0.1) for told in (scores, unseen)):
            raise ModelError(f"{name} finds a planted outlier more normal than usual rows. It is not used.")
        if not np.isclose(alone[0], scores[0], rtol=1e-6, atol=1e-9):
            warnings.warn(
                f"{name} scores a row by the rows that are scored with it: its scores hold within one table only.",
                Notice,
                stacklevel=3,
            )


def foreign_detector(
    path: str,
    parameters: Mapping[str, object],
    *,
    steps: Sequence[str | Mapping[str, object]] = (),
    seed: int | None = None,
    where: str = "The model",
) -> Foreign:
    """Return the detector of an import path, with scikit-learn's transformers before it.

    Raises
    ------
    RecipeError, ModelError
        If the path names no outlier detector that may be used, or a parameter does not exist.
    """
    estimator = made(path, parameters, seed, where)
    if not hasattr(estimator, "fit"):
        raise RecipeError(f'{where}: {path} learns row by row, and is not fitted: give the model mode = "online".')
    if classifies(estimator):
        raise RecipeError(
            f'{where}: {path} is a classifier, which learns from labels: give the model mode = "supervised".'
        )
    if not (hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function")):
        raise RecipeError(f"{where}: {path} has neither score_samples nor decision_function, so it scores nothing.")
    if not steps:
        return Foreign(estimator)
    from sklearn.pipeline import make_pipeline

    before = [made(*split_step(step), seed, where) for step in steps]
    return Foreign(make_pipeline(*before, estimator))


def normality_of(estimator: Any, X: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return what an estimator says of rows, higher for the more NORMAL."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if type(last).__module__.startswith("pyod."):
        return -np.asarray(estimator.decision_function(X), dtype=np.float64).ravel()
    says = estimator.score_samples if hasattr(estimator, "score_samples") else estimator.decision_function
    return np.asarray(says(X), dtype=np.float64).ravel()


def classifies(estimator: object) -> bool:
    """Say whether an estimator is a classifier; one that has yet to be given another, within it, is none."""
    try:
        return bool(is_classifier(estimator))
    except AttributeError:
        return False


def made(path: str, parameters: Mapping[str, object], seed: int | None, where: str) -> object:
    """Return an estimator of scikit-learn or PyOD with these parameters, its seed, and novelty where it is a choice."""
    given = dict(parameters)
    estimator = make_estimator(path, given, where)
    known = inspect.signature(type(estimator).__init__).parameters
    if "novelty" in known and "novelty" not in given:  # a local outlier factor that scores rows it was not fitted on
        given["novelty"] = True
    if "random_state" in known and "random_state" not in given:
        given["random_state"] = seed
    return make_estimator(path, given, where)
