"""A queue, labelled rows that deserve a second look, and who holds what → the rows that one analyst is offered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from socml.labels import LabelEvent, SecondLook

LEASE_S = 600.0  # longer than an analyst looks at one event; the app renews it while somebody is there
SHARE = 0.1  # of labels that are given twice, and of suggestions that are checked
FIRST, EVERY = 4, 10  # places of the queue that second looks get, when there are any


class Offer(NamedTuple):
    """A labelled row that is offered again: why, and its newest label."""

    row_id: str
    reason: str
    last_label_id: int


def offers_again(
    labels: Sequence[LabelEvent], waiting: Iterable[SecondLook], by: str, *, share: float = SHARE
) -> list[Offer]:
    """Return the labelled rows that `by` should look at: likely errors, then a share of the rest.

    A tenth of the rows that another has labelled, for the agreement between analysts, and a tenth of the
    suggestions, to know how often they are right. Which rows is a function of their ids alone, so that no
    one's choice, and nothing about the row, is in it.

    Parameters
    ----------
    labels : every label that stands, in the order given
    waiting : second looks that were asked for
    """
    newest: dict[str, int] = {}
    given: dict[str, list[LabelEvent]] = {}
    for label in labels:
        newest[label.row_id] = max(label.id, newest.get(label.row_id, 0))
        given.setdefault(label.row_id, []).append(label)
    offered = [Offer(look.row_id, look.reason, newest[look.row_id]) for look in waiting if look.row_id in newest]
    offered_rows = {offer.row_id for offer in offered}
    for row_id, its in given.items():
        if row_id in offered_rows or not is_drawn(row_id, share):
            continue
        own = {label.by for label in its if not label.suggested}
        if not own:
            offered.append(Offer(row_id, "check-suggestion", newest[row_id]))
        elif len(own) == 1 and by not in own and its[-1].verdict != "skip":
            offered.append(Offer(row_id, "second-opinion", newest[row_id]))
    return offered


def is_drawn(row_id: str, share: float = SHARE) -> bool:
    """Say whether a row is among the share of rows that is looked at twice."""
    lot = int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=8, key=b"second look").digest(), "big")
    return lot < share * 2**64


def dealt(queue: Sequence[str], again: Sequence[str]) -> list[str]:
    """Return rows of the queue with those of `again` dealt among them, one in ten; the rest at the end.

    Examples
    --------
    >>> dealt(list("abcdefg"), ["X"])
    ['a', 'b', 'c', 'd', 'X', 'e', 'f', 'g']
    """
    order, more = list(queue), list(again)
    place = FIRST
    while more and place <= len(order):
        order.insert(place, more.pop(0))
        place += EVERY
    return order + more
