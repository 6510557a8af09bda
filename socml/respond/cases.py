"""What belongs to one incident → a case: owner, state, rows, entities, notes, checklist, time line; folded from the journal.

Nothing of a case is ever changed: each change is an entry that says who did it and when, so the time line is the audit.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from socml.labels import Entry, LabelStore
from socml.project import DataError, Sentence, UnknownName

STATES = ("open", "working", "contained", "closed")
OUTCOMES = ("", "malicious", "benign", "false_alarm", "unsure")
TLPS = ("clear", "green", "amber", "amber+strict", "red")
CHECKLIST = ("scope", "contain", "evidence", "inform", "eradicate", "recover", "lessons")
# no changes of the case: what leaves of it stays the same
_ATTEMPTS = {"response.begun", "response.not_sent", "response.undo_begun", "response.not_undone"}
_TECHNIQUE = re.compile(r"T[0-9]{4}(\.[0-9]{3})?")
_LONGEST = {"title": 200, "note": 20_000, "entity": 500, "line": 2_000, "owner": 60}


@dataclass(frozen=True)
class CaseRow:
    """A row of the daily list, with the sentence that stood beside it when it was put into the case.

    Attributes
    ----------
    line : the sentence, in the language of who put it there
    lines : language → the same sentence; empty for rows of before there were several
    """

    row_id: str
    day: str
    entity: str
    role: str
    line: str
    families: tuple[str, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict, hash=False)

    def line_in(self, language: str) -> str:
        """Return the sentence in a language, as it stands if it is not known in that one."""
        return self.lines.get(language, self.line)


@dataclass(frozen=True)
class Note:
    """What somebody wrote, and when."""

    time: datetime
    by: str
    text: str


@dataclass(frozen=True)
class Sent:
    """A response that left: to which responder, what the other side calls it, and whether it was taken back.

    `undo_begun` counts the times that somebody tried to and nobody knows whether it is gone.
    """

    id: str
    time: datetime
    by: str
    responder: str
    target: str
    reference: str
    digest: str
    undone: bool = False
    undo_begun: int = 0


@dataclass(frozen=True)
class Begun:
    """A response of which nobody knows whether it left: what sent it died, or the other side never answered."""

    id: str
    time: datetime
    by: str
    responder: str
    target: str


@dataclass(frozen=True)
class Case:
    """One case as it stands.

    Attributes
    ----------
    severity : 1 low to 4 critical
    tlp : traffic light protocol 2.0: how far it may be passed on
    outcome : what it turned out to be, empty while nobody said
    done : items of the checklist that are done
    begun : responses that may have left
    timeline : every change, the oldest first
    """

    id: str
    title: str
    dataset: str
    by: str
    opened: datetime
    state: str = "open"
    owner: str = ""
    severity: int = 2
    tlp: str = "amber"
    outcome: str = ""
    techniques: tuple[str, ...] = ()
    rows: tuple[CaseRow, ...] = ()
    entities: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    done: frozenset[str] = frozenset()
    sent: tuple[Sent, ...] = ()
    begun: tuple[Begun, ...] = ()
    timeline: tuple[Entry, ...] = ()

    @property
    def changed(self) -> datetime:
        """When anything of it changed last."""
        return self.timeline[-1].time if self.timeline else self.opened

    @property
    def families(self) -> frozenset[str]:
        """Families of behaviour of its rows."""
        return frozenset(family for row in self.rows for family in row.families)

    def in_language(self, language: str) -> Case:
        """Return the case with the sentences of its rows in a language, where they are known in it."""
        return replace(self, rows=tuple(replace(row, line=row.line_in(language)) for row in self.rows))


class Cases:
    """The cases of one label store.

    Examples
    --------
    >>> with LabelStore("sqlite://") as store:
    ...     cases = Cases(store)
    ...     case = cases.open("Scan of the servers", by="ana", dataset="office")
    ...     case = cases.add_row(case.id, CaseRow("r1", "2026-03-03", "10.0.0.1", "source inside", "22 tried"), by="ana")
    ...     case = cases.change(case.id, by="bo", state="working", owner="bo")
    ...     (case.state, case.owner, case.entities, [entry.kind for entry in case.timeline])
    ('working', 'bo', ('10.0.0.1',), ['case.opened', 'case.row_added', 'case.changed'])
    """

    def __init__(self, store: LabelStore) -> None:
        self._journal = store.journal

    def open(
        self, title: str, *, by: str, dataset: str = "", client_id: str = "", severity: int = 2, tlp: str = "amber"
    ) -> Case:
        """Open a case and return it; its owner is who opened it."""
        _check("title", title)
        _check_change({"severity": severity, "tlp": tlp})
        if not title.strip():
            raise DataError(Sentence("error.case.title"))
        body = {"title": title, "owner": by, "severity": severity, "tlp": tlp}
        entry = self._journal.add("case.opened", _new_id, body, by=by, client_id=client_id, dataset=dataset)
        return self.get(entry.subject)

    def change(self, case_id: str, *, by: str, **fields: object) -> Case:
        """Change title, state, owner, severity, tlp, outcome or techniques.

        Raises
        ------
        UnknownName, DataError
        """
        _check_change(fields)
        return self._add(
            "case.changed", case_id, {n: list(v) if isinstance(v, tuple) else v for n, v in fields.items()}, by
        )

    def note(self, case_id: str, text: str, *, by: str, client_id: str = "") -> Case:
        """Write a note."""
        _check("note", text)
        return self._add("case.noted", case_id, {"text": text}, by, client_id)

    def add_row(self, case_id: str, row: CaseRow, *, by: str, client_id: str = "") -> Case:
        """Put a row of the daily list into the case, and its entity with it."""
        _check("entity", row.entity)
        most = _LONGEST["line"]
        lines = {language: line[:most] for language, line in row.lines.items()}
        body = {**vars(row), "families": list(row.families), "line": row.line[:most], "lines": lines}
        return self._add("case.row_added", case_id, body, by, client_id)

    def remove_row(self, case_id: str, row_id: str, *, by: str) -> Case:
        """Take a row out of the case again."""
        return self._add("case.row_removed", case_id, {"row_id": row_id}, by)

    def add_entity(self, case_id: str, entity: str, *, by: str) -> Case:
        """Put an address, host, account or domain into the case."""
        _check("entity", entity)
        return self._add("case.entity_added", case_id, {"entity": entity}, by)

    def check(self, case_id: str, item: str, *, done: bool, by: str) -> Case:
        """Tick an item of the checklist, or untick it."""
        if item not in CHECKLIST:
            raise UnknownName("item of the checklist", item, CHECKLIST)
        return self._add("case.checked", case_id, {"item": item, "done": done}, by)

    def get(self, case_id: str) -> Case:
        """Return a case.

        Raises
        ------
        UnknownName
            If there is none of that id.
        """
        found = self.find(case_id)
        if found is None:
            raise UnknownName("case", case_id, list(self._folded()))
        return found

    def find(self, case_id: str) -> Case | None:
        """Return a case; None if there is none of that id."""
        if not case_id or not case_id.isprintable():  # a NUL or half a letter, which no database is asked for
            return None
        return self._folded(case_id).get(case_id)

    def all(self) -> list[Case]:
        """Return every case, the one that changed last first."""
        return sorted(self._folded().values(), key=lambda case: case.changed, reverse=True)

    def similar(self, case: Case, *, n: int = 5) -> list[tuple[Case, float]]:
        """Return the cases most like one, with how much they share of entities, families and techniques, 0 to 1."""
        mine = _marks(case)
        others = [(other, _jaccard(mine, _marks(other))) for other in self.all() if other.id != case.id]
        return sorted([pair for pair in others if pair[1] > 0], key=lambda pair: -pair[1])[:n]

    def _folded(self, case_id: str = "") -> dict[str, Case]:
        """Return the cases by their ids, or one alone: of thousands, the others are not read for it."""
        return _folded(self._journal.entries("case.", "response.", subject=case_id))

    def _add(self, kind: str, case_id: str, body: dict[str, object], by: str, client_id: str = "") -> Case:
        case = self.get(case_id)
        self._journal.add(kind, case_id, body, by=by, client_id=client_id, dataset=case.dataset)
        return self.get(case_id)


@dataclass
class _Fold:
    case: Case
    rows: dict[str, CaseRow] = field(default_factory=dict)
    entities: dict[str, None] = field(default_factory=dict)


def _folded(entries: Iterable[Entry]) -> dict[str, Case]:
    folds: dict[str, _Fold] = {}
    for entry in entries:
        if entry.kind == "case.opened":
            body = entry.body
            case = Case(
                entry.subject, str(body["title"]), entry.dataset, entry.by, entry.time, owner=str(body["owner"])
            )
            case = replace(case, severity=int(body.get("severity", 2)), tlp=str(body.get("tlp", "amber")))
            folds[entry.subject] = _Fold(replace(case, timeline=(entry,)))
        elif entry.subject in folds:
            fold = folds[entry.subject]
            _apply(entry, fold)
            if entry.kind not in _ATTEMPTS:
                fold.case = replace(fold.case, timeline=(*fold.case.timeline, entry))
    return {
        case_id: replace(fold.case, rows=tuple(fold.rows.values()), entities=tuple(fold.entities))
        for case_id, fold in folds.items()
    }


def _apply(entry: Entry, fold: _Fold) -> None:
    case, body = fold.case, entry.body
    if entry.kind == "case.changed":
        values: dict[str, Any] = {n: tuple(v) if n == "techniques" else v for n, v in body.items()}
        fold.case = replace(case, **values)
    elif entry.kind == "case.noted":
        fold.case = replace(case, notes=(*case.notes, Note(entry.time, entry.by, str(body["text"]))))
    elif entry.kind == "case.row_added":
        row = CaseRow(**{**body, "families": tuple(body.get("families", ()))})
        fold.rows[row.row_id] = row
        fold.entities[row.entity] = None
    elif entry.kind == "case.row_removed":
        fold.rows.pop(str(body["row_id"]), None)
    elif entry.kind == "case.entity_added":
        fold.entities[str(body["entity"])] = None
    elif entry.kind == "case.checked":
        item = frozenset([str(body["item"])])
        fold.case = replace(case, done=case.done | item if body["done"] else case.done - item)
    else:
        fold.case = _responded(entry, case)


def _responded(entry: Entry, case: Case) -> Case:
    """Return a case after an entry about a response; the same after one of another kind."""
    body = entry.body
    if entry.kind == "response.begun":
        begun = Begun(entry.client_id, entry.time, entry.by, str(body["responder"]), str(body["target"]))
        return replace(case, begun=(*case.begun, begun))
    if entry.kind == "response.not_sent":
        return replace(case, begun=tuple(begun for begun in case.begun if begun.id != body["of"]))
    if entry.kind in ("response.undone", "response.undo_begun", "response.not_undone"):
        return replace(case, sent=tuple(_undone(s, entry.kind) if s.id == body["of"] else s for s in case.sent))
    if entry.kind == "response.sent":
        responder, target, reference, digest = (
            str(body.get(name, "")) for name in ("responder", "target", "reference", "digest")
        )
        one = Sent(entry.client_id, entry.time, entry.by, responder, target, reference, digest)
        left = tuple(begun for begun in case.begun if begun.responder != responder)
        return replace(case, sent=(*case.sent, one), begun=left)
    return case


def _undone(sent: Sent, kind: str) -> Sent:
    """Return a response after somebody began to take it back, surely did not, or did."""
    if kind == "response.undone":
        return replace(sent, undone=True, undo_begun=0)
    return replace(sent, undo_begun=sent.undo_begun + (1 if kind == "response.undo_begun" else -1))


def _check_change(fields: Mapping[str, object]) -> None:
    known = {"title", "state", "owner", "severity", "tlp", "outcome", "techniques"}
    for name, value in fields.items():
        if name not in known:
            raise UnknownName("field of a case", name, known)
        for of, choices in (("state", STATES), ("tlp", TLPS), ("outcome", OUTCOMES)):
            if name == of and value not in choices:
                raise UnknownName(of, str(value), choices)
        if name == "severity" and value not in (1, 2, 3, 4):
            raise DataError(f"severity is {value!r}; write 1 (low) to 4 (critical).")
        if name in _LONGEST:
            _check(name, value)
        if name == "techniques":
            _check_techniques(value)


def _check_techniques(value: object) -> None:
    if not isinstance(value, list | tuple):
        raise DataError(f"techniques is {value!r}; write a list of ATT&CK ids such as T1046.")
    for technique in value:
        if not isinstance(technique, str) or not _TECHNIQUE.fullmatch(technique):
            raise DataError(Sentence("error.case.technique", technique=technique))


def _check(name: str, text: object) -> None:
    if not isinstance(text, str) or len(text) > _LONGEST[name]:
        raise DataError(Sentence("error.case.long", field=name, most=_LONGEST[name]))


def _new_id(known: set[str]) -> str:
    number = 1 + max((int(one[1:]) for one in known if one[1:].isdigit()), default=0)
    wanted = f"C{number}"
    return wanted if wanted not in known else f"C-{uuid.uuid4().hex[:8]}"


def _marks(case: Case) -> frozenset[str]:
    techniques: Sequence[str] = case.techniques
    return frozenset([*case.entities, *(f"family {f}" for f in case.families), *techniques])


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
