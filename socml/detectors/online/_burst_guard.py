"""Scaled rows in their order → which of them may be learned, so that a burst does not become what is usual.

The space is cut into coarse cells: each column low, middle or high. In one window of learned rows, a cell may
hold at most a floor and a multiple of what it held in the window before. A burst does not fill windows by
itself, so it becomes usual only as fast as other events come along.

The table of cells has no secret, as it is stored with its detector; it holds one window, so however cells are made, a row
looks at no more places than a window has rows.
"""

from __future__ import annotations

import numpy as np

from socml.detectors._arrays import Flags, Floats, Ints
from socml.project import njit

EDGE = 1.5  # standard deviations that part a column's middle from its low and its high
PATIENCE = 20  # windows of events after which a window ends in any case: what is usual may have changed for good


@njit(cache=True, nogil=True)
def _cell(row: Floats) -> np.uint64:
    """Return a hash of the row's cell, never 0: FNV-1a over one number a column."""
    cell = np.uint64(14695981039346656037)
    for j in range(row.size):
        part = np.uint64(2) if row[j] > EDGE else (np.uint64(0) if row[j] < -EDGE else np.uint64(1))
        cell = (cell ^ part) * np.uint64(1099511628211)
    return cell | np.uint64(1)


@njit(cache=True, nogil=True)
def _place(keys: Ints, cell: np.uint64) -> np.int64:
    """Return where a cell stands in an open-addressing table, or the empty place where it would."""
    mask = keys.size - 1
    at = np.int64((cell >> np.uint64(20)) & np.uint64(mask))
    while keys[at] != np.uint64(0) and keys[at] != cell:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def admit(scaled: Floats, keys: Ints, counts: Ints, progress: Ints, window: int, floor: float, growth: float) -> Flags:
    """Return for each row whether it may be learned, shape (n_rows,), and remember those that may.

    Parameters
    ----------
    scaled : float64 (n_rows, n_columns), in standard deviations
    keys, counts : uint64 and int64 (2, size): cells of the window before and of this one; size is a power of
        two above 2 × `window`; changed in place
    progress : int64 (3,): rows learned and rows seen in this window, windows ended; changed in place
    window : rows learned in a window
    floor : share of a window that any cell may have, 0 to 1
    growth : how many times its share of the window before a cell may have on top
    """
    admitted = np.empty(scaled.shape[0], dtype=np.bool_)
    for i in range(scaled.shape[0]):
        cell = _cell(scaled[i])
        now = _place(keys[1], cell)
        before = _place(keys[0], cell)
        earlier = counts[0, before] if keys[0, before] == cell else 0
        held = counts[1, now] if keys[1, now] == cell else 0
        admitted[i] = progress[2] == 0 or held < max(1.0, floor * window + growth * earlier)
        progress[1] += 1
        if admitted[i]:
            keys[1, now] = cell
            counts[1, now] = held + 1
            progress[0] += 1
        if progress[0] >= window or progress[1] >= PATIENCE * window:
            keys[0], counts[0] = keys[1], counts[1]
            keys[1] = 0
            counts[1] = 0
            progress[0], progress[1] = 0, 0
            progress[2] += 1
    return admitted
