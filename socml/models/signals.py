"""Evidence by family of behaviour → a score that adds up from it, re-ranked by verdicts: the learning of the daily list.

A *signal* is a column in the role it was seen in ("failed logons of strangers"). How much it counts in a row depends on the
verdicts on rows where it spoke: a benign one says that it means little up to the evidence it had there, a malicious one
that it means something from that evidence on. Of these, the share that was malicious is set beside that of the list, and the
signal counts between 0.15 and 1.3. A labelled row shares its vote among its families by what each added to the score.

What many do on one day is rarely an attack of each of them, and one row of a kind is enough to look into it: the second
row of a family and role counts a little less than the first, the tenth a quarter of it, so that no kind fills the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
SHARES = (1.0, 0.5, 0.25)  # of the largest, second and third family in the score
CROWD = 0.3  # the row with k stronger ones of its family and role counts 1 / (1 + 0.3 k)
PRIOR = 4.0  # labelled rows of the list's own precision that each signal is credited with before any label
LEAST, MOST = 0.15, 1.3  # weight of a signal
NEAR = 0.1  # evidence by which a row may exceed a labelled one and still be as strong
FILE = "votes.npz"


def fuse(evidence: Floats) -> tuple[Floats, Floats]:
    """Return what each family adds to a row's score, and the score: the largest, ½ the second, ¼ the third.

    Examples
    --------
    >>> parts, score = fuse(np.array([[2.0, 0.0, 4.0, 1.0]]))
    >>> parts.tolist(), score.tolist()
    ([[1.0, 0.0, 4.0, 0.25]], [5.25])
    """
    order = np.argsort(-evidence, axis=1, kind="stable")
    place = np.argsort(order, axis=1, kind="stable")
    shares = np.array([*SHARES, *np.zeros(max(0, evidence.shape[1] - len(SHARES)))])
    parts = evidence * shares[place]
    return parts, parts.sum(axis=1)


def rank_rows(evidence: Floats, role: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return what each family adds to each row of a day, and the scores: `fuse` of what is left of each in its crowd.

    Parameters
    ----------
    evidence : shape (rows, families)
    role : shape (rows,), number of the row's role

    Examples
    --------
    >>> rank_rows(np.array([[2.0], [1.3], [1.0]]), np.array([0, 0, 1]))[1].tolist()
    [2.0, 1.0, 1.0]
    """
    left = evidence.copy()
    for one in np.unique(role).tolist():
        of = np.flatnonzero(role == one)
        order = np.argsort(-evidence[of], axis=0, kind="stable")
        stronger = np.argsort(order, axis=0, kind="stable")
        left[of] = evidence[of] / (1.0 + CROWD * stronger)
    return fuse(left)


def numbered(role: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the number of each row's role, in the order of their names."""
    return np.unique(role.astype(str), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Votes:
    """What verdicts said of signals, one item a labelled row and family that had a part in it.

    Attributes
    ----------
    signal : number of the signal
    evidence : how much it said in that row
    vote : its part in the row's score, 0 to 1, times how far the label counts
    malicious : the verdict
    total : shape (2,), labelled and malicious rows
    """

    signal: NDArray[np.int64]
    evidence: Floats
    vote: Floats
    malicious: NDArray[np.bool_]
    total: Floats

    def and_of(self, rows: Floats, parts: Floats, signal: NDArray[np.int64], verdicts: NDArray[np.bool_]) -> Votes:
        """Return these votes and those of further labelled rows; `parts` holds each family's share of the vote."""
        row, family = np.nonzero(parts > 0)
        added = np.array([parts.sum(), (parts.sum(axis=1) * verdicts).sum()])
        return Votes(
            np.concatenate([self.signal, signal[row, family]]),
            np.concatenate([self.evidence, rows[row, family]]),
            np.concatenate([self.vote, parts[row, family]]),
            np.concatenate([self.malicious, verdicts[row]]),
            self.total + added,
        )

    def weights(self, evidence: Floats, signal: NDArray[np.int64]) -> Floats:
        """Return how much each signal counts in each row, shape (rows, families); 1 before any label.

        Examples
        --------
        >>> votes = Votes(np.zeros(4, np.int64), np.array([1.0, 1, 1, 3]), np.ones(4), np.arange(4) == 3, np.array([4.0, 1]))
        >>> votes.weights(np.array([[0.5], [2.0], [3.0]]), np.zeros((3, 1), np.int64)).round(2).tolist()
        [[0.57], [1.0], [1.3]]
        """
        weights = np.ones_like(evidence)
        if not self.total[0]:
            return weights
        usual = (self.total[1] + 1) / (self.total[0] + 2)
        for one in np.unique(self.signal).tolist():
            of = signal == one
            if of.any():
                labelled, true = self._votes_on(one, evidence[of])
                weights[of] = np.clip((true + PRIOR * usual) / (labelled + PRIOR) / usual, LEAST, MOST)
        return weights

    def _votes_on(self, signal: int, evidence: Floats) -> tuple[Floats, Floats]:
        """Return the votes on each evidence, and how many of them are malicious."""
        benign = _sorted(self.evidence, self.vote, (self.signal == signal) & ~self.malicious)
        malicious = _sorted(self.evidence, self.vote, (self.signal == signal) & self.malicious)
        against = benign[1][-1] - benign[1][np.searchsorted(benign[0], evidence - NEAR, side="left")]
        true = malicious[1][np.searchsorted(malicious[0], evidence + NEAR, side="right")]
        return against + true, true


def _sorted(evidence: Floats, vote: Floats, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the evidence of chosen votes in order, and the sum of the votes before each, and of all."""
    order = np.argsort(evidence[chosen], kind="stable")
    return evidence[chosen][order], np.concatenate([[0.0], np.cumsum(vote[chosen][order])])


@dataclass(frozen=True)
class DayEvidence:
    """One day's list before its own labels: all that is needed to re-rank it.

    Attributes
    ----------
    evidence : shape (rows, families), without any learning
    kept : shape (rows, families), what is left of it by memory of earlier days, 0 to 1
    role : shape (rows,), number of the role
    signal : shape (rows, families), number of the signal
    votes : of earlier days
    """

    evidence: Floats
    kept: Floats
    role: NDArray[np.int64]
    signal: NDArray[np.int64]
    votes: Votes

    def of(self, rows: NDArray[np.int64]) -> DayEvidence:
        """Return the same of some rows alone."""
        return DayEvidence(self.evidence[rows], self.kept[rows], self.role[rows], self.signal[rows], self.votes)

    def left(self, votes: Votes) -> Floats:
        """Return the evidence that is left by memory or, of what is not remembered, by votes on its signal.

        Not both: the label that a thing is remembered by is among the votes, and would count twice.
        """
        return self.evidence * np.where(self.kept < 1.0, self.kept, votes.weights(self.evidence, self.signal))

    def arrays(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Return all that it holds, by name: those of the votes begin with `vote_`."""
        own = {"evidence": self.evidence, "kept": self.kept, "role": self.role, "signal": self.signal}
        return own | {f"vote_{name}": value for name, value in vars(self.votes).items()}

    def write(self, folder: Path) -> None:
        """Write it beside the scores of its run."""
        from socml.project import replacing

        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **self.arrays())

    @classmethod
    def read(cls, folder: Path) -> DayEvidence:
        """Return what was written beside the scores of a run."""
        with np.load(folder / FILE, allow_pickle=False) as stored:
            votes = Votes(**{name: stored[f"vote_{name}"] for name in Votes.__annotations__})
            evidence = stored["evidence"]
            alone = np.arange(len(evidence))  # a run stored by an earlier version has no roles: its rows crowd none out
            role = stored.get("role", alone)
            return cls(evidence, stored["kept"], role, stored["signal"], votes)


class SignalRanking:
    """The ranking of one day's list, learnt anew from all its labels each time; an undo is exact.

    It has no trees: `leaves` is empty, and rows are not compared by them.
    """

    def __init__(self, day: DayEvidence) -> None:
        self._day = day
        self._parts, self._score = fuse(day.evidence)
        self.leaves = np.empty((0, len(day.evidence)), dtype=np.uint8)

    def learn(self, positions: ArrayLike, directions: ArrayLike, weights: ArrayLike | None = None) -> Floats:
        """Return the score of every row after some labels.

        Parameters
        ----------
        positions : labelled rows, each once
        directions : above 0 malicious, below 0 benign or false alarm
        weights : 0 to 1, how far each label counts; 1 if not given
        """
        rows = np.asarray(positions, np.int64)
        counts = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
        malicious = np.asarray(directions, np.float64) > 0
        day, raised = self._day, self._score[rows] > 0
        rows, counts, malicious = rows[raised], counts[raised], malicious[raised]
        parts = self._parts[rows] / self._score[rows, None] * counts[:, None]
        votes = day.votes.and_of(day.evidence[rows], parts, day.signal[rows], malicious)
        return rank_rows(day.left(votes), day.role)[1]
