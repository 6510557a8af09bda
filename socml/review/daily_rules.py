"""Rules «always benign when …» and a day's scores → which families of which rows they take out of the list, and what they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from socml.features import Column
from socml.labels import BenignRule
from socml.models import DayScores


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
