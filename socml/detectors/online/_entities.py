"""Entities' names, in the order they come → a numbered place for each; when all are taken, the longest unseen gives its up.

Chained hashing for finding, a doubly linked list for the order of use: a few memory reads an event, and no
memory beyond the arrays. Buckets are chosen with a secret, which shows in nothing that is returned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from socml.detectors._arrays import AnyFloats, Flags, Hashes, Ints
from socml.detectors.online._state import State
from socml.project import new_secret, njit, sip_end, sip_start, sip_word

NONE = -1
USED, NEWEST, OLDEST, EVICTED = 0, 1, 2, 3  # in `state`


@njit(cache=True, nogil=True)
def _bucket(key: np.uint64, buckets: Ints, secret: Hashes) -> np.int64:
    return np.int64(sip_end(sip_word(sip_start(secret), key), 1) & np.uint64(buckets.size - 1))


@njit(cache=True, nogil=True)
def _find(key: np.uint64, keys: Ints, buckets: Ints, chain: Ints, secret: Hashes) -> np.integer:
    slot: np.integer = buckets[_bucket(key, buckets, secret)]
    while slot != NONE and keys[slot] != key:
        slot = chain[slot]
    return slot


@njit(cache=True, nogil=True)
def find_slots(wanted: Ints, keys: Ints, buckets: Ints, chain: Ints, secret: Hashes) -> Ints:
    """Return the place of each entity, −1 where it has none; changes nothing."""
    slots = np.empty(wanted.size, dtype=np.int64)
    for i in range(wanted.size):
        slots[i] = _find(wanted[i], keys, buckets, chain, secret)
    return slots


@njit(cache=True, nogil=True)
def link_slots(keys: Ints, used: int, buckets: Ints, chain: Ints, secret: Hashes) -> None:
    """Fill the buckets and chains of the places 0 to `used`: after loading, and after there are more buckets."""
    buckets[:] = NONE
    for slot in range(used):
        bucket = _bucket(keys[slot], buckets, secret)
        chain[slot] = buckets[bucket]
        buckets[bucket] = slot


@njit(cache=True, nogil=True)
def _unlink(slot: np.integer, keys: Ints, buckets: Ints, chain: Ints, secret: Hashes) -> None:
    bucket = _bucket(keys[slot], buckets, secret)
    at = buckets[bucket]
    if at == slot:
        buckets[bucket] = chain[slot]
        return
    while chain[at] != slot:
        at = chain[at]
    chain[at] = chain[slot]


@njit(cache=True, nogil=True)
def _detach(slot: np.integer, newer: Ints, older: Ints, state: Ints) -> None:
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
def _attach_newest(slot: np.integer, newer: Ints, older: Ints, state: Ints) -> None:
    newer[slot], older[slot] = NONE, state[NEWEST]
    if state[NEWEST] == NONE:
        state[OLDEST] = slot
    else:
        newer[state[NEWEST]] = slot
    state[NEWEST] = slot


@njit(cache=True, nogil=True)
def assign_slots(
    wanted: Ints, keys: Ints, buckets: Ints, chain: Ints, secret: Hashes, newer: Ints, older: Ints, state: Ints
) -> tuple[NDArray[np.int64], Flags]:
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


SMALLEST = 1024  # places to begin with


def entity_keys(entities: Sequence[str | None]) -> Ints:
    """Return 64 bits a name, uint64 (n_rows,): a state remembers that an entity was seen, not its name.

    Examples
    --------
    >>> keys = entity_keys(["10.0.0.1", None, "10.0.0.1"])
    >>> keys.dtype.name, bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    ('uint64', True, False)
    """
    keys = np.empty(len(entities), dtype=np.uint64)
    seen: dict[str | None, int] = {}
    for i, name in enumerate(entities):
        key = seen.get(name)
        if key is None:
            text = (
                b"\x00"
                if name is None or isinstance(name, float)
                else b"=" + str(name).encode("utf-8", "surrogatepass")
            )
            key = seen[name] = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        keys[i] = key
    return keys


class EntitySlots:
    """Give each entity a place; when there are no more, the one that was not seen for longest gives its up.

    Attributes
    ----------
    capacity : places that the arrays have now; grows up to `most`
    used, evicted : entities that have a place, and that have given theirs up

    Examples
    --------
    >>> slots = EntitySlots(2)
    >>> [places.tolist() for places in slots.assign(entity_keys(["a", "b", "a", "c"]))]
    [[0, 1, 0, 1], [True, True, False, True]]
    >>> slots.find(entity_keys(["a", "b"])).tolist(), slots.evicted
    ([0, -1], 1)
    """

    def __init__(self, most: int) -> None:
        self.most = int(most)
        self._secret = new_secret()
        self._size(min(SMALLEST, self.most))
        self._state = np.array([0, -1, -1, 0], dtype=np.int64)

    @property
    def capacity(self) -> int:
        """Return how many places there are now."""
        return len(self._keys)

    @property
    def used(self) -> int:
        """Return how many entities have a place."""
        return int(self._state[0])

    @property
    def evicted(self) -> int:
        """Return how many entities have given up their place."""
        return int(self._state[3])

    def assign(self, keys: Ints) -> tuple[Ints, Flags]:
        """Return each entity's place, and whether it is new there; both (n_rows,)."""
        wanted = min(self.most, self.used + len(keys))
        if wanted > self.capacity:
            self._grow(min(self.most, max(wanted, 2 * self.capacity)))
        places = (self._keys, self._buckets, self._chain, self._secret, self._newer, self._older, self._state)
        slots, fresh = assign_slots(keys, *places)
        return slots, fresh

    def find(self, keys: Ints) -> Ints:
        """Return each entity's place, −1 where it has none; changes nothing."""
        return np.asarray(find_slots(keys, self._keys, self._buckets, self._chain, self._secret))

    def state(self) -> State:
        """Return who has which place, and the order of use."""
        used = self.used
        kept = {"keys": self._keys[:used], "newer": self._newer[:used], "older": self._older[:used]}
        return {**kept, "state": self._state}

    def restore(self, state: State) -> None:
        """Continue where `state` was taken."""
        used = len(state["keys"])
        self._size(max(used, min(SMALLEST, self.most)))
        self._keys[:used], self._newer[:used], self._older[:used] = state["keys"], state["newer"], state["older"]
        self._state = np.array(state["state"])
        link_slots(self._keys, used, self._buckets, self._chain, self._secret)

    def _size(self, capacity: int) -> None:
        self._keys = np.zeros(capacity, dtype=np.uint64)
        self._chain, self._newer, self._older = (np.full(capacity, -1, dtype=np.int32) for _ in range(3))
        self._buckets = np.full(1 << capacity.bit_length(), -1, dtype=np.int64)

    def _grow(self, capacity: int) -> None:
        used, old = self.used, (self._keys, self._newer, self._older)
        self._size(capacity)
        self._keys[:used], self._newer[:used], self._older[:used] = (values[:used] for values in old)
        link_slots(self._keys, used, self._buckets, self._chain, self._secret)


def grown(values: AnyFloats, capacity: int) -> AnyFloats:
    """Return `values` with room for `capacity` entities in its first axis; itself if it has that."""
    if len(values) >= capacity:
        return values
    larger = np.zeros((capacity, *values.shape[1:]), dtype=values.dtype)
    larger[: len(values)] = values
    return larger
