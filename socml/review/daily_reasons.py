"""A row of the daily list → why it is there, in words: by family, with what is usual and what it is about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from socml.features import Column
from socml.models import DayScores
from socml.project import Words, visible_line
from socml.review.daily_learning import Learned

BETWEEN = " · "  # names that a daily feature set lists; it keeps one more than NAMED, which says that there are others
NAMED = 5
_LONGEST = 200  # characters of names in a sentence


@dataclass(frozen=True)
class Reason:
    """One family's part in a row's score. The parts of a row sum to its score.

    `about` is what the value is about (a destination, a domain, an account); `peers` the share of the peers' days that
    reach it; `own_largest` the largest the entity had before, None if it has no history or the column counts what is new.
    What was below the column's floor counts as 0 in it.
    """

    family: str
    column: str
    value: float
    about: str
    part: float
    peers: float
    own_largest: float | None
    remembered: str  # "benign" or "malicious" if it was judged before, else empty

    def in_words(self, column: Column, say: Words) -> str:
        """Return the reason as a sentence, all text of it inert."""
        what = column.about_fr if say.language == "fr" else column.about
        parts = [say("daily.reason.value", value=_number(self.value, say), what=what)]
        if self.about:
            parts.append(say("daily.reason.about", about=names_in_words(self.about, say, longest=_LONGEST)))
        usual = [say("daily.reason.peers", share=_share(self.peers, say))]
        if self.own_largest is not None:
            key = "own" if self.own_largest > 0 else "under" if column.floor > 1 else "never"
            largest = self.own_largest or column.floor
            usual.append(say(f"daily.reason.{key}", value=_number(largest, say)))
        if self.remembered:
            usual.append(say(f"daily.reason.judged_{self.remembered}"))
        sentence = "".join(parts) + say("daily.reason.usual", usual=", ".join(usual))
        return say("daily.reason.sentence", family=say(f"daily.family.{self.family}"), text=sentence)


def reasons_of(
    scores: DayScores, learned: Learned, row: int, columns: tuple[Column, ...], about: dict[str, str]
) -> list[Reason]:
    """Return why a row is where it is, the largest part first; `about` says what the value of a column is about."""
    found = []
    for f in np.argsort(-learned.parts[row], kind="stable"):
        if learned.parts[row, f] <= 0:
            continue
        c = int(scores.column[row, f])
        has_history = scores.days_seen[row] > 0 and not columns[c].is_new
        found.append(
            Reason(
                family=scores.families[f],
                column=columns[c].name,
                value=float(scores.values[row, c]),
                about=about.get(columns[c].name, ""),
                part=float(learned.parts[row, f]),
                peers=float(scores.peers[row, c]),
                own_largest=float(scores.own_largest[row, c]) if has_history else None,
                remembered=("", "benign", "malicious")[int(learned.remembered[row, f])],
            )
        )
    return found


def names_in_words(about: str, say: Words, *, longest: int) -> str:
    """Return names cut after the last that fits into `longest` characters, and how many more there are; if not known, that there are.

    Examples
    --------
    >>> from socml.project import words
    >>> names_in_words("db1 · db2 · db3", words("en"), longest=9)
    'db1, db2 and 1 more'
    >>> names_in_words("a · b · c · d · e · f", words("en"), longest=60)
    'a, b, c, d, e and others'
    """
    names = visible_line(about).split(BETWEEN)
    named = names[:NAMED]
    while len(named) > 1 and len(", ".join(named)) > longest:
        named.pop()
    first = ", ".join(named)
    first = first if len(first) <= longest else first[: longest - 1] + "…"
    if len(named) == len(names):
        return first
    return f"{first} {say('today.others') if len(names) > NAMED else say('today.more', n=len(names) - len(named))}"


def at_least_named(about: str) -> tuple[int, bool]:
    """Return how many names are listed, and whether these are all.

    Examples
    --------
    >>> at_least_named("db1 · db2"), at_least_named("a · b · c · d · e · f")
    ((2, True), (6, False))
    """
    names = about.split(BETWEEN)
    return len(names), len(names) <= NAMED


def rarity_in_words(once_in: float, say: Words) -> str:
    """Return how rare a row is, rounded to one figure."""
    digits = 10 ** max(0, int(np.floor(np.log10(max(once_in, 1.0)))))
    return say("daily.rarity", n=say.number(round(once_in / digits) * digits))


def _number(value: float, say: Words) -> str:
    value = round(value, 6)  # back from the logarithm, 8 is 7.999999999
    if value >= 1e9:
        return say.number(value / 1e9, 1) + " G"
    if value >= 1e6:
        return say.number(value / 1e6, 1) + " M"
    return say.number(value, 0 if value == round(value) or value >= 100 else 2)


def _share(share: float, say: Words) -> str:
    if share >= 0.01:
        return say("daily.reason.in_hundred", n=say.number(100 * share))
    return say("daily.reason.in_many", n=say.number(round(1 / max(share, 1e-9))))
