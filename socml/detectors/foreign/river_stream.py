"""A River anomaly detector, with its steps → an online detector as ours: rows, blocks, state, direction."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from socml.detectors.foreign.import_paths import make_estimator, split_step
from socml.detectors.foreign.object_state import object_of, object_state
from socml.detectors.online._state import State
from socml.project import ModelError, RecipeError

if TYPE_CHECKING:
    from river.base import AnomalyDetector
    from river.compose import Pipeline

USUAL = 280  # rows of the trial before a planted outlier comes; half-space trees need a window of 250
_TRIED: set[str] = set()  # models that found it, in this process


class RiverStream:
    """Score each row by a River model that has learned the rows before it; higher is more NORMAL.

    River's `score_one` says how anomalous a row is; it is turned. A missing value stands at the mean of its column so
    far, for few River models take missing ones. Blind to what the model is blind to.

    Parameters
    ----------
    model : a River anomaly detector that has learned nothing, or a pipeline that ends in one

    Attributes
    ----------
    rows : rows learned so far
    drifts : empty; River's detectors of drift are steps of their own
    """

    by_entity = False

    def __init__(self, model: AnomalyDetector | Pipeline) -> None:
        self.model = model
        self.rows = 0
        self.drifts: list[int] = []
        self._mean: NDArray[np.float64] = np.zeros(0)
        self._count: NDArray[np.float64] = np.zeros(0)

    def score_one(self, row: NDArray[np.float64], entity: str | None = None) -> float:
        """Return how normal a row is; higher is more NORMAL. Learns nothing."""
        score = float(self.model.score_one(self._as_mapping(row)))
        return -score

    def learn_one(self, row: NDArray[np.float64], entity: str | None = None) -> None:
        """Learn a row of shape (n_columns,)."""
        self.model.learn_one(self._as_mapping(row))
        row = np.asarray(row, dtype=np.float64)
        if not self.rows:
            self._mean, self._count = np.zeros(len(row)), np.zeros(len(row))
        known = ~np.isnan(row)
        self._count[known] += 1
        self._mean[known] += (row[known] - self._mean[known]) / self._count[known]
        self.rows += 1

    def score_learn_many(
        self, block: NDArray[np.generic], entities: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """Score each row, then learn it: the same as row by row."""
        normality = np.empty(len(block))
        for at, row in enumerate(np.asarray(block, dtype=np.float64)):
            normality[at] = self.score_one(row)
            self.learn_one(row)
        return normality

    def state(self) -> State:
        """Return all that was learned: arrays, and values that JSON holds."""
        return {"rows": self.rows, "mean": self._mean, "count": self._count, "model": object_state(self.model)}

    def restore(self, state: State) -> None:
        """Go on where `state` was taken, bit for bit."""
        self.rows = int(state["rows"])
        self._mean, self._count = np.array(state["mean"]), np.array(state["count"])
        self.model = cast("AnomalyDetector | Pipeline", object_of(state["model"]))

    def _as_mapping(self, row: NDArray[np.float64]) -> dict[Hashable, float]:
        row = np.asarray(row, dtype=np.float64)
        usual = self._mean if len(self._mean) == len(row) else np.zeros(len(row))
        return {f"x{i}": value for i, value in enumerate(np.where(np.isnan(row), usual, row).tolist())}


def river_stream(
    path: str,
    parameters: Mapping[str, object],
    *,
    steps: Sequence[str | Mapping[str, object]] = (),
    seed: int = 0,
    where: str = "The model",
) -> RiverStream:
    """Return the online detector of an import path, with River's transformers before it, tried on a planted outlier.

    Raises
    ------
    RecipeError, ModelError
        If it is no anomaly detector of River that scores without a label, or misses the planted outlier.
    """
    made = RiverStream(_model(path, parameters, steps, seed, where))
    identity = repr((path, sorted(parameters.items()), steps))
    if identity not in _TRIED:
        _try_on_a_planted_outlier(RiverStream(_model(path, parameters, steps, seed, where)), path)
        _TRIED.add(identity)
    return made


def _model(
    path: str, parameters: Mapping[str, object], steps: Sequence[str | Mapping[str, object]], seed: int, where: str
) -> AnomalyDetector | Pipeline:
    from river.base import AnomalyDetector, SupervisedAnomalyDetector

    from socml.detectors.foreign.each_column import EachColumn

    model = _made(path, parameters, seed, where)
    if isinstance(model, SupervisedAnomalyDetector):
        model = EachColumn(model)
    if not isinstance(model, AnomalyDetector):
        raise RecipeError(
            f"{where}: {path} is no anomaly detector of River that scores a row by itself. Known: "
            "river.anomaly.HalfSpaceTrees, LocalOutlierFactor, LODA, OneClassSVM, and those of single values: GaussianScorer, "
            "StandardAbsoluteDeviation, PredictiveAnomalyDetection."
        )
    before = [_made(*split_step(step), seed, where) for step in steps]
    for transformer in reversed(before):
        model = transformer | model
    made: AnomalyDetector | Pipeline = model
    return made


def _made(path: str, parameters: Mapping[str, object], seed: int, where: str) -> Any:
    from socml.detectors.foreign.import_paths import import_estimator

    known = inspect.signature(import_estimator(path).__init__).parameters
    given = {"seed": seed, **parameters} if "seed" in known else dict(parameters)
    return make_estimator(path, given, where)


def _try_on_a_planted_outlier(stream: RiverStream, path: str) -> None:
    rows = np.random.default_rng(0).normal(size=(USUAL, 3))
    try:
        usual = stream.score_learn_many(rows)[USUAL // 2 :]
        far = min(stream.score_one(np.full(3, side)) for side in (-9.0, 9.0))  # a linear model sees one side only
    except Exception as error:  # whatever another library raises
        raise ModelError(f"{path} cannot score rows of numbers: {type(error).__name__}: {error}") from error
    if np.isfinite(far) and far > np.median(usual):
        raise ModelError(f"{path} finds a planted outlier more normal than usual rows. It is not used.")
