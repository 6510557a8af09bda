"""Values of entities in the order they come → how far each row lies from what its entity, and everyone, does.

Each entity's numbers stand in a row of an array, at the entity's place; −1 is an entity that has none.
"""

from __future__ import annotations

import math

import numpy as np

from socml.detectors._arrays import Flags, Floats, Ints
from socml.project import njit

FAR = 26.0  # standard deviations beyond which the tail of a Gaussian is taken from its asymptotic form
CLIP = 6.0  # standard deviations beyond which a value is learned as if it were that far
NARROWEST = 1e-6  # half of a band, where the values did not vary
FARTHEST = 1e19  # a value from which on it is judged and not learned, ∞ too: its square is no float32 any more
SETTLED = 10.0  # values after which a spread is good enough to clip by


@njit(cache=True, nogil=True)
def surprise(z: float) -> float:
    """Return −log10 of the probability that a Gaussian lies at least |z| standard deviations from its mean."""
    z = abs(z)
    if z < FAR:
        return -math.log10(math.erfc(z / math.sqrt(2.0)))
    return (z * z / 2.0 + math.log(z * math.sqrt(math.pi / 2.0))) / math.log(10.0)


@njit(cache=True, nogil=True)
def _learn_gaussian(value: float, count: float, mean: float, variance: float, memory: float) -> tuple[float, float]:
    """Return mean and variance after one more value, which is clipped once the spread is known."""
    delta = value - mean
    if count >= SETTLED and variance > 0.0:
        reach = CLIP * math.sqrt(variance)
        delta = min(max(delta, -reach), reach)
    n = min(count, memory)
    new_mean = mean + delta / (n + 1.0)
    return new_mean, variance + (delta * (mean + delta - new_mean) - variance) / (n + 1.0)


@njit(cache=True, nogil=True)
def _judge_gaussian(
    value: float,
    slot: int,
    j: int,
    own: tuple[Floats, Floats, Floats],
    everyone: tuple[Floats, Floats, Floats],
    prior: float,
    memory: float,
) -> float:
    """Return the surprise of a value, judged by its entity's values with `prior` of everyone's mixed in."""
    count, mean, variance = own
    m, v = everyone[1][j], everyone[2][j]
    n = 0.0 if slot < 0 else min(np.float64(count[slot, j]), memory)
    if n > 0.0:
        apart = np.float64(mean[slot, j]) - m
        weight = n / (n + prior)
        v = weight * np.float64(variance[slot, j]) + (1.0 - weight) * v + weight * (1.0 - weight) * apart * apart
        m += weight * apart
    spread = v * (1.0 + 1.0 / (n + prior)) if n + prior > 0.0 else v
    if spread > 0.0:
        return surprise((value - m) / math.sqrt(spread))
    return 0.0 if value == m else surprise(FAR)


@njit(cache=True, nogil=True)
def _learn_row_gaussian(
    value: float,
    slot: int,
    j: int,
    own: tuple[Floats, Floats, Floats],
    everyone: tuple[Floats, Floats, Floats],
    memory: float,
) -> None:
    count, mean, variance = own
    all_count, all_mean, all_variance = everyone
    all_mean[j], all_variance[j] = _learn_gaussian(value, all_count[j], all_mean[j], all_variance[j], memory)
    all_count[j] += 1.0
    if slot >= 0:
        n, m, v = np.float64(count[slot, j]), np.float64(mean[slot, j]), np.float64(variance[slot, j])
        mean[slot, j], variance[slot, j] = _learn_gaussian(value, n, m, v, memory)
        count[slot, j] = min(n + 1.0, memory)


@njit(cache=True, nogil=True)
def gaussian_normality(
    block: Floats,
    slots: Ints,
    fresh: Flags,
    learn: bool,
    own: tuple[Floats, Floats, Floats],
    everyone: tuple[Floats, Floats, Floats],
    prior: float,
    grace: float,
    memory: float,
) -> Floats:
    """Return minus each row's surprise in its most unusual column, shape (n_rows,): higher is more NORMAL.

    Parameters
    ----------
    block : float64 (n_rows, n_columns), NaN is missing
    slots, fresh : each row's place, and whether its entity is new there
    learn : whether each row is learned after it was scored
    own : count, mean, variance, float32 (n_slots, n_columns); changed in place
    everyone : the same of all rows, float64 (n_columns,); changed in place
    prior : values that everyone's habits weigh against an entity's own
    grace : values of everyone before which nothing is a surprise
    memory : values that weigh; older ones fade
    """
    count, mean, variance = own
    all_count = everyone[0]
    normality = np.empty(block.shape[0])
    for i in range(block.shape[0]):
        slot = slots[i]
        if fresh[i]:
            count[slot], mean[slot], variance[slot] = 0.0, 0.0, 0.0
        largest = 0.0
        for j in range(block.shape[1]):
            if np.isnan(block[i, j]):
                continue
            value = min(max(block[i, j], -FARTHEST), FARTHEST)
            if all_count[j] >= grace:
                largest = max(largest, _judge_gaussian(value, slot, j, own, everyone, prior, memory))
            if learn and abs(value) < FARTHEST:
                _learn_row_gaussian(value, slot, j, own, everyone, memory)
        normality[i] = 0.0 - largest
    return normality


@njit(cache=True, nogil=True)
def _beyond(value: float, band: Floats) -> float:
    """Return how far a value lies beyond its band, in widths of the band's half on that side; 0 inside.

    Bands are kept as float32, also while an entity is new: it is then judged as it will be later.
    """
    low, middle, high = np.float64(band[0]), np.float64(band[1]), np.float64(band[2])
    if value > high:
        return (value - high) / max(high - middle, NARROWEST)
    if value < low:
        return (low - value) / max(middle - low, NARROWEST)
    return 0.0


@njit(cache=True, nogil=True)
def _begin_bands(slot: int, own: tuple[Floats, Floats], everyone: tuple[Floats, Floats], grace: float) -> None:
    """Give an entity everyone's bands to begin with, where there are any."""
    count, bands = own
    all_count, all_bands = everyone
    for j in range(all_count.size):
        settled = all_count[j] >= grace
        count[slot, j] = SETTLED if settled else 0.0
        for k in range(3):
            bands[slot, j, k] = all_bands[j, k] if settled else 0.0


@njit(cache=True, nogil=True)
def _learn_quantiles(value: float, band: Floats, count: float, tail: float, memory: float) -> None:
    """Move low, middle and high of a band toward a value, each by its own share (stochastic approximation)."""
    if count == 0.0:
        band[0], band[1], band[2] = value, value, value
        return
    width = max(np.float64(band[2]) - np.float64(band[0]), abs(value - np.float64(band[1])) / (count + 1.0), NARROWEST)
    step = width * max(2.0 / (count + 1.0), 2.0 / memory)
    for k, share in enumerate((tail, 0.5, 1.0 - tail)):
        band[k] += step * (share if value > band[k] else (share - 1.0 if value < band[k] else 0.0))
    band[0], band[2] = min(band[0], band[1]), max(band[2], band[1])


@njit(cache=True, nogil=True)
def quantile_normality(
    block: Floats,
    slots: Ints,
    fresh: Flags,
    learn: bool,
    own: tuple[Floats, Floats],
    everyone: tuple[Floats, Floats],
    tail: float,
    grace: float,
    memory: float,
) -> Floats:
    """Return minus how far each row lies beyond its entity's usual bands, shape (n_rows,): higher is more NORMAL.

    The mean over the columns of log2(1 + distance), in half bands. A new entity starts with everyone's bands.

    Parameters
    ----------
    own : count float32 (n_slots, n_columns); low, middle, high float32 (n_slots, n_columns, 3); changed in place
    everyone : the same of all rows, float64 (n_columns,) and (n_columns, 3); changed in place
    tail : share of values below the band, and above it
    """
    count, bands = own
    all_count, all_bands = everyone
    normality = np.empty(block.shape[0])
    for i in range(block.shape[0]):
        slot = slots[i]
        if fresh[i]:
            _begin_bands(slot, own, everyone, grace)
        total, known = 0.0, 0
        for j in range(block.shape[1]):
            if np.isnan(block[i, j]):
                continue
            value = min(max(block[i, j], -FARTHEST), FARTHEST)
            known += 1
            if all_count[j] >= grace and slot < 0:
                total += math.log2(1.0 + _beyond(value, all_bands[j].astype(np.float32)))
            elif all_count[j] >= grace and count[slot, j] >= SETTLED:
                total += math.log2(1.0 + _beyond(value, bands[slot, j]))
            if not learn or abs(value) >= FARTHEST:
                continue
            _learn_quantiles(value, all_bands[j], all_count[j], tail, memory)
            all_count[j] += 1.0
            if slot >= 0:
                _learn_quantiles(value, bands[slot, j], np.float64(count[slot, j]), tail, memory)
                count[slot, j] = min(np.float64(count[slot, j]) + 1.0, memory)
        normality[i] = 0.0 - total / known if known else 0.0
    return normality
