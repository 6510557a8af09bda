"""A stream of rows in [0, 1] → River's HalfSpaceTrees scores, bit for bit, a hundred times faster.

What River adds up at every node follows from counts at the leaves: learning is one increment a tree. The
masses that scores read change only when a window of rows is full; then the score of every leaf, with
River's early stop, is written down, and scoring is one walk and one look-up a tree. Deep trees keep masses
of nodes instead, of the few that the last window touched, and scoring goes down until River would stop.

References
----------
S. C. Tan, K. M. Ting, T. F. Liu (2011), «Fast Anomaly Detection for Streaming Data», IJCAI.
River 0.26, `river/anomaly/hst.py` and `river/tree/padded.py`
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.detectors._arrays import AnyFloats, Flags, Floats, Ints
from socml.project import njit

PADDING = 0.15  # share of a column's range at either end that River never splits in
STOP_SHARE = 0.1  # of a window: River stops at a node with fewer rows
RUN = 1024  # rows at a time: their leaves fit the first-level cache
TABULATED_HEIGHT = 10  # up to here all leaves' scores are written down when a window is full


class HalfSpaceForest:
    """River's HalfSpaceTrees over rows with all columns, in blocks of any length: the block does not show.

    Blind to anomalies that come in crowds, and to whatever happens within a column's outer 15 %.

    Parameters
    ----------
    names : a name, text or number, for each column; River draws in their sorted order
    limits : name → (least, most), by default (0, 1)
    seed : whole number, as River's

    Examples
    --------
    >>> forest = HalfSpaceForest(["x"], n_trees=5, height=3, window_size=3, seed=42)
    >>> forest.learn(np.array([[0.5], [0.45], [0.43]]))  # a first window; before it is full scores are 0
    >>> forest.score(np.array([[0.5], [0.0]])).round(3).tolist()  # higher is more ANOMALOUS, as in River
    [0.107, 0.853]
    """

    def __init__(
        self,
        names: Sequence[str] | Sequence[int],
        *,
        n_trees: int = 10,
        height: int = 8,
        window_size: int = 250,
        limits: Mapping[str | int, tuple[float, float]] | None = None,
        seed: int | None = None,
    ) -> None:
        if height < 1 or n_trees < 1 or window_size < 1 or not names:
            raise ValueError("HalfSpaceTrees need a column, a tree, a height and a window of at least 1.")
        self.names: list[str | int] = [*names]
        self.n_trees, self.height, self.window_size = n_trees, height, window_size
        own_limits = {name: (limits or {}).get(name, (0.0, 1.0)) for name in sorted(self.names)}
        self._feature, self._threshold = _make_trees(self.names, own_limits, n_trees, height, random.Random(seed))
        self._clear()

    def _clear(self) -> None:
        leaves = 1 << self.height
        is_table = self.height <= TABULATED_HEIGHT
        self._count = np.zeros((self.n_trees, leaves), dtype=np.int64)
        # what scores read: the score of each leaf, or the mass of each node (its place in a heap from 1)
        self._known = np.zeros((self.n_trees, leaves if is_table else 2 * leaves))
        self._touched = np.zeros((self.n_trees, 0 if is_table else 2 * self.window_size), dtype=np.int64)
        self._state = np.zeros(2, dtype=np.int64)  # rows in this window; whether a window was ever full

    def learn(self, X: ArrayLike) -> None:
        """Learn rows, shape (n_rows, n_features), in their order."""
        self.score_learn(X)

    def score(self, X: ArrayLike) -> Floats:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more ANOMALOUS; learn nothing."""
        return self.score_learn(X, np.zeros(len(np.asarray(X)), dtype=np.bool_))

    def score_learn(self, X: ArrayLike, learned: Flags | None = None) -> Floats:
        """Score each row, then learn it, or only those that are `learned`; return the scores, shape (n_rows,)."""
        X = np.require(X, np.float64, ["C", "W"])
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise ValueError(f"The block has shape {X.shape}; the forest reads {len(self.names)} columns.")
        learned = np.ones(len(X), np.bool_) if learned is None else np.require(learned, np.bool_, ["C", "W"])
        out = np.zeros(len(X))
        _stream(
            X, self._feature, self._threshold, self._count, self._known, self._touched, self._state,
            self.height, self.window_size, learned, out,
        )  # fmt: skip
        return out

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return trees and state as named plain arrays: to go on from here later, bit for bit."""
        sizes = np.array([self.n_trees, self.height, self.window_size], dtype=np.int64)
        tables = {name: getattr(self, f"_{name}").copy() for name in TABLES}
        return {"names": np.array(self.names), "sizes": sizes, **tables}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> HalfSpaceForest:
        """Return the forest that `as_arrays` wrote.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        """
        forest = cls.__new__(cls)
        forest.names = np.asarray(arrays["names"]).tolist()
        forest.n_trees, forest.height, forest.window_size = (int(size) for size in arrays["sizes"])
        forest._clear()
        for name in TABLES:
            table = np.array(arrays[name])
            if name in {"count", "known", "touched", "state"} and table.shape != getattr(forest, f"_{name}").shape:
                raise ValueError(f"The state of these half-space trees is damaged: {name} has shape {table.shape}.")
            setattr(forest, f"_{name}", table)
        forest._check()
        return forest

    def _check(self) -> None:
        """Refuse a state that would make compiled code read outside its arrays."""
        inner, leaves = (self.n_trees, 1 << self.height), 1 << self.height
        fits = self._feature.shape == self._threshold.shape == inner
        fits = fits and bool(((self._feature >= 0) & (self._feature < len(self.names))).all())
        fits = fits and bool(((self._touched >= 0) & (self._touched < leaves)).all())
        if not (fits and 0 <= self._state[0] < self.window_size):
            raise ValueError("The state of these half-space trees is damaged: a number points outside its table.")


TABLES = ("feature", "threshold", "count", "known", "touched", "state")


def _make_trees(
    names: list[str | int], limits: dict[str | int, tuple[float, float]], n_trees: int, height: int, rng: random.Random
) -> tuple[NDArray[np.int64], Floats]:
    """Return column and threshold of each inner node, shape (n_trees, 2**height), node k's children 2k and 2k + 1.

    Drawn in River's order: a node before its left side, that before its right one.
    """
    feature = np.zeros((n_trees, 1 << height), dtype=np.int64)
    threshold = np.zeros((n_trees, 1 << height))
    position = {name: names.index(name) for name in limits}
    population = list(limits)

    def split(tree: int, node: int) -> None:
        if node >= 1 << height:
            return
        on = rng.choices(population, weights=[limits[name][1] - limits[name][0] for name in population])[0]
        low, high = limits[on]
        at = rng.uniform(low + PADDING * (high - low), high - PADDING * (high - low))
        feature[tree, node], threshold[tree, node] = position[on], at
        limits[on] = (low, at)
        split(tree, 2 * node)
        limits[on] = (at, high)
        split(tree, 2 * node + 1)
        limits[on] = (low, high)

    for tree in range(n_trees):
        split(tree, 1)
    return feature, threshold


@njit(cache=True, nogil=True)
def _stream(
    X: AnyFloats, feature: Ints, threshold: AnyFloats, count: Ints, known: Floats, touched: Ints,
    state: Ints, height: int, window: int, learned: Flags, out: Floats,
) -> None:  # fmt: skip
    """Go through the rows, in runs that end at the latest where a window does; tree after tree within a run."""
    n_rows, n_trees = X.shape[0], count.shape[0]
    most = float(n_trees * window * ((1 << (height + 1)) - 1))
    is_table = touched.shape[1] == 0
    leaf = np.empty(min(n_rows, RUN), dtype=np.uint64)
    start = 0
    while start < n_rows:
        end, filled = start, state[0]
        while end < n_rows and end - start < RUN and filled < window:
            filled += learned[end]
            end += 1
        for tree in range(n_trees):
            _find_leaves(X, start, end, feature[tree], threshold[tree], height, leaf)
            if state[1]:
                _add_scores(leaf, end - start, known[tree], height, window, is_table, out[start:end])
            _count_leaves(leaf, learned[start:end], count[tree], touched[tree], window + state[0])
        if state[1]:
            for r in range(start, end):
                out[r] = 1.0 - out[r] / most
        state[0] = filled
        if filled == window:
            _turn_window(count, known, touched, height, window, is_table)
            state[0], state[1] = 0, 1
        start = end


@njit(cache=True, nogil=True)
def _find_leaves(
    X: AnyFloats, start: int, end: int, feature: Ints, threshold: AnyFloats, height: int, leaf: Ints
) -> None:
    """Write the leaf of rows [start, end), from 0; level by level, so that rows do not wait for each other."""
    n, width, values = end - start, np.uint64(X.shape[1]), X.reshape(-1)
    leaf[:n] = np.uint64(1)
    for _ in range(height):
        at = np.uint64(start) * width
        for r in range(n):
            node = leaf[r]
            is_right = not (values[at + np.uint64(feature[node])] < threshold[node])
            leaf[r] = node + node + np.uint64(is_right)
            at += width
    for r in range(n):
        leaf[r] -= np.uint64(1 << height)


@njit(cache=True, nogil=True)
def _count_leaves(leaf: Ints, learned: Flags, count: Ints, touched: Ints, at: int) -> None:
    """Learn a run of rows in one tree; if `touched` has room, note there from `at` on which leaves they fell in."""
    for r in range(learned.size):
        if learned[r]:
            count[leaf[r]] += 1
            if touched.size:
                touched[at] = leaf[r]
                at += 1


@njit(cache=True, nogil=True)
def _add_scores(leaf: Ints, n: int, known: Floats, height: int, window: int, is_table: bool, out: Floats) -> None:
    """Add one tree's part to each row: the mass of every node on its path, doubled a level, until one is light."""
    if is_table:
        for r in range(n):
            out[r] += known[leaf[r]]
        return
    for r in range(n):
        place = np.int64(leaf[r]) + (1 << height)
        total = 0.0
        for level in range(height + 1):
            mass = known[place >> (height - level)]
            total += mass * float(1 << level)
            if mass < STOP_SHARE * window:
                break
        out[r] += total


@njit(cache=True, nogil=True)
def _turn_window(count: Ints, known: Floats, touched: Ints, height: int, window: int, is_table: bool) -> None:
    """Let scores read the window that is now full, and start to count the next."""
    size = 2 << height if is_table else 0
    mass_of, total_of = np.empty(size), np.empty(size)
    for tree in range(count.shape[0]):
        if is_table:
            _tabulate(count[tree], height, STOP_SHARE * window, mass_of, total_of, known[tree])
            count[tree, :] = 0
            continue
        mass, own, leaves = known[tree], count[tree], touched[tree]
        for k in range(window):  # what the window before left
            for level in range(height + 1):
                mass[(leaves[k] + (1 << height)) >> level] = 0.0
        for k in range(window):
            at = leaves[window + k]
            leaves[k] = at
            own[at] = 0
            for level in range(height + 1):
                mass[(at + (1 << height)) >> level] += 1.0


@njit(cache=True, nogil=True)
def _tabulate(count: Ints, height: int, stop: float, mass: Floats, total: Floats, known: Floats) -> None:
    """Write the score of each leaf: sums of counts upwards, then of masses downwards.

    `mass` and `total`, one place a node, are overwritten. River stops at a light node, so what is below adds nothing:
    there each mass is made 0, once the node's own was added.
    """
    leaves = 1 << height
    for k in range(leaves):
        mass[leaves + k] = count[k]
    for level in range(height - 1, -1, -1):
        first = 1 << level
        below = mass[2 * first : 4 * first]
        here = mass[first : 2 * first]
        for k in range(here.size):
            here[k] = below[2 * k] + below[2 * k + 1]
    total[1] = mass[1]
    for level in range(1, height + 1):
        first = 1 << (level - 1)
        weight = float(1 << level)
        up_mass, up_total = mass[first : 2 * first], total[first : 2 * first]
        own_mass, own_total = mass[2 * first : 4 * first], total[2 * first : 4 * first]
        for k in range(up_mass.size):
            goes_on = 1.0 if up_mass[k] >= stop else 0.0
            for child in (2 * k, 2 * k + 1):
                own_mass[child] *= goes_on
                own_total[child] = up_total[k] + own_mass[child] * weight
    known[:] = total[leaves : 2 * leaves]
