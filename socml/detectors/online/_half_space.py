"""Half-space trees, River's own or compiled, behind one face: rows in [0, 1] → scores, and a state of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from socml.detectors.online._state import State
from socml.project import RecipeError, did_you_mean


def make_trees(
    backend: str, n_columns: int, n_trees: int, height: int, window: int, seed: int
) -> CompiledTrees | RiverTrees:
    """Return half-space trees that have learned nothing.

    Raises
    ------
    RecipeError
        For a backend that does not exist.
    """
    known: dict[str, type[CompiledTrees] | type[RiverTrees]] = {"fastest": CompiledTrees, "river": RiverTrees}
    if backend not in known:
        raise RecipeError(f"half-space-trees has no backend {backend!r}.{did_you_mean(backend, known)}")
    return known[backend](n_columns, n_trees, height, window, seed)


class CompiledTrees:
    """The compiled trees; the same scores as River's, bit for bit."""

    def __init__(self, n_columns: int, n_trees: int, height: int, window: int, seed: int) -> None:
        from socml.detectors.online._compiled_half_space import HalfSpaceForest

        self._forest = HalfSpaceForest(range(n_columns), n_trees=n_trees, height=height, window_size=window, seed=seed)

    def score_learn(self, block: NDArray[np.float64], admitted: NDArray[np.bool_]) -> NDArray[np.float64]:
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

    def score_learn(self, block: NDArray[np.float64], admitted: NDArray[np.bool_]) -> NDArray[np.float64]:
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
