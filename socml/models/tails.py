"""A value among others → how surprising it is: −log10 of the share that reaches it, beyond the usual by extrapolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 5  # reference values below which nothing is said
Floats = NDArray[np.float64]


def surprise(reference: Floats, n: int, x: Floats, *, tail_share: float = 0.05, least_scale: float = 0.3) -> Floats:
    """Return −log10 of the share of a reference that reaches each x; x of 0 or below is 0.

    Up to the (1 − `tail_share`) point the share is counted, (reached + 1) / (n + 1). Beyond it an exponential tail is
    fitted to the excesses, so that a value far outside is more surprising than one that just is the largest.

    Parameters
    ----------
    reference : sorted, positive values
    n : how many values the reference has, zeros included
    x : values to judge, in the same unit
    least_scale : smallest mean excess, so that equal values do not make a small step look impossible

    Examples
    --------
    >>> surprise(np.arange(1.0, 100.0), 99, np.array([0.0, 50.0, 99.0])).round(2).tolist()
    [0.0, 0.29, 2.02]
    """
    tail = np.zeros(len(x))
    if n < FEWEST:
        return tail
    reached = len(reference) - np.searchsorted(reference, x, side="left")
    tail = -np.log10((reached + 1) / (n + 1))
    in_tail = max(FEWEST, int(tail_share * n))
    at = len(reference) - in_tail - 1
    corner = float(reference[at]) if at >= 0 else 0.0
    beyond = reference[np.searchsorted(reference, corner, side="right") :]
    scale = max(float((beyond - corner).mean()) if len(beyond) else 0.0, least_scale)
    share = max(len(beyond), 1) / (n + 1)
    far = x > corner
    tail[far] = -np.log10(share) + (x[far] - corner) / scale / np.log(10)
    tail[x <= 0] = 0.0
    return np.maximum(tail, 0.0)
