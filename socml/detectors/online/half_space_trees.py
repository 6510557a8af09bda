"""Scaled rows → how many of the last window's rows share each row's part of randomly halved space.

The trees are River's own or compiled, behind one face: rows in [0, 1] → scores, and a state of arrays.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from socml.detectors._arrays import Flags, Floats
from socml.detectors.online._detector import Guarded, OnlineDetector, unit_interval
from socml.detectors.online._state import State
from socml.project import RecipeError, did_you_mean

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
        if backend not in BACKENDS:
            raise RecipeError(f"half-space-trees has no backend {backend!r}.{did_you_mean(backend, BACKENDS)}")

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
        self._trees = BACKENDS[self.backend](n_columns, self.n_trees, self.height, size, self.seed)

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        return 0.0 - self._trees.score_learn(unit_interval(scaled, self.limit), admitted)


class CompiledTrees:
    """The compiled trees; the same scores as River's, bit for bit."""

    def __init__(self, n_columns: int, n_trees: int, height: int, window: int, seed: int) -> None:
        from socml.detectors.online._compiled_half_space import HalfSpaceForest

        self._forest = HalfSpaceForest(range(n_columns), n_trees=n_trees, height=height, window_size=window, seed=seed)

    def score_learn(self, block: Floats, admitted: Flags) -> Floats:
        """Score each row of (n_rows, n_columns), then learn it if it was admitted; higher is more ANOMALOUS."""
        return self._forest.score_learn(block, admitted)

    def state(self) -> State:
        """Return trees and masses as arrays."""
        return self._forest.as_arrays()

    def restore(self, state: State) -> None:
        """Continue where `state` was taken."""
        self._forest = type(self._forest).from_arrays(state)


class RiverTrees:
    """River's HalfSpaceTrees; its trees are built at once, and its state is told in arrays.

    Examples
    --------
    >>> trees = RiverTrees(2, n_trees=1, height=1, window=2, seed=0)
    >>> trees.score_learn(np.full((3, 2), 0.5), np.ones(3, dtype=bool)).tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(self, n_columns: int, n_trees: int, height: int, window: int, seed: int) -> None:
        from river.anomaly import HalfSpaceTrees
        from river.tree.padded import make_padded_tree

        self._river = HalfSpaceTrees(n_trees=n_trees, height=height, window_size=window, seed=seed)
        self._river.trees = [
            make_padded_tree(  # type: ignore[no-untyped-call]  # River gives it no types
                limits=dict.fromkeys(range(n_columns), (0.0, 1.0)),
                height=height,
                padding=0.15,
                rng=self._river.rng,
                r_mass=0,
                l_mass=0,
            )
            for _ in range(n_trees)
        ]
        self._river._tree_nodes = [
            list(tree.iter_dfs())  # type: ignore[no-untyped-call]  # River gives it no types
            for tree in self._river.trees
        ]

    def score_learn(self, block: Floats, admitted: Flags) -> Floats:
        """Score each row of (n_rows, n_columns), then learn it if it was admitted; higher is more ANOMALOUS."""
        scores = np.empty(len(block))
        for i, row in enumerate(block.tolist()):
            x = dict(enumerate(row))
            scores[i] = self._river.score_one(x)  # type: ignore[no-untyped-call]  # River gives it no types
            if admitted[i]:
                self._river.learn_one(x)  # type: ignore[no-untyped-call]  # River gives it no types
        return scores

    def state(self) -> State:
        """Return the masses of all nodes, and where the window stands; the trees follow from the seed."""
        nodes = [node for tree in self._river._tree_nodes for node in tree]
        return {
            "now": np.array([node.l_mass for node in nodes], dtype=np.int64),
            "before": np.array([node.r_mass for node in nodes], dtype=np.int64),
            "counter": self._river.counter,
            "first_window": self._river._first_window,
        }

    def restore(self, state: State) -> None:
        """Continue where `state` was taken."""
        nodes = [node for tree in self._river._tree_nodes for node in tree]
        for node, now, before in zip(nodes, state["now"].tolist(), state["before"].tolist(), strict=True):
            node.l_mass, node.r_mass = now, before
        self._river.counter = int(state["counter"])
        self._river._first_window = bool(state["first_window"])


BACKENDS: dict[str, type[CompiledTrees] | type[RiverTrees]] = {"fastest": CompiledTrees, "river": RiverTrees}
