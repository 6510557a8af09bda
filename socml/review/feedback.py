"""A forest's leaves, anomaly scores and a few verdicts → a ranking that has learnt from them, in milliseconds.

The dual of AAD's hinge problem with a tree kernel: a labelled row pulls the rows that share its leaves up
(malicious) or pushes them down (benign), as far as it takes to put the labelled rows on their side.

References
----------
S. Das et al. (2016), «Incorporating Expert Feedback into Active Anomaly Discovery», ICDM.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property
from itertools import takewhile

import numpy as np
from numpy.typing import ArrayLike, NDArray

# PRIOR to QUANTILE were chosen on 18 labelled tables, BELIEVED and UNGUIDED by leave-one-group-out, LEVEL on all tables made barren
# (benchmarks/learning.py).
PRIOR = 0.02  # how much a standard deviation of the anomaly score counts against the margin of 1
CAUTION = 0.01  # what a malicious label may weigh while the forest's own order holds: a good order is left as it is
DOUBT = 2.0  # by how much more, times the share of benign labels at the head of that order
HALF_BELIEVED = 1.0  # labels at the head from which that share counts half
BELIEVED = 4.0  # malicious labels at the head that the forest's order is credited with before any are given
FIRST = 20  # labels in which the forest's own order is hardly lost to
FEWER = 2  # malicious rows that may be lost against it in those
RISK = 0.02  # the most likely that more are
UNGUIDED = 0.21  # the most likely that any is, while no label is malicious: nothing leads beyond the first rows yet
BARREN = 20  # labels, none of them malicious, from which rows of usual score are asked for too
EVERY = 3  # labels, one of which asks for a row of usual score
LEVEL = 0.5  # quantile of the anomaly scores that is usual
UNLIKE = 5.0  # standard deviations of the anomaly score that being unlike all benign labels is worth there
COLUMNS = 32  # of labelled rows, allocated at once
LABELS = 512  # by which the table of labelled rows among themselves grows
MOST, FEWEST, BYTES = 4_000, 200, 1 << 30  # labels that teach at once: as many columns as fit in so many bytes
QUANTILE = 0.97  # an unlabelled row at this quantile of the scores starts at 0, as in AAD


class FeedbackRanking:
    """The ranking of one scoring run, learnt anew from all its labels each time.

    The ranking depends on the labels and their order alone, never on what was learnt before, to the last
    bit: taking a label back is the same as never having given it.

    The forest's own order counts by the share of malicious labels among the rows at its head: where they are benign,
    rows unlike all that were labelled are no longer asked for in that order, and what was labelled decides.
    Figures: `docs/results/results-learning.md`, the tables on which it finds fewer than a peer among them.

    In the first 20 labels the forest's first 20 rows come before all others as soon as one more row from beyond them may lose
    malicious rows to the forest's own order: more than two at odds of more than 1 in 50, and, while no label is malicious, any at
    odds of more than 1 in 5. After 20 labels none of which was malicious, every third one is asked of a row whose anomaly score is
    nearest to the median, among those least like the benign ones.

    Of more than 4,000 labels (or as many as take 1 GB: a byte a row and label, of more than 255 trees two; 200 at the
    least) the latest teach, as many of each side, so that memory and time stay bounded; all of them say how far the
    forest's order is believed.

    Blind to labelled rows that share no leaf with others: they teach nothing about them.

    Parameters
    ----------
    leaves : uint8 or uint16, shape (n_trees, n_rows): which leaf of each tree a row falls into
    anomaly_score : shape (n_rows,), higher is more anomalous

    Examples
    --------
    >>> leaves = np.array([[0, 0, 1, 1], [0, 0, 1, 2]], dtype=np.uint8)
    >>> ranking = FeedbackRanking(leaves, np.array([0.9, 0.8, 0.7, 0.6]))
    >>> learnt = ranking.learn([0], [-1])
    >>> bool(learnt[1] < learnt[2])  # what is like the benign row went down
    True
    >>> bool((ranking.learn([], []) == [0.9, 0.8, 0.7, 0.6]).all())  # undo
    True
    """

    def __init__(self, leaves: NDArray[np.integer], anomaly_score: NDArray[np.float64]) -> None:
        self.leaves = _read_only(leaves)
        self.anomaly_score = np.asarray(anomaly_score, dtype=np.float64)
        spread = float(self.anomaly_score.std()) if self.anomaly_score.size else 0.0
        self._unit = spread or 1.0
        levels = np.quantile(self.anomaly_score, [QUANTILE, LEVEL]) if self.anomaly_score.size else np.zeros(2)
        self._zero, self._usual = float(levels[0]), float(levels[1])
        self._columns = _Columns(self.leaves)
        self._multipliers: dict[int, float] = {}
        self._total = np.zeros(self.anomaly_score.shape)
        self._trusted = 1.0

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        """Each row's place in the forest's own order; sorted once the first label asks for it."""
        place = np.empty(self.anomaly_score.shape, dtype=np.int64)
        place[np.argsort(-self.anomaly_score, kind="stable")] = np.arange(self.anomaly_score.size)
        return place

    def learn(
        self, positions: ArrayLike, directions: ArrayLike, weights: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the ranking score of every row, in the unit of the anomaly score; without labels, that score.

        Parameters
        ----------
        positions : labelled rows, in the order of their labels, each once
        directions : above 0 malicious, below 0 benign or false alarm
        weights : 0 to 1, how far each label counts; 1 if not given
        """
        rows = np.asarray(positions, dtype=np.int64)
        signs = np.sign(np.asarray(directions, dtype=np.float64))
        limits = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        trust = self._trusted = self._trust(rows, signs, limits)
        some = self._teaching(signs)
        solved = self._solve(rows[some], signs[some], limits[some], trust) * signs[some]
        self._move_to(dict(zip(rows[some].tolist(), solved.tolist(), strict=True)))
        if not len(rows):
            return self.anomaly_score.copy()
        learnt = trust * self.anomaly_score + (self._unit / (PRIOR * self._columns.whole)) * self._total
        if self._strays(rows, signs):
            self._put_first(learnt, self._place < FIRST)
        elif self._is_barren(signs) and not len(rows) % EVERY:
            self._put_first(learnt, self._most_usual(rows))
        return learnt

    def _teaching(self, signs: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return which labels teach: all; of very many the latest, as many of each side as there are, up to half."""
        most = min(MOST, max(FEWEST, BYTES // max(1, self.anomaly_score.size * self._columns.width)))
        if len(signs) <= most:
            return np.arange(len(signs))
        malicious, benign = np.flatnonzero(signs > 0), np.flatnonzero(signs <= 0)
        n_malicious = min(len(malicious), max(most // 2, most - len(benign)))
        at_once = max(1, most // 16)  # that are forgotten: as long as none is, a label more costs little
        kept = [
            side[-(-max(0, len(side) - n) // at_once) * at_once :]
            for side, n in ((malicious, n_malicious), (benign, most - n_malicious))
        ]
        return np.sort(np.concatenate(kept))

    def _strays(self, rows: NDArray[np.integer], signs: NDArray[np.float64]) -> bool:
        """Return whether one more row from beyond the forest's first rows may lose too many malicious ones to it.

        Each row asked from beyond displaces one of the first rows. Those are malicious as often as the first rows that
        were labelled, and what was found beyond makes up for as many. Until one label is malicious none may be lost:
        what few may be are worth more once there is something that rows beyond can be like.
        """
        if not len(self.leaves) or len(rows) >= FIRST:
            return False
        first, malicious = self._place[rows] < FIRST, signs > 0
        hits, found = int((first & malicious).sum()), int((~first & malicious).sum())
        fewer, most = (FEWER, RISK) if hits + found else (0, UNGUIDED)
        return risk(hits, int(first.sum()), found, int((~first).sum()), fewer=fewer) > most

    def _is_barren(self, signs: NDArray[np.float64]) -> bool:
        return bool(len(self.leaves) and len(signs) >= BARREN and not (signs > 0).any())

    def _most_usual(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return the row of the most usual anomaly score among those least like the benign ones."""
        unlike = self._total / max(1.0, -float(self._total.min()))
        usual = UNLIKE * unlike - np.abs(self.anomaly_score - self._usual) / self._unit
        usual[rows] = -np.inf
        return np.asarray(np.arange(usual.size) == int(usual.argmax()))

    def _put_first(self, learnt: NDArray[np.float64], chosen: NDArray[np.bool_]) -> None:
        """Lift the chosen rows before all others, in the order that they have among themselves."""
        if chosen.all() or not chosen.any():
            return
        gap = float(learnt[~chosen].max() - learnt[chosen].min()) + self._unit
        learnt[chosen] += max(gap, 0.0)

    def rank_later(self, leaves: NDArray[np.integer], anomaly_score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ranking scores of other rows, by what the labels of the last `learn` taught on these.

        How far the forest's order is believed was seen on the rows that were labelled, and is kept.

        Parameters
        ----------
        leaves, anomaly_score : of the other rows, by the same forest and detector: (n_trees, n), (n,)
        """
        rows = list(self._multipliers)
        if not rows or not len(self.leaves):
            return np.array(anomaly_score, dtype=np.float64)
        at_once = max(len(rows), BYTES // (len(rows) * self._columns.width))
        taught = [self._taught(rows, leaves[:, at : at + at_once]) for at in range(0, len(anomaly_score), at_once)]
        return np.asarray(self._trusted * anomaly_score + np.concatenate([np.empty(0), *taught]))

    def _taught(self, rows: list[int], leaves: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return what the labels of some rows add to the scores of other rows, whose leaves are given."""
        together = _Columns(_read_only(np.concatenate([self.leaves[:, rows], leaves], axis=1)))
        together.make(list(range(len(rows))))
        total = np.zeros(together.n_rows)
        together.add_to(total, {at: self._multipliers[row] for at, row in enumerate(rows)})
        return np.asarray((self._unit / (PRIOR * together.whole)) * total[len(rows) :])

    def _trust(self, rows: NDArray[np.integer], signs: NDArray[np.float64], limits: NDArray[np.float64]) -> float:
        """Return what the forest's order counts, up to 1: the share of malicious labels at its head."""
        if not len(self.leaves) or not len(rows):  # there is no other order, or nothing against this one
            return 1.0
        head = self._place[rows] < len(rows)
        return float((limits[head & (signs > 0)].sum() + BELIEVED) / (limits[head].sum() + BELIEVED))

    def _solve(
        self, rows: NDArray[np.integer], signs: NDArray[np.float64], limits: NDArray[np.float64], trust: float
    ) -> NDArray[np.float64]:
        if not len(rows) or not len(self.leaves):
            return np.zeros(len(rows))
        from socml.review.tree_kernel import STEP, solve_dual  # numba takes a third of a second

        alike = self._columns.between(rows)
        prior = PRIOR * trust * (self.anomaly_score[rows] - self._zero) / self._unit
        multipliers = solve_dual(alike, float(self._columns.whole), prior, signs, self._cautious(rows, signs, limits))
        return np.round(multipliers / STEP) * STEP

    def _cautious(
        self, rows: NDArray[np.integer], signs: NDArray[np.float64], limits: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the limits, those of malicious labels lowered as long as the forest's own order is a good one.

        It is if few labels at its head are benign. Labels found elsewhere say how good the learning is, not the order.
        """
        head = self._place[rows] < len(rows)
        benign_share = limits[head & (signs < 0)].sum() / (limits[head].sum() + HALF_BELIEVED)
        return np.where(signs > 0, limits * min(1.0, CAUTION + DOUBT * benign_share), limits)

    def _move_to(self, multipliers: dict[int, float]) -> None:
        rows = {**self._multipliers, **multipliers}
        changes = {row: multipliers.get(row, 0.0) - self._multipliers.get(row, 0.0) for row in rows}
        self._columns.add_to(self._total, {row: change for row, change in changes.items() if change})
        self._columns.keep(multipliers)
        self._multipliers = multipliers


def risk(hits: int, first: int, found: int, beyond: int, *, fewer: int = FEWER) -> float:
    """Return how likely one more label beyond the forest's first rows makes more than `fewer` lost to its own order.

    Parameters
    ----------
    hits, first : malicious labels, and all labels, among the forest's first rows
    found, beyond : malicious labels, and all labels, beyond them

    Examples
    --------
    >>> risk(hits=5, first=5, found=0, beyond=1)  # two rows displaced: two lost at most
    0.0
    >>> round(risk(hits=5, first=5, found=0, beyond=2), 2), round(risk(hits=0, first=5, found=0, beyond=2), 2)
    (0.67, 0.01)
    >>> round(risk(hits=0, first=4, found=0, beyond=0, fewer=0), 2)
    0.17
    """
    if beyond + 1 <= found + fewer:
        return 0.0
    from scipy.stats import betabinom

    return float(betabinom.sf(found + fewer, beyond + 1, hits + 1, first - hits + 1))


class _Columns:
    """How alike each labelled row is to every row, kept as long as the label stands: a byte a row and label.

    Of s, the share of trees in which two rows share a leaf, it is (3s + s²) / 4: with s alone, a label also moves
    rows that have only the common leaves in common with it.
    """

    def __init__(self, leaves: NDArray[np.integer]) -> None:
        self._leaves, self.n_rows = leaves, leaves.shape[1]
        self._type: type[np.unsignedinteger] = np.uint8 if len(leaves) <= 255 else np.uint16
        self.width = np.dtype(self._type).itemsize  # bytes of a row and label
        self.whole = np.iinfo(self._type).max  # the value of rows that share every leaf
        share = np.linspace(0.0, 1.0, len(leaves) + 1)
        self._alike: NDArray[np.unsignedinteger] = np.round(self.whole * (3 * share + share**2) / 4).astype(self._type)
        self._rows: list[int] = []  # whose table `_among` is
        self._among = np.empty((0, 0), dtype=self._type)
        self._blocks: list[NDArray[np.unsignedinteger]] = []  # of COLUMNS columns each, so that growing copies nothing
        self._slot_of: dict[int, int] = {}
        self._free: list[int] = []

    def between(self, rows: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
        """Return how alike the labelled rows are to each other, making the columns that are not there yet.

        Shape at least (n, n), the first n of each count. What the rows before had in common with these is kept: a label
        more costs a column, and not a table.
        """
        wanted = rows.tolist()
        same = next((at for at, (old, new) in enumerate(zip(self._rows, wanted, strict=False)) if old != new), None)
        known = min(len(self._rows), len(wanted)) if same is None else same
        if len(wanted) > len(self._among):
            larger = np.empty((len(wanted) + LABELS,) * 2, dtype=self._type)
            larger[:known, :known] = self._among[:known, :known]
            self._among = larger
        self.make([row for row in wanted[known:] if row not in self._slot_of])
        for at in range(known, len(wanted)):
            here = self._column(wanted[at])[rows[: at + 1]]
            self._among[at, : at + 1] = self._among[: at + 1, at] = here
        self._rows = wanted
        return self._among

    def add_to(self, total: NDArray[np.float64], changes: dict[int, float]) -> None:
        """Add the columns of some rows, each times its change, to `total`."""
        if not changes:
            return
        from socml.review.tree_kernel import add_columns  # numba takes a third of a second

        slots = np.array([self._slot_of[row] for row in changes])
        amounts = np.array(list(changes.values()))
        for number in np.unique(slots // COLUMNS).tolist():
            here = slots // COLUMNS == number
            add_columns(total, self._blocks[number], slots[here] % COLUMNS, amounts[here])

    def keep(self, rows: Container[int]) -> None:
        """Forget the columns of all other rows."""
        for row in [row for row in self._slot_of if row not in rows]:
            self._free.append(self._slot_of.pop(row))
        self._rows = list(takewhile(self._slot_of.__contains__, self._rows))

    def _column(self, row: int) -> NDArray[np.unsignedinteger]:
        slot = self._slot_of[row]
        return np.asarray(self._blocks[slot // COLUMNS][slot % COLUMNS])

    def make(self, rows: list[int]) -> None:
        """Make the columns of some rows, those that lie in one block together."""
        from socml.review.tree_kernel import tree_kernel  # numba takes a third of a second

        while len(self._free) < len(rows):
            first = len(self._blocks) * COLUMNS
            self._blocks.append(np.empty((COLUMNS, self.n_rows), dtype=self._type))
            self._free[:0] = range(first + COLUMNS - 1, first - 1, -1)
        slots = np.array([self._free.pop() for _ in rows], dtype=np.int64)
        self._slot_of.update(zip(rows, slots.tolist(), strict=True))
        for number in np.unique(slots // COLUMNS).tolist():
            here = slots // COLUMNS == number
            tree_kernel(self._leaves, np.array(rows)[here], self._alike, self._blocks[number], slots[here] % COLUMNS)


def _read_only(leaves: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the same matrix in the one kind that the kernels are compiled for: plain, row-major, read-only."""
    view = np.ascontiguousarray(leaves).view()
    view.flags.writeable = False
    return view


def warm_up() -> None:
    """Compile the kernels (or load them from the cache) and import what labels need, so that no analyst waits for it."""
    for kind in (np.uint8, np.uint16):
        for n_trees in (1, 256):  # counts of more than 255 trees take two bytes
            FeedbackRanking(np.zeros((n_trees, 2), dtype=kind), np.array([0.0, 1.0])).learn([0, 1], [1, -1])
    risk(0, 0, 0, 2)
