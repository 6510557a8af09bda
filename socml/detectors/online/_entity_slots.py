"""Entities in the order they come → a numbered place for each; when all are taken, the longest unseen gives its up.

Chained hashing for finding, a doubly linked list for the order of use: a few memory reads an event, and no
memory beyond the arrays. Buckets are chosen with a secret, which shows in nothing that is returned.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.project import sip_end, sip_start, sip_word

NONE = -1
USED, NEWEST, OLDEST, EVICTED = 0, 1, 2, 3  # in `state`


@njit(cache=True, nogil=True)
def _bucket(key: np.uint64, buckets: NDArray[np.integer], secret: NDArray[np.uint64]) -> np.int64:
    return np.int64(sip_end(sip_word(sip_start(secret), key), 1) & np.uint64(buckets.size - 1))


@njit(cache=True, nogil=True)
def _find(
    key: np.uint64,
    keys: NDArray[np.integer],
    buckets: NDArray[np.integer],
    chain: NDArray[np.integer],
    secret: NDArray[np.uint64],
) -> np.integer:
    slot: np.integer = buckets[_bucket(key, buckets, secret)]
    while slot != NONE and keys[slot] != key:
        slot = chain[slot]
    return slot


@njit(cache=True, nogil=True)
def find_slots(
    wanted: NDArray[np.integer],
    keys: NDArray[np.integer],
    buckets: NDArray[np.integer],
    chain: NDArray[np.integer],
    secret: NDArray[np.uint64],
) -> NDArray[np.integer]:
    """Return the place of each entity, −1 where it has none; changes nothing."""
    slots = np.empty(wanted.size, dtype=np.int64)
    for i in range(wanted.size):
        slots[i] = _find(wanted[i], keys, buckets, chain, secret)
    return slots


@njit(cache=True, nogil=True)
def link_slots(
    keys: NDArray[np.integer],
    used: int,
    buckets: NDArray[np.integer],
    chain: NDArray[np.integer],
    secret: NDArray[np.uint64],
) -> None:
    """Fill the buckets and chains of the places 0 to `used`: after loading, and after there are more buckets."""
    buckets[:] = NONE
    for slot in range(used):
        bucket = _bucket(keys[slot], buckets, secret)
        chain[slot] = buckets[bucket]
        buckets[bucket] = slot


@njit(cache=True, nogil=True)
def _unlink(
    slot: np.integer,
    keys: NDArray[np.integer],
    buckets: NDArray[np.integer],
    chain: NDArray[np.integer],
    secret: NDArray[np.uint64],
) -> None:
    bucket = _bucket(keys[slot], buckets, secret)
    at = buckets[bucket]
    if at == slot:
        buckets[bucket] = chain[slot]
        return
    while chain[at] != slot:
        at = chain[at]
    chain[at] = chain[slot]


@njit(cache=True, nogil=True)
def _detach(
    slot: np.integer, newer: NDArray[np.integer], older: NDArray[np.integer], state: NDArray[np.integer]
) -> None:
    after, before = newer[slot], older[slot]
    if after == NONE:
        state[NEWEST] = before
    else:
        older[after] = before
    if before == NONE:
        state[OLDEST] = after
    else:
        newer[before] = after


@njit(cache=True, nogil=True)
def _attach_newest(
    slot: np.integer, newer: NDArray[np.integer], older: NDArray[np.integer], state: NDArray[np.integer]
) -> None:
    newer[slot], older[slot] = NONE, state[NEWEST]
    if state[NEWEST] == NONE:
        state[OLDEST] = slot
    else:
        newer[state[NEWEST]] = slot
    state[NEWEST] = slot


@njit(cache=True, nogil=True)
def assign_slots(
    wanted: NDArray[np.integer],
    keys: NDArray[np.integer],
    buckets: NDArray[np.integer],
    chain: NDArray[np.integer],
    secret: NDArray[np.uint64],
    newer: NDArray[np.integer],
    older: NDArray[np.integer],
    state: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each entity's place and whether it is new there, both (n_rows,); every call counts as a use.

    Parameters
    ----------
    wanted : uint64 (n_rows,), hashes of entities
    keys, chain, newer, older : (n_slots,); `buckets` : int64, a power of two long; all changed in place
    secret : uint64 (2,), the same as long as `buckets` are
    state : int64 (4,): places used, the newest, the oldest, entities that gave theirs up
    """
    slots = np.empty(wanted.size, dtype=np.int64)
    fresh = np.zeros(wanted.size, dtype=np.bool_)
    for i in range(wanted.size):
        slot = _find(wanted[i], keys, buckets, chain, secret)
        if slot == NONE:
            if state[USED] < keys.size:
                slot = state[USED]
                state[USED] += 1
            else:
                slot = state[OLDEST]
                _detach(slot, newer, older, state)
                _unlink(slot, keys, buckets, chain, secret)
                state[EVICTED] += 1
            keys[slot] = wanted[i]
            bucket = _bucket(wanted[i], buckets, secret)
            chain[slot] = buckets[bucket]
            buckets[bucket] = slot
            _attach_newest(slot, newer, older, state)
            fresh[i] = True
        elif slot != state[NEWEST]:
            _detach(slot, newer, older, state)
            _attach_newest(slot, newer, older, state)
        slots[i] = slot
    return slots, fresh
