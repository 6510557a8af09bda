"""One of socml's online detectors → a River anomaly detector: dictionaries in, River's pipelines and metrics around it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray
from river.base import AnomalyDetector

from socml.project import DataError, component

Value: TypeAlias = SupportsFloat | str | None  # of a key: a number, a missing one, or whom the row is about


class DictDetector(AnomalyDetector):
    """Score and learn dictionaries of numbers with an online detector of socml: higher is more ANOMALOUS, as in River.

    The first dictionary learned settles the columns, in the order of their names; a later one may lack some (missing),
    and what it has more is left out. Blind to what the detector is blind to. `detector_` is the detector itself, whose
    `score_learn_many` takes whole blocks and gives the same scores, turned.

    Parameters
    ----------
    detector : name of an online detector: half-space-trees, gaussian, quantile, loda, …
    parameters : of the detector
    entity : key of whom a row is about, for detectors that keep entities apart; empty: no key

    Examples
    --------
    >>> from river import preprocessing
    >>> model = preprocessing.StandardScaler() | DictDetector("gaussian", {"grace": 10})
    >>> for i in range(200):
    ...     model.learn_one({"bytes": float(i % 7)})
    >>> model.score_one({"bytes": 90.0}) > model.score_one({"bytes": 3.0})
    True
    """

    def __init__(
        self, detector: str = "half-space-trees", parameters: Mapping[str, object] | None = None, entity: str = ""
    ) -> None:
        self.detector = detector
        self.parameters = parameters
        self.entity = entity
        self.detector_ = component("online", detector)(**(parameters or {}))
        self._columns: list[Hashable] = []

    def score_one(self, x: dict[Hashable, Value]) -> float:
        """Return how anomalous a dictionary is, before it is learned; 0 while nothing was."""
        if not self._columns:
            return 0.0
        return -float(self.detector_.score_one(self._row(x), self._entity_of(x)))

    def learn_one(self, x: dict[Hashable, Value]) -> None:
        """Learn a dictionary."""
        if not self._columns:
            self._columns = sorted((name for name in x if name != self.entity), key=str)
        self.detector_.learn_one(self._row(x), self._entity_of(x))

    def _row(self, x: Mapping[Hashable, Value]) -> NDArray[np.float64]:
        values = [x.get(name) for name in self._columns]
        try:
            return np.array([np.nan if value is None else float(value) for value in values])
        except (TypeError, ValueError):
            name = next(n for n, v in zip(self._columns, values, strict=True) if not isinstance(v, int | float))
            raise DataError(
                f"{name!r} is {x[name]!r}, not a number: put a River transformer before the detector."
            ) from None

    def _entity_of(self, x: Mapping[Hashable, Value]) -> str | None:
        return None if not self.entity or x.get(self.entity) is None else str(x[self.entity])
