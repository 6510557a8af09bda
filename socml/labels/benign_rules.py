"""«Always benign when …» → a rule that an analyst owns: whom, which family, up to what, and until when.

A rule ends by itself on its date, can be paused and undone, and applies to the past days of a list as to the coming ones.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from socml.labels.journal import Journal
from socml.labels.records import Entry
from socml.project import DataError, Sentence, UnknownName

STATES = ("on", "paused", "undone")
_CHANGES = {"rule.paused": "paused", "rule.resumed": "on", "rule.undone": "undone"}


@dataclass(frozen=True)
class BenignRule:
    """One rule as it stands.

    Attributes
    ----------
    entity : whom it is about; empty: everyone of the role
    role : "source inside" and so on; empty: any
    family : of behaviour
    column : the measure that `low` and `high` are of; empty: whichever speaks for the family
    low, high : the values that are benign, both included; None: without end
    until : the last day on which it holds; None: until it is undone
    why, by : its reason and its owner
    state : on, paused or undone
    """

    id: str
    dataset: str
    family: str
    entity: str = ""
    role: str = ""
    column: str = ""
    low: float | None = None
    high: float | None = None
    until: date | None = None
    why: str = ""
    by: str = ""
    state: str = "on"
    made: datetime | None = None

    def holds(self, day: date) -> bool:
        """Say whether the rule is on and holds on a day."""
        return self.state == "on" and (self.until is None or day <= self.until)

    def takes(self, *, role: str, entity: str, family: str, column: str, value: float) -> bool:
        """Say whether a value of a family is what the rule calls benign.

        Examples
        --------
        >>> rule = BenignRule("r", "d", "scan", entity="10.0.0.1", high=230)
        >>> [rule.takes(role="source inside", entity=e, family="scan", column="c", value=v)
        ...  for e, v in (("10.0.0.1", 230), ("10.0.0.1", 231), ("10.0.0.2", 1))]
        [True, False, False]
        """
        return (
            family == self.family
            and self.entity in ("", entity)
            and self.role in ("", role)
            and self.column in ("", column)
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
        )


class BenignRules:
    """The rules of one store."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def make(self, rule: BenignRule, *, by: str, client_id: str = "") -> BenignRule:
        """Store a rule and return it with its id and owner; one that says what a rule in force says is that rule.

        Raises
        ------
        DataError
            If it would take everything of everyone, or its range is empty.
        """
        if not rule.family or not rule.dataset:
            raise DataError("A rule is about a family of one dataset.")
        if not rule.entity and rule.high is None:
            raise DataError(Sentence("error.rule.unbounded"))
        if rule.low is not None and rule.high is not None and rule.low > rule.high:
            raise DataError(Sentence("error.rule.empty", low=f"{rule.low:g}", high=f"{rule.high:g}"))
        alike = replace(rule, id="", why="", by="", state="on", made=None)
        for one in self.standing(dataset=rule.dataset):
            if not rule.id and replace(one, id="", why="", by="", made=None) == alike:
                return one
        body = {
            name: value for name, value in asdict(rule).items() if name not in ("id", "by", "state", "made", "dataset")
        }
        body["until"] = rule.until.isoformat() if rule.until else None
        entry = self._journal.add(
            "rule.made", rule.id or uuid.uuid4().hex[:12], body, by=by, client_id=client_id, dataset=rule.dataset
        )
        return _made(entry)

    def pause(self, rule_id: str, *, by: str) -> None:
        """Let a rule rest."""
        self._change("rule.paused", rule_id, by)

    def resume(self, rule_id: str, *, by: str) -> None:
        """Let a paused rule hold again."""
        self._change("rule.resumed", rule_id, by)

    def undo(self, rule_id: str, *, by: str) -> None:
        """Take a rule back: the list is as if it had never been."""
        self._change("rule.undone", rule_id, by)

    def all(self, *, dataset: str = "") -> list[BenignRule]:
        """Return every rule with its state, the newest first."""
        return list(_folded(self._journal.entries("rule.", dataset=dataset)).values())[::-1]

    def standing(self, *, dataset: str) -> list[BenignRule]:
        """Return the rules that are on, whatever the day."""
        return [rule for rule in self.all(dataset=dataset) if rule.state == "on"]

    def _change(self, kind: str, rule_id: str, by: str) -> None:
        known = {rule.id: rule for rule in self.all()}
        if rule_id not in known:
            raise UnknownName("rule", rule_id, list(known))
        if known[rule_id].state == "undone":
            raise DataError(Sentence("error.rule.taken_back", rule=rule_id))
        self._journal.add(kind, rule_id, by=by, dataset=known[rule_id].dataset)


def _folded(entries: Iterable[Entry]) -> dict[str, BenignRule]:
    rules: dict[str, BenignRule] = {}
    for entry in entries:
        if entry.kind == "rule.made":
            rules[entry.subject] = _made(entry)
        elif entry.kind in _CHANGES and entry.subject in rules:
            rules[entry.subject] = replace(rules[entry.subject], state=_CHANGES[entry.kind])
    return rules


def _made(entry: Entry) -> BenignRule:
    body: dict[str, Any] = dict(entry.body)
    until = body.pop("until", None)
    return BenignRule(
        id=entry.subject,
        dataset=entry.dataset,
        by=entry.by,
        made=entry.time,
        until=date.fromisoformat(until) if until else None,
        **body,
    )
