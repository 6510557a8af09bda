"""Training scores → the scale that a percentile is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXACT_TAIL = 5_000  # most anomalous reference rows that are all kept, so that high percentiles are exact


@dataclass(frozen=True)
class Reference:
    """The training scores that a percentile is measured against, in the detector's direction.

    Attributes
    ----------
    normality : ndarray, ascending: scores of reference rows; higher is more NORMAL
    ranks : ndarray of int: how many of the reference rows score at most that
    rows : number of reference rows
    """

    normality: np.ndarray
    ranks: np.ndarray
    rows: int

    def percentile(self, normality: np.ndarray) -> np.ndarray:
        """Return the share of reference rows that are more normal, 0 to 100: high is anomalous.

        Exact for the 5,000 most anomalous reference rows, to 0.01 below.

        Examples
        --------
        >>> make_reference(np.array([-0.9, -0.5, -0.4, -0.3])).percentile(np.array([-0.9, -0.45, -1.0]))
        array([ 75.,  50., 100.])
        """
        at = np.searchsorted(self.normality, normality, side="right")
        at_most = np.concatenate([[0], self.ranks])[at]
        return np.asarray(100.0 * (1.0 - at_most / self.rows))


def make_reference(normality: np.ndarray) -> Reference:
    """Return the scale of these reference scores (higher is more NORMAL), thinned where it may be."""
    ordered = np.sort(np.asarray(normality, dtype=np.float64))
    kept = np.arange(len(ordered))
    if len(ordered) > 4 * EXACT_TAIL:
        thinned = np.linspace(EXACT_TAIL, len(ordered) - 1, 3 * EXACT_TAIL).astype(np.int64)
        kept = np.concatenate([kept[:EXACT_TAIL], thinned])
    values = np.unique(ordered[kept])
    return Reference(values, np.searchsorted(ordered, values, side="right"), len(ordered))
