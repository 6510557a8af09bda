"""Categories in the order they come → how rare each was so far, in bits."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["running_rarity"]


@njit(cache=True, nogil=True)
def running_rarity(
    codes: NDArray[np.integer], places: NDArray[np.integer], counts: NDArray[np.integer], rows: int, learn: bool
) -> NDArray[np.float64]:
    """Return log2((rows so far + 1) / (rows so far with this value + 1)) of each row, shape (n_rows,).

    Parameters
    ----------
    codes : int64 (n_rows,), which of the block's values each row has
    places : int64 (n_values,), where each of the block's values is counted, −1 for nowhere
    counts : int64, rows so far with each value; changed in place if `learn`
    rows : rows before this block
    """
    rarity = np.empty(codes.size)
    for i in range(codes.size):
        place = places[codes[i]]
        seen = counts[place] if place >= 0 else 0
        before = rows + i if learn else rows
        rarity[i] = math.log2((before + 1.0) / (seen + 1.0))
        if learn and place >= 0:
            counts[place] += 1
    return rarity
