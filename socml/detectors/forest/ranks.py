"""Values of a column and a forest's thresholds → how many thresholds each value is above, as one byte.

A table of buckets tells how many thresholds lie before a value's bucket; those inside it are compared. Any
map to buckets that never decreases is exact; of two the one that parts the thresholds better is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Ints
from socml.project import njit

TILE = 512  # rows at a time: 40 columns of ranks fit the first-level cache
MOST_RANKS = 255  # thresholds of one column that a byte can tell apart
BUCKETS = 4096
NEAR = 3  # thresholds that share a bucket, at most, or the column is searched: two comparisons part three
LINEAR, BITS, SEARCH = 0, 1, 2  # how a value finds its rank: equal steps, steps of its bits, binary search


@njit(cache=True, nogil=True)
def place_among(values: AnyFloats, n: int, value: np.floating) -> int:
    """Return how many of the first `n` values, which are in order, are below one: NumPy's takes seconds to compile."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def gather_edges(
    feature: Ints, threshold: AnyFloats, start: Ints, tree: int, n_features: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Return the distinct thresholds of each column, how many, and the first tree that no longer fits."""
    edges = np.full((n_features, MOST_RANKS + 1 + NEAR), np.inf, dtype=np.float32)
    counts = np.zeros(n_features, dtype=np.int64)
    for number in range(tree, start.size - 1):
        for node in range(start[number], start[number + 1]):
            f = feature[node]
            if f < 0:
                continue
            t = threshold[node]
            own = edges[f]
            at = place_among(own, counts[f], t)
            if at < counts[f] and own[at] == t:
                continue
            if counts[f] == MOST_RANKS:
                return edges, counts, number  # thresholds of this tree that are already in do no harm
            for k in range(counts[f], at, -1):
                own[k] = own[k - 1]
            own[at] = t
            counts[f] += 1
    return edges, counts, start.size - 1


@njit(cache=True, nogil=True)
def _linear_buckets(x: AnyFloats, low: np.float32, step: np.float32, bucket: Ints) -> None:
    """Write floor((x - low) · step) within the table, 0 for a missing value."""
    for r in range(x.size):
        at = (x[r] - low) * step
        at = at if at > np.float32(0.0) else np.float32(0.0)
        at = at if at < np.float32(BUCKETS - 1) else np.float32(BUCKETS - 1)
        bucket[r] = np.int32(at)


@njit(cache=True, nogil=True, inline="always")
def _in_order(bits: np.int32) -> np.int32:
    """Return a whole number that orders float32 values as they are ordered, from their bits."""
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@njit(cache=True, nogil=True)
def _bits_buckets(bits: Ints, low: np.int32, shift: np.float32, bucket: Ints) -> None:
    """Write how far the value's place in the order of all float32 is from that of the bits `low`."""
    base, by = _in_order(low), np.uint32(shift)
    for r in range(bits.size):
        above = np.uint32(max(_in_order(bits[r]), base)) - np.uint32(base)
        bucket[r] = np.int32(min(np.uint32(above) >> by, np.uint32(BUCKETS - 1)))


@njit(cache=True, nogil=True)
def make_buckets(
    edges: AnyFloats, counts: Ints
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Return for each column the way to a rank with the fewest comparisons, and its table."""
    n_used = counts.size
    method = np.full(n_used, SEARCH, dtype=np.int32)
    low = np.zeros(n_used, dtype=np.float32)
    step = np.zeros(n_used, dtype=np.float32)
    table = np.zeros((n_used, BUCKETS), dtype=np.uint8)
    for u in range(n_used):
        own = edges[u, : counts[u]].copy()
        buckets = np.empty(own.size, dtype=np.int32)
        low[u] = own[0]
        fewest = NEAR + 1
        for how in (LINEAR, BITS):
            if how == LINEAR:
                size = _linear_step(own)
                _linear_buckets(own, own[0], size, buckets)
            else:
                size = _bits_step(own.view(np.int32))
                _bits_buckets(own.view(np.int32), own.view(np.int32)[0], size, buckets)
            most = _longest_run(buckets)
            if most < fewest:
                fewest, method[u], step[u] = most, how, size
                before = 0
                for at in range(BUCKETS):
                    while before < buckets.size and buckets[before] < at:
                        before += 1
                    table[u, at] = before
    return method, low, step, table


@njit(cache=True, nogil=True)
def _linear_step(edges: AnyFloats) -> np.float32:
    """Return how many buckets one unit has if the edges are to fill the table."""
    step = np.float32(0.0)
    if edges.size > 1:
        step = np.float32(np.float32(BUCKETS - 1) / np.float32(edges[-1] - edges[0]))
    return step if np.isfinite(step) else np.float32(0.0)


@njit(cache=True, nogil=True)
def _bits_step(bits: Ints) -> np.float32:
    """Return how many bits of a value a bucket spans if the edges are to fill the table."""
    span, shift = np.int64(_in_order(bits[-1])) - np.int64(_in_order(bits[0])), 0
    while (span >> shift) >= BUCKETS:
        shift += 1
    return np.float32(shift)


@njit(cache=True, nogil=True)
def _longest_run(buckets: Ints) -> int:
    most, run = 1, 1
    for k in range(1, buckets.size):
        run = run + 1 if buckets[k] == buckets[k - 1] else 1
        most = max(most, run)
    return most


@njit(cache=True, nogil=True)
def rank_tile(
    X: AnyFloats, begin: int, n: int, columns: Ints, edges: AnyFloats, method: Ints,
    low: AnyFloats, step: AnyFloats, table: Ints, ranks: Ints,
) -> None:  # fmt: skip
    """Write how many thresholds of its column each value is above, less 128, into `ranks` (n_used, TILE)."""
    values = np.zeros(TILE, dtype=np.float32)
    bucket = np.zeros(TILE, dtype=np.int32)
    for u in range(columns.size):
        f, own = np.uint64(columns[u]), edges[u]
        for r in range(n):
            values[r] = X[np.uint64(begin + r), f]
        if method[u] == LINEAR:
            _linear_buckets(values, low[u], step[u], bucket)
            _compare(values, own, table[u], bucket, ranks[u])
        elif method[u] == BITS:
            _bits_buckets(values.view(np.int32), own.view(np.int32)[0], step[u], bucket)
            _compare(values, own, table[u], bucket, ranks[u])
        else:
            _search(values, own, ranks[u])


@njit(cache=True, nogil=True)
def _compare(values: AnyFloats, edges: AnyFloats, table: Ints, bucket: Ints, ranks: Ints) -> None:
    """Count the thresholds before the value's bucket and the up to three in it that the value is above."""
    for r in range(TILE):
        x, k = values[r], np.uint64(table[np.uint64(bucket[r])])
        k += np.uint64(2) * np.uint64(edges[k + np.uint64(1)] < x)
        k += np.uint64(edges[k] < x)
        ranks[r] = np.int8(np.int64(k) - 128)


@njit(cache=True, nogil=True)
def _search(values: AnyFloats, edges: AnyFloats, ranks: Ints) -> None:
    """Count the thresholds that the value is above, by halves."""
    for r in range(TILE):
        x, k = values[r], np.uint64(0)
        for power in range(7, -1, -1):  # the 256th edge is infinity, which is below nothing
            half = np.uint64(1 << power)
            k += half * np.uint64(edges[k + half - np.uint64(1)] < x)
        ranks[r] = np.int8(np.int64(k) - 128)
