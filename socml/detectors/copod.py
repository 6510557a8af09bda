"""A numeric matrix → how unlikely each row is under its empirical copula, against frozen distributions."""

from __future__ import annotations

import numpy as np

from socml.detectors._empirical import TailDetector, skewness

__all__ = ["Copod"]


class Copod(TailDetector):
    """COPOD: the sum over columns of −log of a tail: the one a column is skewed to, or both on average if more.

    The distributions are frozen in `fit`, so a row scores the same whichever rows are scored with it.

    Blind to odd combinations of ordinary values, to a gap in the middle of a column, to how far beyond
    everything seen a value lies, and partly to low values of a column that is skewed to high ones.

    Attributes
    ----------
    skewness_ : ndarray of shape (n_features,)
        Skewness of each column, without a unit; its sign says which tail counts.
    start_, points_, up_to_, below_ : ndarray
        The distributions, as `socml.detectors._empirical.Empirical` describes them.
    n_rows_ : int
        Rows they were learnt from.

    References
    ----------
    Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu (2020), «COPOD: Copula-Based Outlier Detection», ICDM,
    doi:10.1109/ICDM50108.2020.00135

    Examples
    --------
    >>> X = [[1.0], [2.0], [2.0], [2.0], [9.0]]
    >>> Copod().fit(X).score_samples([[2.0], [9.0], [99.0]]).round(2).tolist()  # the lowest is the most anomalous
    [-0.22, -1.61, -1.79]
    """

    def _learn(self, X: np.ndarray) -> None:
        self.skewness_ = skewness(X)

    def _told(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        skewed = np.where(self.skewness_ < 0, low, high)
        skewed = np.where(self.skewness_ == 0, low + high, skewed)  # as the authors' code has it
        return np.asarray(np.maximum(skewed, (low + high) / 2))
