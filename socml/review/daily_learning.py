"""Verdicts on rows of the daily list → the list of the days that follow: what was judged benign steps back.

Two ways, each told in a sentence and undone with the label it came from:

- *memory*: what was judged of an entity and a family counts 0.3 of itself as long as it is no stronger than the evidence
  that was judged; beyond it counts in full, for an attack may begin where something harmless was judged. A campaign that
  was judged malicious is remembered too, up to 0.8 above what was judged, so that one that goes on is not read again
  each day, and its row says so.
- *weight of a signal*: what was judged benign says little for any entity up to where it was judged, see
  `socml.models.signals`. What memory takes is not weighed besides: a label would count twice.

A verdict on one reason teaches of that family alone, and counts on its own day too: the rest of the row is still to judge.
What a rule «always benign when …» takes says nothing at all.

What stands after n labels is a function of those labels alone: without one of them all is as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from socml.features import Column
from socml.labels import BenignRule
from socml.models import NEAR, DayEvidence, DayScores, Votes, fuse, numbered, rank_rows, spread

Floats = NDArray[np.float64]
Signal = tuple[str, int]  # role, and position of the column
KEPT = 0.3  # of the evidence, when it was judged before
GOES_ON = 0.8  # evidence above what was judged malicious, up to which it is the same campaign


@dataclass(frozen=True)
class Learned:
    """A day's list after the labels so far.

    Attributes
    ----------
    evidence, parts : shape (rows, families), as in `DayScores`
    score : shape (rows,)
    remembered : shape (rows, families): judged before, 1 benign, 2 malicious, 0 not judged or beyond what was
    silenced : shape (rows, families): whether a rule calls it benign
    """

    evidence: Floats
    parts: Floats
    score: Floats
    remembered: NDArray[np.int8]
    silenced: NDArray[np.bool_]

    def of(self, rows: NDArray[np.int64]) -> Learned:
        """Return the same of some rows alone."""
        return Learned(**{name: array[rows] for name, array in vars(self).items()})

    def spread(self, at: NDArray[np.int64], count: int) -> Learned:
        """Return the same of `count` rows, of which these are those at `at`: of the others all is 0."""
        return Learned(**{name: spread(array, at, count) for name, array in vars(self).items()})


@dataclass(frozen=True)
class Vote:
    """A part of a labelled row: how much a signal said there, its share of the row, the verdict."""

    evidence: float
    share: float
    malicious: bool


@dataclass
class DailyLearner:
    """What labels have taught. Feed it the days in order."""

    families: tuple[str, ...]
    by_signal: dict[Signal, list[Vote]] = field(default_factory=dict)
    _verdicts: list[tuple[float, bool]] = field(default_factory=list)
    _judged: dict[tuple[str, str, int], tuple[float, bool]] = field(default_factory=dict)

    def apply(
        self, scores: DayScores, *, labelled: Collection[int] = (), silenced: NDArray[np.bool_] | None = None
    ) -> Learned:
        """Return a day's list as the labels so far make it; `labelled` rows do not step back from themselves.

        `silenced`, of shape (rows, families), is what rules call benign.
        """
        remembered = self._remembered(scores, labelled)
        mask = np.zeros(scores.evidence.shape, dtype=bool) if silenced is None else silenced
        day = self._day_evidence(scores, remembered, mask)
        evidence = day.left(day.votes)
        parts, score = rank_rows(evidence, day.role)
        return Learned(evidence, parts, score, remembered, mask)

    def day_evidence(self, scores: DayScores, *, silenced: NDArray[np.bool_] | None = None) -> DayEvidence:
        """Return what is needed to re-rank a day by its own labels, before they are learned."""
        mask = np.zeros(scores.evidence.shape, dtype=bool) if silenced is None else silenced
        return self._day_evidence(scores, self._remembered(scores, ()), mask)

    def learn(
        self,
        scores: DayScores,
        verdicts: Mapping[int, bool],
        reasons: Mapping[tuple[int, str], bool] | None = None,
    ) -> None:
        """Take the verdicts on a day's rows: position of the row → whether it is malicious.

        `reasons` are those on one family of a row; there they stand above that on the row.
        """
        parts, score = fuse(scores.evidence)  # of the labelled rows alone: the others may not be there
        reasons = reasons or {}
        for row in sorted(verdicts):
            if score[row] <= 0:
                continue
            self._verdicts.append((1.0, verdicts[row]))
            for f in np.flatnonzero(parts[row] > 0).tolist():
                if (row, scores.families[f]) not in reasons:
                    self._learn_family(scores, row, f, float(parts[row, f] / score[row]), verdicts[row])
        for (row, family), malicious in sorted(reasons.items()):
            f = scores.families.index(family) if family in scores.families else -1
            if f >= 0 and scores.evidence[row, f] > 0:
                share = float(parts[row, f] / score[row])
                if row not in verdicts:
                    self._verdicts.append((share, malicious))
                self._learn_family(scores, row, f, share, malicious)

    def _learn_family(self, scores: DayScores, row: int, f: int, share: float, malicious: bool) -> None:
        signal = (str(scores.role[row]), int(scores.column[row, f]))
        subject, evidence = _subject(scores, row, f), float(scores.evidence[row, f])
        self.by_signal.setdefault(signal, []).append(Vote(evidence, share, malicious))
        before = self._judged.get(subject, (0.0, False))[0]
        self._judged[subject] = (max(before, evidence), malicious)

    def _remembered(self, scores: DayScores, labelled: Collection[int]) -> NDArray[np.int8]:
        remembered = np.zeros(scores.evidence.shape, np.int8)
        if not self._judged:
            return remembered
        for row, f in np.argwhere(scores.evidence > 0).tolist():
            judged, malicious = self._judged.get(_subject(scores, row, f), (-np.inf, False))
            if row not in labelled and scores.evidence[row, f] <= judged + (GOES_ON if malicious else NEAR):
                remembered[row, f] = 2 if malicious else 1
        return remembered

    def _day_evidence(
        self, scores: DayScores, remembered: NDArray[np.int8], silenced: NDArray[np.bool_]
    ) -> DayEvidence:
        roles = sorted(set(scores.role.tolist()))
        columns = int(scores.column.max(initial=-1)) + 1
        number = numbered(scores.role)
        signal = number[:, None] * columns + scores.column
        known = {(role, c): i * columns + c for i, role in enumerate(roles) for c in range(columns)}
        votes = [(known[key], vote) for key, of in sorted(self.by_signal.items()) if key in known for vote in of]
        return DayEvidence(
            evidence=scores.evidence,
            kept=np.where(silenced, 0.0, np.where(remembered > 0, KEPT, 1.0)),
            role=number,
            signal=signal,
            votes=Votes(
                signal=np.array([number for number, _ in votes], np.int64),
                evidence=np.array([vote.evidence for _, vote in votes], np.float64),
                vote=np.array([vote.share for _, vote in votes], np.float64),
                malicious=np.array([vote.malicious for _, vote in votes], np.bool_),
                total=np.array(
                    [sum(share for share, _ in self._verdicts), sum(share * bad for share, bad in self._verdicts)]
                ),
            ),
        )


def _subject(scores: DayScores, row: int, f: int) -> tuple[str, str, int]:
    return str(scores.role[row]), str(scores.entity[row]), int(f)


@dataclass(frozen=True)
class RuleHit:
    """One row that a rule takes a family of. `value` is in the column's unit."""

    day: date
    row: int
    role: str
    entity: str
    column: str
    value: float


def silenced(scores: DayScores, columns: Sequence[Column], rules: Sequence[BenignRule]) -> NDArray[np.bool_]:
    """Return shape (rows, families): what the rules that hold on the day call benign."""
    mask = np.zeros(scores.evidence.shape, dtype=bool)
    for rule in rules:
        if rule.holds(scores.day):
            for hit in hits(scores, columns, rule):
                mask[hit.row, scores.families.index(rule.family)] = True
    return mask


def hits(scores: DayScores, columns: Sequence[Column], rule: BenignRule) -> list[RuleHit]:
    """Return the rows of a day that a rule takes something of, whether or not it is on."""
    if rule.family not in scores.families:
        return []
    f = scores.families.index(rule.family)
    found = []
    for row in np.flatnonzero(scores.evidence[:, f] > 0).tolist():
        role, entity, c = str(scores.role[row]), str(scores.entity[row]), int(scores.column[row, f])
        name, value = columns[c].name, float(scores.values[row, c])
        if rule.takes(role=role, entity=entity, family=rule.family, column=name, value=round(value, 6)):
            found.append(RuleHit(scores.day, row, role, entity, name, value))
    return found
