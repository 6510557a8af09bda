"""One of socml's online detectors → a River anomaly detector: dictionaries in, River's pipelines and metrics around it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray
from river.base import AnomalyDetector

from socml.detectors.online._columns import first_offset
from socml.detectors.online._detector import check_parameters
from socml.project import DataError, component

Value: TypeAlias = SupportsFloat | str | None  # of a key: a number, a missing one, or whom the row is about


class DictDetector(AnomalyDetector):
    """Score and learn dictionaries of numbers with an online detector of socml: higher is more ANOMALOUS, as in River.

    The first dictionary learned settles the columns, in the order of their names; a later one may lack some (missing),
    and what it has more is left out. A column that begins with a whole number beyond 2^53 is counted from that one. Blind to what the detector is blind to. `detector_` is the detector itself, whose
    `score_learn_many` takes whole blocks and gives the same scores, turned.

    Parameters
    ----------
    detector : name of an online detector: half-space-trees, gaussian, quantile, loda, …
    parameters : of the detector
    entity : key of whom a row is about, for detectors that keep entities apart; empty: no key

    Raises
    ------
    RecipeError
        If the detector has no such parameter; names the nearest.

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
        made = component("online", detector)
        check_parameters(made, detector, parameters or {})
        self.detector_ = made(**(parameters or {}))
        self._columns: list[Hashable] = []
        self._offsets: dict[Hashable, int] = {}  # what numbers are counted from, as `OnlineColumns` does

    def score_one(self, x: dict[Hashable, Value]) -> float:
        """Return how anomalous a dictionary is, before it is learned; 0 while nothing was."""
        if not self._columns:
            return 0.0
        return 0.0 - float(self.detector_.score_one(self._row(x), self._entity_of(x)))

    def learn_one(self, x: dict[Hashable, Value]) -> None:
        """Learn a dictionary; one without any value teaches nothing."""
        _check_row(x)
        if not self._columns:
            self._columns = sorted((name for name in x if name != self.entity), key=str)
        if not self._columns:
            return
        for name in self._columns:
            if name not in self._offsets and not _is_missing(x.get(name)):
                self._offsets[name] = first_offset(x[name])
        self.detector_.learn_one(self._row(x), self._entity_of(x))

    def _row(self, x: Mapping[Hashable, Value]) -> NDArray[np.float64]:
        _check_row(x)
        row = np.empty(len(self._columns))
        for at, name in enumerate(self._columns):
            value, offset = x.get(name), self._offsets.get(name, 0)
            try:
                if _is_missing(value):
                    row[at] = np.nan
                else:  # of whole numbers the difference is rounded, and not they
                    row[at] = int(value) - offset if isinstance(value, int | np.integer) else float(value) - offset  # type: ignore[arg-type]  # not missing
            except OverflowError:  # a whole number that no float holds
                row[at] = np.inf if value > 0 else -np.inf  # type: ignore[operator]  # only an int overflows
            except (TypeError, ValueError):
                raise DataError(
                    f"{name!r} is {value!r}, not a number: put a River transformer before the detector."
                ) from None
        return row

    def _entity_of(self, x: Mapping[Hashable, Value]) -> str | None:
        return None if not self.entity or x.get(self.entity) is None else str(x[self.entity])


def _is_missing(value: Value) -> bool:
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
    )


def _check_row(x: object) -> None:
    if not isinstance(x, Mapping):
        raise DataError(f"A row is a dictionary of numbers by name, and this is a {type(x).__name__}.")
