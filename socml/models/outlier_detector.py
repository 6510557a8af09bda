"""A preparation and a detector → one scikit-learn estimator of outliers, for pipelines, grids and cross-validation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import Bunch, Tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from socml.features import (
    Preparation,
    Sequences,
    TableError,
    check_rows,
    is_table,
    plain_table,
    with_gaps,
)
from socml.models.detector_checks import checked_normality
from socml.models.scoring import as_anomaly
from socml.project import Notice, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from socml.detectors import Detector
    from socml.features import Rows

NUMBERS = (int, float, np.integer, np.floating)


class OutlierDetector(OutlierMixin, BaseEstimator):
    """What `socml.make_detector` returns: preparation and detector, with a threshold that is said.

    `score_samples` is higher for the more NORMAL. `predict` says −1 for an alert and 1 for the rest, and
    `decision_function` is below 0 for an alert, as of any outlier detector of scikit-learn. A detector never learns
    from `y`; but where `fit` is given one of two classes that are numbers, as cross-validation does, both point to the larger class as a
    classifier's do: with 1 for malicious and 0 for the rest, `scoring="average_precision"`, `"roc_auc"` and `"f1"`
    judge how well malicious rows are found.

    Parameters
    ----------
    preparation, detector : the steps, unfitted (the columns row_id, time and entity of a table are no features); `detector__n_estimators` is a parameter of the second
    threshold : anomaly score, minus `score_samples`, above which a row is an alert; by `alert_share` if not given
    alert_share : share of the rows fitted on that are alerts, 0 to 1, where there is no threshold

    Attributes
    ----------
    preparation_, detector_ : the fitted steps
    threshold_ : the anomaly score above which a row is an alert
    offset_ : minus that: `decision_function` is `score_samples` minus `offset_`
    classes_ : the two classes of `y`, the smaller first; 0 and 1 where all are 0; absent without such a y, as of texts
    n_features_in_, feature_names_in_ : of the table fitted on; no names where it was an array

    Examples
    --------
    >>> from socml.models import make_detector
    >>> X = [[0.0, 1.0], [0.1, 1.2], [0.2, 0.9], [9.0, 9.0]]
    >>> detector = make_detector("robust-z", threshold=5.0).fit(X)
    >>> detector.predict(X).tolist()
    [1, 1, 1, -1]
    """

    def __init__(
        self,
        preparation: Preparation | Sequences,
        detector: Detector,
        *,
        threshold: float | None = None,
        alert_share: float = 0.01,
    ) -> None:
        self.preparation = preparation
        self.detector = detector
        self.threshold = threshold
        self.alert_share = alert_share

    def fit(self, X: Rows, y: ArrayLike | None = None, **others: object) -> OutlierDetector:
        """Learn what is usual from X of shape (n_rows, n_columns); `y` only says which way `decision_function` points.

        Raises
        ------
        TableError
            If X cannot be learned from; it is a ValueError too.
        TypeError
            If it is given anything else, as weights: preparation and threshold count every row once.
        """
        if others:
            raise TypeError(
                f"A detector learns from every row alike: fit takes X and y, and no {next(iter(others))}. Leave rows out, or "
                "have them twice."
            )
        if not (isinstance(self.alert_share, NUMBERS) and 0 < self.alert_share < 1):
            raise ValueError(f"alert_share is {self.alert_share!r}; it is a share of the rows, above 0 and below 1.")
        if self.threshold is not None and (not isinstance(self.threshold, NUMBERS) or np.isnan(self.threshold)):
            shown = "NaN" if isinstance(self.threshold, NUMBERS) else repr(self.threshold)
            raise ValueError(f"threshold is {shown}; it is an anomaly score, or None.")
        self.__dict__.pop("classes_", None)
        table = self._table(X, reset=True)
        given = None if y is None else np.asarray(y)
        if given is not None and len(given) != len(table):
            raise ValueError(f"y has {len(given)} values for {len(table)} rows.")
        self.preparation_, self.detector_ = clone(self.preparation), clone(self.detector)
        matrix = self.preparation_.fit(table).transform(table)
        self.detector_.fit(matrix, given if hasattr(self.detector_, "log_odds") else None)
        normality = self._normality(table)
        rarest = float(np.quantile(as_anomaly(normality), 1.0 - self.alert_share))
        self.threshold_ = rarest if self.threshold is None else float(self.threshold)
        self.offset_ = -self.threshold_
        classes = _two_classes(given)
        if classes is not None:
            self.classes_ = classes
        return self

    def score_samples(self, X: Rows) -> NDArray[np.float64]:
        """Return how normal each row is, shape (n_rows,): higher is more NORMAL."""
        check_is_fitted(self, "offset_")
        return self._normality(self._table(X, reset=False))

    def anomaly_score(self, X: Rows) -> NDArray[np.float64]:
        """Return minus `score_samples`: higher is more anomalous, and an alert above `threshold_`."""
        return as_anomaly(self.score_samples(X))

    def decision_function(self, X: Rows) -> NDArray[np.float64]:
        """Return the distance from the threshold: below 0 is an alert; turned where y told the classes 0 and 1."""
        return self._sign() * (self.score_samples(X) - self.offset_)

    def predict(self, X: Rows) -> NDArray[np.generic]:
        """Return −1 for an alert and 1 for the rest; the classes of y, where `fit` was given two."""
        normal = self.score_samples(X) >= self.offset_
        if not hasattr(self, "classes_"):
            return np.where(normal, 1, -1)
        towards = normal if self._sign() > 0 else ~normal
        return np.asarray(self.classes_[towards.astype(np.int64)])

    def __sklearn_tags__(self) -> Tags:
        """Say that it is an outlier detector, and that missing values, texts and categories are no trouble."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.input_tags.sparse = False
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether `fit` was called."""
        return hasattr(self, "offset_")

    def set_output(self, *, transform: str | None = None) -> OutlierDetector:
        """Let the preparation hand on `"pandas"` tables or `"default"` arrays, as any transformer of scikit-learn."""
        self.preparation.set_output(transform=transform)
        if hasattr(self, "preparation_"):
            self.preparation_.set_output(transform=transform)
        return self

    @property
    def named_steps(self) -> Bunch:
        """The steps by name, `preparation` and `detector`: the fitted ones once there are."""
        return Bunch(**dict(self.steps))

    def __getitem__(self, step: str | int) -> Preparation | Sequences | Detector:
        """Return a step by its name or number, as of a pipeline."""
        return dict(self.steps)[step] if isinstance(step, str) else self.steps[step][1]

    @property
    def steps(self) -> list[tuple[str, Preparation | Sequences | Detector]]:
        """The steps and their names, as of a pipeline: the fitted ones once there are."""
        return [(name, getattr(self, f"{name}_", getattr(self, name))) for name in ("preparation", "detector")]

    def _normality(self, table: pd.DataFrame) -> NDArray[np.float64]:
        normality = self.detector_.score_samples(self.preparation_.transform(table))
        return checked_normality(normality, len(table), self.detector_)

    def _sign(self) -> int:
        """Return −1 where y had classes of which the smaller one, not below 0, is usual: 0 and 1, False and True."""
        classes = getattr(self, "classes_", None)
        return -1 if classes is not None and classes[0] >= 0 else 1

    def _table(self, X: Rows, *, reset: bool) -> pd.DataFrame:
        """Return checked rows as a table, or raise a ValueError as scikit-learn does."""
        check_rows(X)
        if is_table(X):
            X = plain_table(X)
        if not hasattr(X, "columns"):
            X = check_array(with_gaps(cast("ArrayLike", X)), dtype=None, ensure_all_finite=False, estimator=self)
        table = plain_table(X)
        if not len(table):
            raise TableError("Found array with 0 sample(s): there is nothing to learn what is usual from.")
        named = table if hasattr(X, "columns") else X
        if not reset and hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            lacking = [name for name in self.feature_names_in_ if name not in table.columns]
            if lacking:
                near = did_you_mean(str(lacking[0]), list(table.columns))
                raise TableError(f"The table has no column {lacking[0]!r}, which the detector was fitted on.{near}")
            return table[list(self.feature_names_in_)] if list(table.columns) != list(self.feature_names_in_) else table
        validate_data(self, named, reset=reset, skip_check_array=True)
        if not reset and not hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            return table.set_axis(self.feature_names_in_, axis=1)
        return table


def _two_classes(y: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
    """Return the two classes of y, the smaller first, or None; a notice where y says in words which rows are malicious."""
    if y is None or y.ndim != 1:
        return None
    if y.dtype.kind in "buif" and not np.isnan(y).any():
        classes = np.unique(y)
        if classes.tolist() == [0]:  # a fold without malicious rows
            classes = np.array([0, 1], dtype=classes.dtype)
        return classes if len(classes) == 2 else None
    if y.dtype.kind in "OU" and "malicious" in y.tolist():
        warnings.warn(
            "y holds words, which turn nothing: decision_function is high for the usual rows, and predict says 1 and −1. For metrics "
            "of how well malicious rows are found, give 1 and 0: y == 'malicious'.",
            Notice,
            stacklevel=3,
        )
    return None
