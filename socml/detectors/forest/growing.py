"""A matrix and a random state → the isolation forest that scikit-learn would grow from them, many times faster.

Every random number is drawn as scikit-learn 1.9 draws it, so the trees are the same: same columns, same
thresholds, same order. (Where two rows of a leaf have the same random target to eight digits, scikit-learn
does not part them, by a rounding that is not repeated here to the last bit: about one forest in ten thousand.)

References
----------
F. T. Liu, K. M. Ting, Z.-H. Zhou (2008), «Isolation Forest», ICDM, doi:10.1109/ICDM.2008.17
scikit-learn 1.9, `sklearn/tree/_splitter.pyx` (node_split_random) and `sklearn/ensemble/_bagging.py`
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from socml.detectors.forest.mersenne_twister import draw_below, draw_sample, new_state, seed_state
from socml.detectors.forest.tables import PackedForest

__all__ = ["draw_seeds", "fit_isolation_forest", "grow_forest", "tree_seeds"]

MOST_SEED = 2**31 - 1  # scikit-learn's MAX_INT, and RAND_R_MAX
CONSTANT = np.float32(1e-7)  # scikit-learn's FEATURE_THRESHOLD: a column that spans less is constant
EPSILON = float(np.finfo(np.float64).eps)  # an impurity at or below it is 0 to scikit-learn


def fit_isolation_forest(
    X: ArrayLike,
    *,
    n_estimators: int = 100,
    max_samples: int | str = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> PackedForest:
    """Return the forest that scikit-learn's IsolationForest(n_estimators, max_samples, random_state) grows on X.

    Parameters
    ----------
    X : (n_rows, n_features), turned to float32; values may be missing, not infinite
    max_samples : rows a tree is grown from; "auto" is 256, or all if there are fewer
    random_state : None, a whole number or a RandomState, as in scikit-learn

    Raises
    ------
    ValueError
        If X has no row or no column, or a row that a tree is grown from holds an infinite value.

    Examples
    --------
    >>> forest = fit_isolation_forest([[0.0], [0.1], [9.0]], n_estimators=3, random_state=0)
    >>> forest.n_trees, forest.max_samples, int(forest.rows[0])
    (3, 3, 3)
    """
    matrix = np.require(X, np.float32, ["C", "W"])
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"A forest needs rows and columns; the matrix has shape {matrix.shape}.")
    n = len(matrix)
    rows = min(256, n) if max_samples == "auto" else min(int(max_samples), n)
    from sklearn.utils import check_random_state

    target = check_random_state(random_state).uniform(size=n)
    return grow_forest(matrix, draw_seeds(check_random_state(random_state), n_estimators), target, rows)


def draw_seeds(random_state: np.random.RandomState, n_estimators: int) -> NDArray[np.int64]:
    """Return the seed of each tree, as scikit-learn draws them after its random target."""
    return np.asarray(random_state.randint(MOST_SEED, size=n_estimators), dtype=np.int64)


def grow_forest(
    X: NDArray[np.float32], seeds: NDArray[np.int64], target: NDArray[np.float64], max_samples: int
) -> PackedForest:
    """Return one tree a seed, each grown from `max_samples` different rows of X.

    Raises
    ------
    ValueError
        If a value of those rows is infinite.
    """
    most = 2 * max_samples - 1
    whole = np.empty((most, 4), dtype=np.int32)
    threshold = np.empty(most)
    missing_left = np.empty(most, dtype=np.bool_)
    seen = np.zeros(len(X), dtype=np.uint8)
    depth = int(np.ceil(np.log2(max(max_samples, 2))))
    parts, sizes = [], [0]
    for seed in seeds:
        size = _grow_tree(X, int(seed), target, max_samples, depth, seen, whole, threshold, missing_left)
        if size == 0:
            raise ValueError("The matrix holds infinite values: no split can be drawn between them.")
        parts.append((whole[:size].copy(), threshold[:size].copy(), missing_left[:size].copy()))
        sizes.append(size)
    columns, thresholds, missing = (np.concatenate(some) for some in zip(*parts, strict=True))
    feature, left, right, rows = (np.ascontiguousarray(columns[:, k]) for k in range(4))
    return PackedForest(
        feature, thresholds, left, right, rows, rows.astype(np.float64), missing,
        np.cumsum(sizes), X.shape[1], max_samples,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def tree_seeds(seeds: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return what scikit-learn makes the `random_state` of each tree, from the seeds of the forest."""
    own = np.empty(seeds.size, dtype=np.int64)
    generator = new_state()
    for tree in range(seeds.size):
        seed_state(generator, seeds[tree])
        own[tree] = draw_below(generator, MOST_SEED)
    return own


@njit(cache=True, nogil=True)
def _draw(state: NDArray[np.integer]) -> np.int64:
    """Return the next number of scikit-learn's xor-shift generator, 0 to 2³¹ - 1."""
    word = np.uint32(state[0])
    if word == 0:
        word = np.uint32(1)
    word = np.uint32(word ^ np.uint32(word << np.uint32(13)))
    word = np.uint32(word ^ np.uint32(word >> np.uint32(17)))
    word = np.uint32(word ^ np.uint32(word << np.uint32(5)))
    state[0] = word
    return np.int64(word & np.uint32(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def _grow_tree(
    X: NDArray[np.floating], seed: int, target: NDArray[np.floating], n_sample: int, max_depth: int, seen: NDArray[np.integer],
    whole: NDArray[np.integer], threshold: NDArray[np.floating], missing_left: NDArray[np.bool_],
) -> int:  # fmt: skip
    """Write the nodes of one tree, and return how many (0: a value is infinite).

    `whole` becomes column, left, right and rows of each node.
    """
    generator = new_state()
    seed_state(generator, seed)
    own_seed = draw_below(generator, MOST_SEED)  # the tree's random_state
    seed_state(generator, seed)
    sample = draw_sample(generator, X.shape[0], n_sample, seen)
    seed_state(generator, own_seed)
    state = np.empty(1, dtype=np.uint32)
    state[0] = draw_below(generator, MOST_SEED)
    values = np.empty((n_sample, X.shape[1]), dtype=np.float32)
    infinite = False
    for i in range(n_sample):
        row, own = X[sample[i]], values[i]
        for f in range(own.size):
            own[f] = row[f]
            infinite |= abs(row[f]) == np.inf
    if infinite:
        return 0
    return _split_all(values, target[sample], state, max_depth, whole, threshold, missing_left)


@njit(cache=True, nogil=True)
def _split_all(
    values: NDArray[np.floating], target: NDArray[np.floating], state: NDArray[np.integer], max_depth: int,
    whole: NDArray[np.integer], threshold: NDArray[np.floating], missing_left: NDArray[np.bool_],
) -> int:  # fmt: skip
    n_sample, n_features = values.shape
    order = np.arange(n_sample)
    features, constant = np.arange(n_features), np.empty(n_features, dtype=np.int64)
    todo = np.empty((max_depth + 2, 6), dtype=np.int64)  # start, end, depth, parent, is it left, known constants
    _push(todo[0], 0, n_sample, 0, -1, 0, 0)
    found = np.empty(3, dtype=np.int64)
    size, n = 1, 0
    while size:
        size -= 1
        own = todo[size]
        start, end, depth, parent, is_left, known = own[0], own[1], own[2], own[3], own[4], own[5]
        split = -1.0
        position = end
        if depth < max_depth and end - start >= 2 and not _same_target(target, order, start, end):
            split = _split(values, order, start, end, state, features, constant, known, found)
            position = found[1]
        if parent >= 0:
            whole[parent, 1 if is_left else 2] = n
        is_leaf = position >= end
        whole[n, 0] = -1 if is_leaf else found[0]
        whole[n, 1] = whole[n, 2] = -1
        whole[n, 3] = end - start
        threshold[n] = np.nan if is_leaf else split
        missing_left[n] = False
        if not is_leaf:
            missing_left[n] = bool(found[2] & 1)
            total = found[2] >> 1
            _push(todo[size], position, end, depth + 1, n, 0, total)
            _push(todo[size + 1], start, position, depth + 1, n, 1, total)
            size += 2
        n += 1
    return n


@njit(cache=True, nogil=True)
def _push(own: NDArray[np.float64], start: int, end: int, depth: int, parent: int, is_left: int, known: int) -> None:
    own[0], own[1], own[2], own[3], own[4], own[5] = start, end, depth, parent, is_left, known


@njit(cache=True, nogil=True)
def _same_target(target: NDArray[np.floating], order: NDArray[np.integer], start: int, end: int) -> bool:
    """Say whether a pair of rows has no variance of the target left, for scikit-learn."""
    if end - start != 2:
        return False
    half = (target[order[start]] - target[order[start + 1]]) / 2.0
    return half * half <= EPSILON  # type: ignore[no-any-return]  # NumPy gives an element no type


@njit(cache=True, nogil=True)
def _split(
    values: NDArray[np.floating], order: NDArray[np.integer], start: int, end: int, state: NDArray[np.integer], features: NDArray[np.integer], constant: NDArray[np.integer],
    known: int, found: NDArray[np.integer],
) -> float:  # fmt: skip
    """Part order[start:end] at a random threshold of a random column that varies, and return the threshold.

    `found` becomes the column, where the right part starts (`end` if no column varies), and twice the number
    of columns known to be constant, plus 1 if missing values go left. Columns that were found constant
    higher up come first in `features`, and are drawn too, without being looked at.
    """
    n_undrawn, n_new, n_drawn, total = features.size, 0, 0, known
    found[1], at = end, -1.0
    while n_undrawn > total:
        j = n_drawn + _draw(state) % (n_undrawn - n_new - n_drawn)
        if j < known:
            features[n_drawn], features[j] = features[j], features[n_drawn]
            n_drawn += 1
            continue
        j += n_new
        f = features[j]
        low, high, n_missing = _span(values[:, f], order, start, end)
        if n_missing == end - start or (n_missing == 0 and high <= np.float32(low + CONSTANT)):
            features[j], features[total] = features[total], f
            n_new += 1
            total += 1
            continue
        n_undrawn -= 1
        features[n_undrawn], features[j] = features[j], features[n_undrawn]
        at = (np.float64(high) - np.float64(low)) * np.float64(_draw(state)) / np.float64(MOST_SEED) + np.float64(low)
        left = _draw(state) % 2 if n_missing else 0
        if at == high:
            at = np.float64(low)
        position = _part(values[:, f], order, start, end, at, left == 1)
        if start < position < end:
            if n_missing == 0:
                left = int(position - start > end - position)
            found[0], found[1], found[2] = f, position, left
        break
    features[:known] = constant[:known]
    constant[known:total] = features[known:total]
    found[2] = (found[2] & 1) + 2 * total
    return at


@njit(cache=True, nogil=True)
def _span(
    values: NDArray[np.floating], order: NDArray[np.integer], start: int, end: int
) -> tuple[np.float32, np.float32, int]:
    """Return the least and the largest value, and how many are missing."""
    low, high = np.float32(np.inf), np.float32(-np.inf)
    n_missing = 0
    for i in range(start, end):
        x = values[order[i]]
        n_missing += np.isnan(x)
        low = x if x < low else low
        high = x if x > high else high
    return low, high, n_missing


@njit(cache=True, nogil=True)
def _part(
    values: NDArray[np.floating], order: NDArray[np.integer], start: int, end: int, at: float, missing_left: bool
) -> int:
    """Put the rows that go left first, and return where the others start."""
    while start < end:
        x = values[order[start]]
        if (x <= at) | (np.isnan(x) & missing_left):
            start += 1
        else:
            end -= 1
            order[start], order[end] = order[end], order[start]
    return end
