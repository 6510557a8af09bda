"""Rows of entities → how far each lies beyond the band that holds most of what its entity does."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from socml.detectors._arrays import Flags, Floats, Ints
from socml.detectors.online._by_entity import ByEntity, EntityDetector, no_rows
from socml.detectors.online._entity_scores import quantile_normality

__all__ = ["Quantile"]


class Quantile(EntityDetector):
    """A low, a middle and a high quantile a column for each entity, moved a step with each value.

    Blind to odd combinations of ordinary values, and to anything inside the band. A single value moves a
    quantile by one step however far out it is, so that outliers hardly widen the band. A new entity starts with
    everyone's.

    `score_one` is minus the mean over the columns of log2(1 + distance beyond the band, in half bands): 0 or
    below, higher is more NORMAL.

    Parameters
    ----------
    tail : share of values below the band, and above it, between 0 and 0.5
    max_entities, grace, memory : see `EntityDetector`; 16 bytes a column and entity

    References
    ----------
    H. Robbins, S. Monro (1951), «A Stochastic Approximation Method», Annals of Mathematical Statistics 22.

    Examples
    --------
    >>> detector = Quantile()
    >>> rows = np.random.default_rng(0).normal(size=(500, 1))
    >>> _ = detector.score_learn_many(rows, ["a"] * 500)
    >>> detector.score_one(np.array([0.0]), "a"), detector.score_one(np.array([9.0]), "a") < -1.0
    (0.0, True)
    """

    per_entity = ("_own_count", "_own_bands")
    arrays = (*per_entity, "_all_count", "_all_bands")

    def __init__(self, *, tail: float = 0.05, **others: Unpack[ByEntity]) -> None:
        super().__init__(**others)
        self.tail = float(tail)

    def _start(self, n_columns: int) -> None:
        self._own_count, self._own_bands = no_rows(n_columns), no_rows(n_columns, 3)
        self._all_count, self._all_bands = np.zeros(n_columns), np.zeros((n_columns, 3))

    def _kernel(self, block: Floats, slots: Ints, fresh: Flags, learn: bool) -> Floats:
        own, everyone = (self._own_count, self._own_bands), (self._all_count, self._all_bands)
        settings = (self.tail, self.grace, self.memory)
        return np.asarray(quantile_normality(block, slots, fresh, learn, own, everyone, *settings))

    def _adapt(self) -> None:
        np.minimum(self._own_count, self.grace / 2, out=self._own_count)
