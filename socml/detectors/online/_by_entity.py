"""What detectors share that keep each entity's habits in a row of an array: places, growth, state."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from socml.detectors._arrays import Flags, Floats, Ints
from socml.detectors.online._detector import Entities, OnlineDetector
from socml.detectors.online._entities import EntitySlots, entity_keys, grown
from socml.detectors.online._state import State


class ByEntity(TypedDict, total=False):
    """What a detector of entities may be told; see `EntityDetector`."""

    max_entities: int
    grace: float
    memory: float
    drift: str
    seed: int


class EntityDetector(OnlineDetector):
    """Judge each row by its entity's habits, and by everyone's as long as little is known of the entity.

    Parameters
    ----------
    max_entities : entities that are remembered; the longest unseen are forgotten first
    grace : rows of everyone before which nothing is unusual
    memory : rows of an entity that weigh; older ones fade
    """

    by_entity = True
    per_entity: tuple[str, ...] = ()  # attributes with a row an entity, among `arrays`

    def __init__(
        self,
        *,
        max_entities: int = 1_000_000,
        grace: float = 100,
        memory: float = 1000,
        drift: str = "adwin",
        seed: int = 0,
    ) -> None:
        super().__init__(memory=memory, window=0, drift=drift, seed=seed)
        self.grace = float(grace)
        self.slots = EntitySlots(max_entities)

    def state(self) -> State:
        """Return all that was learned: arrays, and values that JSON holds."""
        state = super().state()
        if self.n_columns:
            state |= {name: getattr(self, name)[: self.slots.used] for name in self.per_entity}
            state["entities"] = self.slots.state()
        return state

    def restore(self, state: State) -> None:
        """Continue where `state` was taken, bit for bit."""
        super().restore(state)
        if self.n_columns:
            self.slots.restore(state["entities"])
            for name in self.per_entity:
                setattr(self, name, grown(getattr(self, name), self.slots.capacity))

    def _kernel(self, block: Floats, slots: Ints, fresh: Flags, learn: bool) -> Floats:
        """Score each row by the rows of its place, then learn it there if `learn`; higher is more NORMAL."""
        raise NotImplementedError

    def _score(self, block: Floats, entities: Entities) -> Floats:
        keys = entity_keys(entities if entities is not None else [None] * len(block))
        return self._kernel(block, self.slots.find(keys), np.zeros(len(block), dtype=np.bool_), False)

    def _score_learn(self, block: Floats, entities: Entities) -> Floats:
        keys = entity_keys(entities if entities is not None else [None] * len(block))
        slots, fresh = self.slots.assign(keys)
        for name in self.per_entity:
            setattr(self, name, grown(getattr(self, name), self.slots.capacity))
        return self._kernel(block, slots, fresh, True)

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        raise AssertionError("an entity's rows are not scaled")


def no_rows(*shape: int) -> Floats:
    """Return an array of float32 with no entity yet; float32 halves what a million entities take."""
    return np.zeros((0, *shape), dtype=np.float32)
