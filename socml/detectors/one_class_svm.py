"""A numeric matrix → on which side of a smooth border around the bulk of the rows each row lies, and how far."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from socml.detectors._one_thread import on_one_thread
from socml.project import Interval

__all__ = ["OneClassSvm"]

BLOCK = 16_384  # rows that are compared with the landmarks at a time
MANY = 20_000  # rows that the border is learnt from at most; it has few parameters


class OneClassSvm(BaseEstimator):
    """One-class SVM with a Gaussian kernel, approximated by landmarks (Nyström) and fitted by gradient descent.

    Columns are standardised and cut off at ten standard deviations. The kernel's width is the median distance
    between training rows.

    Blind to anything narrower than the kernel, such as gaps between groups, and to how far beyond reach of all
    landmarks a row lies: there every row scores the same.

    Parameters
    ----------
    nu : share of the training rows that may lie outside the border, above 0 to 1
    n_landmarks : training rows that the kernel is approximated with

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of each column, in that column's unit; the scale of a constant one is infinite.
    gamma_ : float
        1 / (squared width) of the kernel, on the scaled columns.
    landmarks_ : ndarray of shape (n_landmarks, n_features)
    weight_ : ndarray of shape (n_landmarks,)
        Weight of the kernel between a row and each landmark.
    offset_ : float

    References
    ----------
    B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson (2001), «Estimating the Support of a
    High-Dimensional Distribution», Neural Computation 13. C. Williams, M. Seeger (2001), «Using the Nyström
    Method to Speed Up Kernel Machines», NIPS 13

    Examples
    --------
    >>> X = [[i % 20 / 10] for i in range(400)] + [[9.0]]  # it learns by small steps: a handful of rows is too few
    >>> int(OneClassSvm(random_state=0).fit(X).score_samples(X).argmin())  # the lowest score is the most anomalous
    400
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "nu": [Interval(Real, 0, 1, closed="right")],
        "n_landmarks": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, nu: float = 0.1, n_landmarks: int = 200, random_state: int | np.random.RandomState | None = None
    ) -> None:
        self.nu = nu
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    @on_one_thread
    def fit(self, X: ArrayLike, y: object = None) -> OneClassSvm:
        """Learn the border from X of shape (n_samples, n_features); `y` is ignored."""
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        random = check_random_state(self.random_state)
        self.mean_ = X.mean(axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 1e-12 * np.abs(self.mean_), spread, np.inf)
        if len(X) > MANY:
            X = X[random.choice(len(X), MANY, replace=False)]
        Z = self._scaled(X)
        self.gamma_ = _inverse_width(Z[random.permutation(len(Z))[:1000]])
        kernel = Nystroem(gamma=self.gamma_, n_components=min(self.n_landmarks, len(Z)), random_state=random).fit(Z)
        border = SGDOneClassSVM(nu=self.nu, random_state=random, tol=1e-4).fit(kernel.transform(Z))
        self.landmarks_ = kernel.components_
        self.weight_ = kernel.normalization_.T @ border.coef_.ravel()
        self.offset_ = float(border.offset_[0])
        return self

    @on_one_thread
    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return the signed distance to the border, shape (n_samples,), without a unit: higher is more NORMAL."""
        from sklearn.metrics.pairwise import rbf_kernel

        check_is_fitted(self, "weight_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores = np.empty(len(X))
        for at in range(0, len(X), BLOCK):
            near = rbf_kernel(self._scaled(X[at : at + BLOCK]), self.landmarks_, gamma=self.gamma_)
            scores[at : at + BLOCK] = near @ self.weight_ - self.offset_
        return scores

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip((X - self.mean_) / self.scale_, -10.0, 10.0))


def _inverse_width(Z: np.ndarray) -> float:
    """Return 1 / (median squared distance between rows); 1 if rows do not differ."""
    from sklearn.metrics import pairwise_distances

    apart = pairwise_distances(Z, metric="sqeuclidean")
    median = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    return 1.0 / median
