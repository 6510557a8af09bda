"""Scaled rows → how many of the last window's rows share each row's part of randomly halved space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from numpy.typing import NDArray

from socml.detectors.online._detector import Guarded, OnlineDetector, unit_interval
from socml.detectors.online._half_space import make_trees
from socml.detectors.online._state import State

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HalfSpaceTrees"]


class HalfSpaceTrees(OnlineDetector):
    """River's half-space trees on inputs that are scaled to [0, 1] as they come, with windows that bursts do not fill.

    Blind to what lies close to much else: a scan that looks like browsing. Says that all is equally normal
    until the first window is full. Anything beyond `limit` standard deviations looks alike.

    `score_one` is minus River's score: between −1 and 0, higher is more NORMAL.

    Parameters
    ----------
    n_trees, height : number of trees, and halvings in each
    window : rows learned in a window; scores are by the window before
    limit : standard deviations at which a value is clipped: they become 0 and 1
    backend : `fastest`, or `river` for River's own class; the scores are the same

    References
    ----------
    S. C. Tan, K. M. Ting, T. F. Liu (2011), «Fast Anomaly Detection for Streaming Data», IJCAI.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(600, 2))
    >>> detector = HalfSpaceTrees(window=256, seed=1)
    >>> _ = detector.score_learn_many(rows)
    >>> detector.score_one(np.array([0.0, 0.0])) > detector.score_one(np.array([9.0, -9.0]))
    True
    """

    def __init__(
        self,
        *,
        n_trees: int = 25,
        height: int = 8,
        window: int = 1024,
        limit: float = 8.0,
        backend: str = "fastest",
        **others: Unpack[Guarded],
    ) -> None:
        super().__init__(window=window, limit=limit, **others)
        self.n_trees, self.height, self.backend = int(n_trees), int(height), backend

    def state(self) -> State:
        """Return all that was learned: arrays, and values that JSON holds."""
        state = super().state()
        return {**state, "trees": self._trees.state()} if self.n_columns else state

    def restore(self, state: State) -> None:
        """Continue where `state` was taken, bit for bit."""
        super().restore(state)
        if self.n_columns:
            self._trees.restore(state["trees"])

    def _start(self, n_columns: int) -> None:
        size = self.window or 256
        self._trees = make_trees(self.backend, n_columns, self.n_trees, self.height, size, self.seed)

    def _run(self, scaled: NDArray[np.float64], admitted: NDArray[np.bool_]) -> NDArray[np.float64]:
        return 0.0 - self._trees.score_learn(unit_interval(scaled, self.limit), admitted)
