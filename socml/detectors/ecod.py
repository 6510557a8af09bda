"""A numeric matrix → how far out in its tails each row lies, column by column, against frozen distributions."""

from __future__ import annotations

import numpy as np

from socml.detectors._empirical import TailDetector

__all__ = ["Ecod"]


class Ecod(TailDetector):
    """ECOD: the sum over columns of −log of the smaller tail that the value lies in, in nats.

    The distributions are frozen in `fit`, so a row scores the same whichever rows are scored with it
    (PyOD's ECOD mixes the scored rows into the distributions).

    Blind to odd combinations of ordinary values, to a gap in the middle of a column, and to how far beyond
    everything seen a value lies. Columns that repeat one another count again.

    Attributes
    ----------
    start_, points_, up_to_, below_ : ndarray
        The distributions, as `socml.detectors._empirical.Empirical` describes them.
    n_rows_ : int
        Rows they were learnt from.

    References
    ----------
    Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. Chen (2022), «ECOD: Unsupervised Outlier Detection Using
    Empirical Cumulative Distribution Functions», IEEE TKDE, doi:10.1109/TKDE.2022.3159580

    Examples
    --------
    >>> X = [[1.0], [2.0], [2.0], [2.0], [9.0]]
    >>> Ecod().fit(X).score_samples([[2.0], [9.0], [99.0]]).round(2).tolist()  # the lowest is the most anomalous
    [-0.22, -1.61, -1.79]
    """

    def _told(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(low, high))
