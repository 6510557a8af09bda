"""What the label store keeps: one type a table, from whose fields its columns, its tables and its exports are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints


class LabelEvent(NamedTuple):
    """One record of the store as it stands there. An undo has `undo_of` and no verdict."""

    id: int
    time: datetime
    row_id: str
    event_id: str | None
    run_id: str | None
    dataset: str | None
    verdict: str | None
    reason: str | None
    family: str | None
    technique: str | None
    note: str | None
    by: str
    how: str | None
    client_id: str
    model_version: str | None
    seen_ms: int | None
    weight: float
    undo_of: int | None
    queue_reason: str | None = None
    strategy: str | None = None
    batch_id: str | None = None
    inclusion_probability: float | None = None
    suggested: bool = False
    given_at: datetime | None = None


class Lease(NamedTuple):
    """A row of a campaign that `by` has before them until `expires`."""

    campaign: str
    row_id: str
    by: str
    since: datetime
    expires: datetime


class FamilyEdit(NamedTuple):
    """One edit of a family as it stands in the store.

    Attributes
    ----------
    kind : rename (into a new name), merge (into a family that exists), split (some rows into a new family),
        swap (what was malicious becomes benign, and the other way round)
    row_ids : the rows that a split takes out
    last_label_id : the newest label it holds for
    undo_of : the edit that this one takes back
    """

    id: int
    time: datetime
    dataset: str | None
    kind: str | None
    family: str | None
    into: str | None
    row_ids: frozenset[str]
    last_label_id: int
    by: str
    client_id: str
    undo_of: int | None

    def touches(self, label: LabelEvent) -> bool:
        """Say whether a label, as earlier edits left it, is changed by this one."""
        if label.id > self.last_label_id or label.family != self.family:
            return False
        if self.dataset and label.dataset and label.dataset != self.dataset:
            return False
        return self.kind != "split" or label.row_id in self.row_ids


class SecondLook(NamedTuple):
    """A row to be looked at again: why, how probable it is that its label is wrong, and its newest label then."""

    id: int
    time: datetime
    dataset: str | None
    row_id: str
    reason: str
    probability: float | None
    last_label_id: int
    by: str
    client_id: str


class Entry(NamedTuple):
    """One thing that was done beside labelling.

    Attributes
    ----------
    kind : what, as `case.opened` or `rule.paused`
    subject : on what: the id of a case or rule, a row, an account
    body : what more there is to say of it, as JSON holds it
    """

    id: int
    time: datetime
    kind: str
    subject: str
    dataset: str
    by: str
    client_id: str
    body: Mapping[str, Any]


def fields_of(record: type[NamedTuple]) -> dict[str, tuple[type, bool]]:
    """Return each field of a record: its type, and whether it may be missing.

    Examples
    --------
    >>> fields_of(Lease)["row_id"], fields_of(SecondLook)["probability"]
    ((<class 'str'>, False), (<class 'float'>, True))
    """
    return {name: _kind_and_missing(hint) for name, hint in get_type_hints(record).items()}


def _kind_and_missing(hint: object) -> tuple[type, bool]:
    origin = get_origin(hint)
    if origin in (frozenset, Mapping):
        return (frozenset if origin is frozenset else dict), False
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
    return kinds[0], len(get_args(hint)) > len(kinds)
