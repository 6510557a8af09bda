"""Scaled rows → how much each would displace others in a robust random cut forest."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from socml.detectors._arrays import Flags, Floats
from socml.detectors.online._detector import OnlineDetector, Shared
from socml.detectors.online._state import State
from socml.project import ModelError

__all__ = ["RandomCutForest"]


class RandomCutForest(OnlineDetector):
    """Amazon's robust random cut forest (krcf, Rust), on inputs that are standardised as they come.

    Blind to what differs in few columns among very many. Its trees are samples of the past that fade; slow
    beside the others.

    `score_one` is minus the forest's score: higher is more NORMAL, 0 until `sample_size` / 4 rows were seen.

    Parameters
    ----------
    n_trees, sample_size : number of trees, and rows in each

    Raises
    ------
    ModelError
        If krcf is not installed.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers (2016), «Robust Random Cut Forest Based Anomaly Detection on
    Streams», ICML. https://github.com/aws/random-cut-forest-by-aws

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(300, 3))
    >>> detector = RandomCutForest(n_trees=20, sample_size=64, seed=1)
    >>> _ = detector.score_learn_many(rows)
    >>> detector.score_one(np.zeros(3)) > detector.score_one(np.full(3, 9.0))
    True
    """

    def __init__(self, *, n_trees: int = 40, sample_size: int = 128, **others: Unpack[Shared]) -> None:
        super().__init__(**others)
        self.n_trees, self.sample_size = int(n_trees), int(sample_size)
        self._forest: Any = None  # of krcf, which has no types

    def state(self) -> State:
        """Return all that was learned; the forest in MessagePack, as krcf writes it."""
        state = super().state()
        if not self.n_columns:
            return state
        return {**state, "forest": np.frombuffer(self._forest.to_msgpack(), dtype=np.uint8)}

    def restore(self, state: State) -> None:
        """Continue where `state` was taken, bit for bit."""
        super().restore(state)
        if self.n_columns:
            self._forest = type(self._forest).from_msgpack(np.asarray(state["forest"], dtype=np.uint8).tobytes())

    def _start(self, n_columns: int) -> None:
        try:
            import krcf
        except ImportError as error:
            raise ModelError("random-cut-forest needs krcf. Run: pip install krcf") from error
        self._forest = krcf.RandomCutForest(
            {
                "dimensions": n_columns,
                "shingle_size": 1,
                "num_trees": self.n_trees,
                "sample_size": self.sample_size,
                "output_after": max(1, self.sample_size // 4),
                "random_seed": self.seed,
                "parallel_execution_enabled": False,
            }
        )

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        normality = np.empty(len(scaled))
        for i, row in enumerate(scaled):
            normality[i] = 0.0 - self._forest.score(row)
            if admitted[i]:
                self._forest.update(row)
        return normality
