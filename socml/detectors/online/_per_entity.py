"""Rows of entities → a detector of its own for each entity, with bounded memory; any detector of the folder will do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from socml.detectors._arrays import Floats
from socml.detectors.online._entities import entity_keys
from socml.detectors.online._state import State

if TYPE_CHECKING:
    from socml.detectors._protocols import RowDetector


class PerEntity:
    """Keep a detector for each entity; the longest unseen entity is forgotten when there are too many.

    For `gaussian` and `quantile`, which keep a million entities in arrays by themselves, this is not needed.
    Blind to what is new for one entity and usual for the others, and to everything until an entity's own
    detector has seen enough.

    Parameters
    ----------
    make : returns a detector that has learned nothing
    max_entities : entities that are remembered

    Examples
    --------
    >>> from socml.detectors.online.gaussian import Gaussian
    >>> each = PerEntity(lambda: Gaussian(max_entities=1), max_entities=2)
    >>> each.score_learn_many(np.zeros((3, 1)), ["a", "b", "c"]).tolist(), each.used, each.evicted
    ([0.0, 0.0, 0.0], 2, 1)
    """

    by_entity = True

    def __init__(self, make: Callable[[], RowDetector], *, max_entities: int = 10_000) -> None:
        self.make, self.max_entities = make, int(max_entities)
        self.rows, self.evicted = 0, 0
        self._detectors: OrderedDict[int, RowDetector] = OrderedDict()

    @property
    def used(self) -> int:
        """Return how many entities have a detector."""
        return len(self._detectors)

    def score_one(self, row: Floats, entity: str | None = None) -> float:
        """Return how normal a row is for its entity; higher is more NORMAL. Learns nothing."""
        found = self._detectors.get(int(entity_keys([entity])[0]))
        return float((found or self.make()).score_one(row))

    def learn_one(self, row: Floats, entity: str | None = None) -> None:
        """Learn a row of an entity."""
        self.score_learn_many(np.asarray(row, dtype=np.float64)[None, :], [entity])

    def score_learn_many(self, block: Floats, entities: Sequence[str | None] | None = None) -> Floats:
        """Score each row by its entity's detector, then learn it there; higher is more NORMAL."""
        normality = np.empty(len(block))
        waiting: dict[int, list[int]] = {}
        for i, key in enumerate(entity_keys(entities if entities is not None else [None] * len(block)).tolist()):
            if key in self._detectors:
                self._detectors.move_to_end(key)
            else:
                if len(self._detectors) >= self.max_entities:
                    self._work(block, waiting, normality)  # before a detector goes, it does what it has to do
                    self._detectors.popitem(last=False)
                    self.evicted += 1
                self._detectors[key] = self.make()
            waiting.setdefault(key, []).append(i)
        self._work(block, waiting, normality)
        self.rows += len(block)
        return normality

    def state(self) -> State:
        """Return the state of every detector, in the order of use."""
        each = {f"{key:016x}": detector.state() for key, detector in self._detectors.items()}
        return {"rows": self.rows, "evicted": self.evicted, "order": list(each), "each": each}

    def restore(self, state: State) -> None:
        """Continue where `state` was taken, bit for bit."""
        self.rows, self.evicted = int(state["rows"]), int(state["evicted"])
        self._detectors = OrderedDict()
        for key in state["order"]:
            detector = self._detectors[int(key, 16)] = self.make()
            detector.restore(state["each"][key])

    def _work(self, block: Floats, waiting: dict[int, list[int]], normality: Floats) -> None:
        for key, rows in waiting.items():
            normality[rows] = self._detectors[key].score_learn_many(block[rows])
        waiting.clear()
