"""River's own classes → the face of our online detectors, fed row by row as River's users feed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

import numpy as np

GRACE = 100


class RiverModel:
    """One River pipeline for all rows; River's missing value is an absent key."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def score_learn_many(self, block: np.ndarray, entities: Sequence[str]) -> np.ndarray:
        """Score each row, then learn it; higher is more NORMAL."""
        normality = np.empty(len(block))
        for i, row in enumerate(block.tolist()):
            x = {j: value for j, value in enumerate(row) if not isnan(value)}
            normality[i] = -self.model.score_one(x)
            self.model.learn_one(x)
        return normality


class RiverEach:
    """A River pipeline for each entity, in a dictionary that nothing bounds."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.models: dict[str, Any] = {}

    def score_learn_many(self, block: np.ndarray, entities: Sequence[str]) -> np.ndarray:
        """Score each row by its entity's model, then learn it there; higher is more NORMAL."""
        normality = np.empty(len(block))
        for i, (row, entity) in enumerate(zip(block.tolist(), entities, strict=True)):
            model = self.models.get(entity)
            if model is None:
                model = self.models[entity] = self.make()
            x = {j: value for j, value in enumerate(row) if not isnan(value)}
            normality[i] = -model.score_one(x)
            model.learn_one(x)
        return normality


class GaussianColumns:
    """River's GaussianScorer for each column; the most unusual column counts."""

    def __init__(self) -> None:
        self.columns: dict[int, Any] = {}

    def score_one(self, x: dict[int, float]) -> float:
        """Return the largest score of a column; higher is more ANOMALOUS."""
        return max((self.columns[j].score_one(None, value) for j, value in x.items() if j in self.columns), default=0.0)

    def learn_one(self, x: dict[int, float]) -> None:
        """Learn a row."""
        from river.anomaly import GaussianScorer

        for j, value in x.items():
            if j not in self.columns:
                self.columns[j] = GaussianScorer(grace_period=GRACE)  # type: ignore[no-untyped-call]  # River gives it no types
            self.columns[j].learn_one(None, value)


class QuantileColumns:
    """River's streaming quantiles (P²) for each column; the mean distance beyond the band counts."""

    def __init__(self) -> None:
        self.columns: dict[int, list[Any]] = {}
        self.rows = 0

    def score_one(self, x: dict[int, float]) -> float:
        """Return the mean of log2(1 + distance beyond the band); higher is more ANOMALOUS."""
        if self.rows < GRACE or not x:
            return 0.0
        total = 0.0
        for j, value in x.items():
            if j in self.columns:
                low, middle, high = (q.get() for q in self.columns[j])
                beyond = (value - high) / max(high - middle, 1e-6) if value > high else 0.0
                beyond = (low - value) / max(middle - low, 1e-6) if value < low else beyond
                total += np.log2(1.0 + beyond)
        return total / len(x)

    def learn_one(self, x: dict[int, float]) -> None:
        """Learn a row."""
        from river.stats import Quantile

        self.rows += 1
        for j, value in x.items():
            if j not in self.columns:
                self.columns[j] = [Quantile(q) for q in (0.05, 0.5, 0.95)]
            for quantile in self.columns[j]:
                quantile.update(value)


def half_space(parameters: dict[str, Any]) -> Any:
    """Return River's recipe for half-space trees: scaled to [0, 1] by the least and the most so far."""
    from river.anomaly import HalfSpaceTrees
    from river.preprocessing import MinMaxScaler

    return MinMaxScaler() | HalfSpaceTrees(
        n_trees=parameters.get("n_trees", 25),
        height=parameters.get("height", 8),
        window_size=parameters.get("window", 1024),
        seed=0,
    )


def one_class(parameters: dict[str, Any]) -> Any:
    """Return River's recipe for the one-class machine, its features and its direction as River documents them."""
    from river.anomaly import OneClassSVM
    from river.feature_extraction import RBFSampler
    from river.preprocessing import StandardScaler

    return StandardScaler() | RBFSampler(n_components=64, gamma=1.0 / 26, seed=0) | Flipped(OneClassSVM(nu=0.1))


def Flipped(model: Any) -> Any:  # noqa: N802 - it stands where a class would
    """Return a model whose score is turned: w·φ(x) is higher for what is more normal."""
    kind = type(model)
    turned = type("Flipped", (kind,), {"score_one": lambda self, x: -kind.score_one(self, x)})
    return turned(nu=model.nu)


def loda(parameters: dict[str, Any]) -> Any:
    """Return River's LODA on standardised rows."""
    from river.anomaly import LODA
    from river.preprocessing import StandardScaler

    return StandardScaler() | LODA(n_bins=20, n_random_cuts=100, seed=0)


PEERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "gaussian": lambda p: RiverEach(GaussianColumns),
    "quantile": lambda p: RiverEach(QuantileColumns),
    "half-space-trees": lambda p: RiverModel(half_space(p)),
    "half-space-trees, each": lambda p: RiverEach(lambda: half_space(p)),
    "one-class": lambda p: RiverModel(one_class(p)),
    "loda": lambda p: RiverModel(loda(p)),
}
