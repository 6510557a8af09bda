"""Rows of entities → how many standard deviations each lies from what its entity does, as a surprise."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from socml.detectors._arrays import Flags, Floats, Ints
from socml.detectors.online._by_entity import ByEntity, EntityDetector, no_rows
from socml.detectors.online._entity_scores import gaussian_normality

__all__ = ["Gaussian"]


class Gaussian(EntityDetector):
    """A Gaussian a column for each entity, and one for everyone that stands in while an entity is new.

    Blind to odd combinations of ordinary values, and to two habits with a gap between them: it takes what lies
    in the gap for usual. A value far out is learned as if it were six standard deviations out, so that one
    burst does not widen what is usual.

    `score_one` is log10 of the probability of a value as far out as the most unusual column's; higher is more
    NORMAL. With one column and no prior it orders as River's GaussianScorer does.

    Parameters
    ----------
    prior : rows that everyone's habits weigh against an entity's own
    max_entities, grace, memory : see `EntityDetector`; 12 bytes a column and entity

    Examples
    --------
    >>> detector = Gaussian()
    >>> rows = np.random.default_rng(0).normal(size=(500, 1))
    >>> _ = detector.score_learn_many(rows + [[0.0], [20.0]] * 250, ["a", "b"] * 250)
    >>> detector.score_one(np.array([20.0]), "b") > detector.score_one(np.array([20.0]), "a")
    True
    """

    per_entity = ("_own_count", "_own_mean", "_own_variance")
    arrays = (*per_entity, "_all_count", "_all_mean", "_all_variance")

    def __init__(self, *, prior: float = 5.0, **others: Unpack[ByEntity]) -> None:
        super().__init__(**others)
        self.prior = float(prior)

    def _start(self, n_columns: int) -> None:
        self._own_count, self._own_mean, self._own_variance = (no_rows(n_columns) for _ in range(3))
        self._all_count, self._all_mean, self._all_variance = (np.zeros(n_columns) for _ in range(3))

    def _kernel(self, block: Floats, slots: Ints, fresh: Flags, learn: bool) -> Floats:
        own = (self._own_count, self._own_mean, self._own_variance)
        everyone = (self._all_count, self._all_mean, self._all_variance)
        settings = (self.prior, self.grace, self.memory)
        return np.asarray(gaussian_normality(block, slots, fresh, learn, own, everyone, *settings))

    def _adapt(self) -> None:
        np.minimum(self._own_count, self.grace / 2, out=self._own_count)
