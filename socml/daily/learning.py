"""Verdicts on rows of the daily list → the list of the days that follow: what was judged benign steps back.

Two rules, each told in a sentence and undone with the label it came from:

- *memory*: what was judged of an entity and a family counts 0.3 of itself as long as it stays within 0.5 of the evidence
  that was judged; beyond it counts in full. A campaign that was judged malicious is remembered in the same way, so that
  one that goes on is not read again each day, and its row says so.
- *weight of a signal*: a column, in the role it was seen in, counts by how often it was right beside how often the list
  was: between 0.3 and 1.3. A labelled row shares its vote among its families by what each added to the score.

What stands after n labels is a function of those labels alone: without one of them all is as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from socml.daily.entity_surprise import DayScores, fuse

Floats = NDArray[np.float64]
Signal = tuple[str, int]  # role, and position of the column
KEPT = 0.3  # of the evidence, when it was judged before
MARGIN = 0.5  # evidence above what was judged, beyond which it counts in full
PRIOR = 2.0  # labelled rows of the list's own precision that each signal is credited with before any label
LEAST, MOST = 0.3, 1.3  # weight of a signal


@dataclass(frozen=True)
class Learned:
    """A day's list after the labels so far.

    Attributes
    ----------
    evidence, parts : shape (rows, families), as in `DayScores`
    score : shape (rows,)
    remembered : shape (rows, families): judged before, 1 benign, 2 malicious, 0 not judged or beyond what was
    """

    evidence: Floats
    parts: Floats
    score: Floats
    remembered: NDArray[np.int8]


@dataclass
class Votes:
    """How many labelled rows, or parts of them, there were, and how many of them were malicious."""

    labelled: float = 0.0
    true: float = 0.0

    def add(self, vote: float, malicious: bool) -> None:
        """Count one more, or a part of one."""
        self.labelled += vote
        self.true += vote * malicious


@dataclass
class DailyLearner:
    """What labels have taught. Feed it the days in order."""

    families: tuple[str, ...]
    all: Votes = field(default_factory=Votes)
    by_signal: dict[Signal, Votes] = field(default_factory=dict)
    _judged: dict[tuple[str, str, int], tuple[float, bool]] = field(default_factory=dict)

    def weight(self, signal: Signal) -> float:
        """Return how much a column counts in a role, 1 before any label.

        Examples
        --------
        >>> learner = DailyLearner(("scan",))
        >>> learner.all, learner.by_signal["source inside", 0] = Votes(20, 5), Votes(4, 4)
        >>> round(learner.weight(("source inside", 0)), 2), learner.weight(("source outside", 0))
        (1.3, 1.0)
        """
        if not self.all.labelled:
            return 1.0
        usual = (self.all.true + 1) / (self.all.labelled + 2)
        votes = self.by_signal.get(signal, Votes())
        found = (votes.true + PRIOR * usual) / (votes.labelled + PRIOR)
        return float(np.clip(found / usual, LEAST, MOST))

    def apply(self, scores: DayScores, *, labelled: Collection[int] = ()) -> Learned:
        """Return a day's list as the labels so far make it; `labelled` rows do not step back from themselves."""
        evidence, remembered = scores.evidence.copy(), np.zeros(scores.evidence.shape, np.int8)
        for row, f in np.argwhere(evidence > 0).tolist():
            evidence[row, f] *= self.weight(_signal(scores, row, f))
            judged, malicious = self._judged.get(_subject(scores, row, f), (-np.inf, False))
            if row not in labelled and scores.evidence[row, f] <= judged + MARGIN:
                evidence[row, f] *= KEPT
                remembered[row, f] = 2 if malicious else 1
        parts, score = fuse(evidence)
        return Learned(evidence, parts, score, remembered)

    def learn(self, scores: DayScores, verdicts: Mapping[int, bool]) -> None:
        """Take the verdicts on a day's rows: position of the row → whether it is malicious."""
        for row in sorted(verdicts):
            if scores.score[row] <= 0:
                continue
            self.all.add(1.0, verdicts[row])
            for f in np.flatnonzero(scores.parts[row] > 0).tolist():
                vote = float(scores.parts[row, f] / scores.score[row])
                self.by_signal.setdefault(_signal(scores, row, f), Votes()).add(vote, verdicts[row])
                subject, said = _subject(scores, row, f), float(scores.evidence[row, f])
                before = self._judged.get(subject, (0.0, False))[0]
                self._judged[subject] = (max(before, said), verdicts[row])


def _signal(scores: DayScores, row: int, f: int) -> Signal:
    return str(scores.role[row]), int(scores.column[row, f])


def _subject(scores: DayScores, row: int, f: int) -> tuple[str, str, int]:
    return str(scores.role[row]), str(scores.entity[row]), int(f)
