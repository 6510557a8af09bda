"""Any detector, a typical row and matrix rows → how far each cell pushed the score toward anomalous, with its error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from socml.explanations.shapley import shapley_values

if TYPE_CHECKING:
    from socml.detectors import Scorer

__all__ = ["SampledShapley"]


class SampledShapley:
    """Shapley values of the anomaly score where a feature that is left out stands at its typical value.

    They and `base` add up to the score exactly. They are exact themselves where the features that differ from the
    typical row are nine or fewer (with the budget as it is), else estimated from orders that are drawn; how
    surely, `sampled` says. The same row is told the same whichever rows are with it.

    Blind to what would be usual together: the typical row is typical column by column. A detector for which that
    row is itself unusual tells what made a row less so.

    Parameters
    ----------
    detector : fitted, with `score_samples`
    typical : ndarray of shape (n_features,), the row that a row is compared with
    origin : for each column of the matrix, the feature it came from: columns of one feature stand or fall together
    budget : scores that may be taken for a row

    Attributes
    ----------
    base : float, anomaly score of the typical row

    References
    ----------
    E. Štrumbelj, I. Kononenko (2014), «Explaining prediction models and individual predictions with feature
    contributions», Knowledge and Information Systems 41, doi:10.1007/s10115-013-0679-x

    Examples
    --------
    >>> from socml.detectors.local_outlier import LocalOutlier
    >>> X = np.column_stack([np.arange(60) % 7, np.arange(60) % 5]).astype(float)
    >>> detector = LocalOutlier(n_neighbors=5).fit(X)
    >>> explainer = SampledShapley(detector, np.median(X, axis=0))
    >>> parts = explainer.contributions(np.array([[3.0, 40.0]]))
    >>> int(parts.argmax()), bool(np.isclose(parts.sum() + explainer.base, -detector.score_samples([[3.0, 40.0]])[0]))
    (1, True)
    """

    exact = False
    unit = "anomaly score"

    def __init__(
        self, detector: Scorer, typical: np.ndarray, origin: Sequence[str] | None = None, *, budget: int = 512
    ) -> None:
        self._detector, self.budget = detector, budget
        self._typical = np.asarray(typical).ravel()
        _, group = np.unique(np.arange(len(self._typical)) if origin is None else list(origin), return_inverse=True)
        self._group = np.asarray(group).ravel()
        self._columns = np.bincount(self._group)  # of each feature
        self.base = float(-detector.score_samples(self._typical[None, :])[0])

    @staticmethod
    def supports(detector: object) -> bool:
        """Say whether the detector scores a numeric matrix."""
        if not hasattr(detector, "score_samples"):
            return False
        if hasattr(detector, "n_features_in_"):
            return True
        return hasattr(detector, "__sklearn_tags__") and bool(detector.__sklearn_tags__().input_tags.two_d_array)

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return each cell's part of the anomaly score, shape as X: positive pushes toward anomalous.

        A feature's part is shared evenly by its columns.
        """
        return self.sampled(X)[0]

    def sampled(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the contributions and the standard error of each, both shape as X; the error is 0 where exact."""
        X = np.asarray(X)
        parts, errors = np.zeros(X.shape), np.zeros(X.shape)
        for i, row in enumerate(X):
            players = np.unique(self._group[row != self._typical])

            def worth(who: np.ndarray, row: np.ndarray = row, players: np.ndarray = players) -> np.ndarray:
                present = np.zeros((len(who), len(self._columns)), dtype=np.bool_)
                present[:, players] = who
                rows = np.where(present[:, self._group], row, self._typical)
                return np.asarray(-self._detector.score_samples(rows))

            values, error = shapley_values(worth, len(players), budget=self.budget)
            for feature, value, uncertain in zip(players, values, error, strict=True):
                own = self._group == feature
                parts[i, own] = value / self._columns[feature]
                errors[i, own] = uncertain / self._columns[feature]
        return parts, errors
