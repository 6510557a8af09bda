"""Evidence by family of behaviour → a score that adds up from it, re-ranked by verdicts: the learning of the daily list.

A *signal* is a column in the role it was seen in ("failed logons of strangers"). A signal counts by how often it was
right beside how often the list was, between 0.3 and 1.3; a labelled row shares its vote among its families by what each
added to the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
SHARES = (1.0, 0.5, 0.25)  # of the largest, second and third family in the score
PRIOR = 2.0  # labelled rows of the list's own precision that each signal is credited with before any label
LEAST, MOST = 0.3, 1.3  # weight of a signal
FILE = "evidence.npz"


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


def signal_weight(labelled: ArrayLike, true: ArrayLike, all_labelled: float, all_true: float) -> Floats:
    """Return how much signals count, by the votes on each and on all; 1 before any label.

    Examples
    --------
    >>> signal_weight([4.0, 0.0, 4.0], [4.0, 0.0, 0.0], 20, 5).round(2).tolist()
    [1.3, 1.0, 0.33]
    """
    labelled, true = np.asarray(labelled, np.float64), np.asarray(true, np.float64)
    if not all_labelled:
        return np.ones_like(labelled)
    usual = (all_true + 1) / (all_labelled + 2)
    return np.clip((true + PRIOR * usual) / (labelled + PRIOR) / usual, LEAST, MOST)


@dataclass(frozen=True)
class DayEvidence:
    """One day's list before its own labels: all that is needed to re-rank it.

    Attributes
    ----------
    evidence : shape (rows, families), without any learning
    kept : shape (rows, families), what is left of it by memory of earlier days, 0 to 1
    signal : shape (rows, families), number of the signal
    labelled, true : shape (signals,), votes of earlier days
    total : shape (2,), labelled and malicious rows of earlier days
    """

    evidence: Floats
    kept: Floats
    signal: NDArray[np.int64]
    labelled: Floats
    true: Floats
    total: Floats

    def write(self, folder: Path) -> None:
        """Write it beside the scores of its run."""
        from socml.project import replacing

        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def read(cls, folder: Path) -> DayEvidence:
        """Return what was written beside the scores of a run."""
        with np.load(folder / FILE, allow_pickle=False) as stored:
            return cls(**{name: stored[name] for name in cls.__annotations__})


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
        day, said = self._day, self._score[rows] > 0
        rows, counts, malicious = rows[said], counts[said], malicious[said]
        votes = self._parts[rows] / self._score[rows, None] * counts[:, None]
        labelled, true = day.labelled.copy(), day.true.copy()
        np.add.at(labelled, day.signal[rows], votes)
        np.add.at(true, day.signal[rows], votes * malicious[:, None])
        total = day.total + np.array([counts.sum(), (counts * malicious).sum()])
        weight = signal_weight(labelled, true, float(total[0]), float(total[1]))
        return fuse(day.evidence * day.kept * weight[day.signal])[1]
