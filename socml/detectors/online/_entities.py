"""Entities' names → numbered places in arrays that never hold more than a stated number of entities."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from socml.detectors.online._entity_slots import assign_slots, find_slots, link_slots
from socml.detectors.online._state import State
from socml.project import new_secret

SMALLEST = 1024  # places to begin with


def entity_keys(entities: Sequence[str | None]) -> NDArray[np.integer]:
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

    def assign(self, keys: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Return each entity's place, and whether it is new there; both (n_rows,)."""
        wanted = min(self.most, self.used + len(keys))
        if wanted > self.capacity:
            self._grow(min(self.most, max(wanted, 2 * self.capacity)))
        places = (self._keys, self._buckets, self._chain, self._secret, self._newer, self._older, self._state)
        slots, fresh = assign_slots(keys, *places)
        return slots, fresh

    def find(self, keys: NDArray[np.integer]) -> NDArray[np.integer]:
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


def grown(values: NDArray[np.floating], capacity: int) -> NDArray[np.floating]:
    """Return `values` with room for `capacity` entities in its first axis; itself if it has that."""
    if len(values) >= capacity:
        return values
    larger = np.zeros((capacity, *values.shape[1:]), dtype=values.dtype)
    larger[: len(values)] = values
    return larger
