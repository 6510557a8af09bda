"""Values of a column and a forest's thresholds → how many thresholds each value is above, as one byte.

A table of buckets tells how many thresholds lie before a value's bucket; those inside it are compared. Any
map to buckets that never decreases is exact; of two the one that parts the thresholds better is taken.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["TILE", "gather_edges", "make_buckets", "rank_tile"]

TILE = 512  # rows at a time: 40 columns of ranks fit the first-level cache
MOST_RANKS = 255  # thresholds of one column that a byte can tell apart
BUCKETS = 4096
NEAR = 4  # thresholds that share a bucket, at most, or the column is searched
LINEAR, BITS, SEARCH = 0, 1, 2  # how a value finds its rank: equal steps, steps of its bits, binary search


@njit(cache=True, nogil=True)
def gather_edges(
    feature: NDArray, threshold: NDArray, start: NDArray, longest: NDArray, tree: int, n_features: int
) -> tuple[NDArray, NDArray, int]:
    """Return the distinct thresholds of each column, how many, and the first tree that no longer fits.

    `longest` (n_trees,) is what share of the largest sum each tree may take.
    """
    edges = np.full((n_features, MOST_RANKS + 1 + NEAR), np.inf, dtype=np.float32)
    counts = np.zeros(n_features, dtype=np.int64)
    total = 0.0
    for number in range(tree, start.size - 1):
        total += longest[number]
        if number > tree and total >= 1.0:
            return edges, counts, number
        for node in range(start[number], start[number + 1]):
            f = feature[node]
            if f < 0:
                continue
            t = threshold[node]
            own = edges[f]
            at = np.searchsorted(own[: counts[f]], t)
            if at < counts[f] and own[at] == t:
                continue
            if counts[f] == MOST_RANKS:
                return edges, counts, number  # thresholds of this tree that are already in do no harm
            for k in range(counts[f], at, -1):
                own[k] = own[k - 1]
            own[at] = t
            counts[f] += 1
    return edges, counts, start.size - 1


@njit(cache=True, nogil=True, inline="always")
def _linear_bucket(x: float, low: float, step: float) -> int:
    """Return floor((x - low) · step) within the table, 0 for a missing value."""
    at = (x - low) * step
    at = at if at > np.float32(0.0) else np.float32(0.0)
    at = at if at < np.float32(BUCKETS - 1) else np.float32(BUCKETS - 1)
    return np.int32(at)


@njit(cache=True, nogil=True, inline="always")
def _in_order(bits: int) -> int:
    """Return a whole number that orders float32 values as they are ordered, from their bits."""
    return np.int64(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@njit(cache=True, nogil=True, inline="always")
def _bits_bucket(key: int, low: int, shift: int) -> int:
    at = (key - low) >> shift
    return min(max(at, 0), BUCKETS - 1)


@njit(cache=True, nogil=True)
def make_buckets(edges: NDArray, counts: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return for each column the way to a rank with the fewest comparisons, and its table."""
    n_used = counts.size
    method = np.full(n_used, SEARCH, dtype=np.int32)
    low = np.zeros(n_used, dtype=np.float32)
    step = np.zeros(n_used, dtype=np.float32)
    table = np.zeros((n_used, BUCKETS), dtype=np.uint8)
    for u in range(n_used):
        own = edges[u, : counts[u]].copy()
        low[u] = own[0]
        fewest = NEAR + 1
        for how in (LINEAR, BITS):
            size, buckets = _linear_buckets(own) if how == LINEAR else _bits_buckets(own)
            most = _longest_run(buckets)
            if most < fewest:
                fewest, method[u], step[u] = most, how, size
                table[u] = np.searchsorted(buckets, np.arange(BUCKETS))
    return method, low, step, table


@njit(cache=True, nogil=True)
def _linear_buckets(edges: NDArray) -> tuple[float, NDArray]:
    """Return the buckets in one unit, and the bucket of each edge."""
    step = np.float32(0.0)
    if edges.size > 1:
        step = np.float32(BUCKETS - 1) / (edges[-1] - edges[0])
        step = step if np.isfinite(step) else np.float32(0.0)
    buckets = np.empty(edges.size, dtype=np.int64)
    for k in range(edges.size):
        buckets[k] = _linear_bucket(edges[k], edges[0], step)
    return step, buckets


@njit(cache=True, nogil=True)
def _bits_buckets(edges: NDArray) -> tuple[float, NDArray]:
    """Return how many bits of a value a bucket spans, and the bucket of each edge."""
    keys = edges.view(np.int32)
    low, shift = _in_order(keys[0]), 0
    while ((_in_order(keys[-1]) - low) >> shift) >= BUCKETS:
        shift += 1
    buckets = np.empty(edges.size, dtype=np.int64)
    for k in range(edges.size):
        buckets[k] = _bits_bucket(_in_order(keys[k]), low, shift)
    return np.float32(shift), buckets


@njit(cache=True, nogil=True)
def _longest_run(buckets: NDArray) -> int:
    most, run = 1, 1
    for k in range(1, buckets.size):
        run = run + 1 if buckets[k] == buckets[k - 1] else 1
        most = max(most, run)
    return most


@njit(cache=True, nogil=True)
def rank_tile(
    X: NDArray, bits: NDArray, begin: int, n: int, columns: NDArray, edges: NDArray, method: NDArray,
    low: NDArray, step: NDArray, table: NDArray, ranks: NDArray,
) -> None:  # fmt: skip
    """Write how many thresholds of its column each value is above, less 128, into `ranks` (n_used, TILE)."""
    for u in range(columns.size):
        f, e, t, out = columns[u], edges[u], table[u], ranks[u]
        base, size = low[u], step[u]
        if method[u] == LINEAR:
            for r in range(n):
                x = X[begin + r, f]
                k = np.uint64(t[_linear_bucket(x, base, size)])
                near = (e[k] < x) + (e[k + np.uint64(1)] < x) + (e[k + np.uint64(2)] < x) + (e[k + np.uint64(3)] < x)
                out[r] = np.int8(np.int64(k) + near - 128)
        elif method[u] == BITS:
            key, shift = _in_order(e.view(np.int32)[0]), np.int64(size)
            for r in range(n):
                x = X[begin + r, f]
                k = np.uint64(t[_bits_bucket(_in_order(bits[begin + r, f]), key, shift)])
                near = (e[k] < x) + (e[k + np.uint64(1)] < x) + (e[k + np.uint64(2)] < x) + (e[k + np.uint64(3)] < x)
                out[r] = np.int8(np.int64(k) + near - 128)
        else:
            for r in range(n):
                x = X[begin + r, f]
                k = np.uint64(0)
                for power in range(7, -1, -1):  # the 256th edge is infinity, which is below nothing
                    half = np.uint64(1 << power)
                    k += half * np.uint64(e[k + half - np.uint64(1)] < x)
                out[r] = np.int8(np.int64(k) - 128)
