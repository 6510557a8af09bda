"""A ranking, a strategy and who holds what → the rows in review order, to look at or for one analyst alone, second looks among them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.labels import LabelEvent, LabelStore, SecondLook
from socml.project import is_own
from socml.review.ranking_state import WATCHED, RankingState
from socml.review.review_queue import as_contract, choose_rows, queue_table

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


class Queues:
    """The queues of one run for one analyst, and why each row was in the last one it was in.

    With `only`, of each candidate whether it fits what the analyst looks for, the others are in no queue.
    """

    def __init__(
        self,
        board: RankingState,
        *,
        dataset: str,
        by: str,
        strategy: str,
        seed: int,
        parameters: Mapping[str, object],
        only: NDArray[np.bool_] | None = None,
    ) -> None:
        self._ranking, self.dataset, self.by, self._only = board, dataset, by, only
        self.strategy, self.seed, self.parameters = strategy, seed, dict(parameters)
        self._shown: dict[str, str] = {}
        self._last: tuple[tuple[str, int, int], pd.DataFrame] | None = None

    def first(self, n: int) -> pd.DataFrame:
        """Return the first `n` rows by the strategy, by contract `QUEUE`."""
        queue = self._built(n)
        self._shown |= dict(zip(queue["row_id"], queue["reason"], strict=True))
        return queue

    def offered(
        self, n: int, store: LabelStore, standing: Sequence[LabelEvent], *, keep: Collection[str] | None, seconds: float
    ) -> pd.DataFrame:
        """Return `n` rows that are leased to the analyst, second looks dealt among them, by contract `QUEUE`."""
        others = sum(lease.by != self.by for lease in store.leases.held(campaign=self.dataset))
        queue = self._built(max(n + others, WATCHED))  # what moves are counted among is built anyhow
        again = {o.row_id: o for o in offers_again(standing, store.second_looks.waiting(dataset=self.dataset), self.by)}
        here = self._ranking.rows_of(again)
        there = [row >= 0 and (self._only is None or self._only[row]) for row in here.tolist()]
        again = {row_id: offer for (row_id, offer), is_there in zip(again.items(), there, strict=True) if is_there}
        leases = store.leases.claim(
            dealt(queue["row_id"].to_list(), list(again)),
            by=self.by,
            n=n,
            seconds=seconds,
            campaign=self.dataset,
            dataset=self.dataset,
            again={row_id: offer.last_label_id for row_id, offer in again.items()},
            keep=keep,
        )
        reasons = dict(zip(queue["row_id"], queue["reason"], strict=True))
        reasons |= {row_id: offer.reason for row_id, offer in again.items()}
        rows = [lease.row_id for lease in leases]
        self._shown |= {row_id: reasons[row_id] for row_id in rows}
        score = self._ranking.candidates["ranking_score"].to_numpy()[self._ranking.rows_of(rows)]
        return queue_table(rows, [reasons[row_id] for row_id in rows], score)

    def why(self, row_id: str) -> dict[str, object]:
        """Return the fields of a label that say why its row was in the queue; none if it was in no queue.

        A row that was drawn at random was drawn from the rows that are open now, each as likely as another; one drawn
        from those that fit a filter says nothing of the others.
        """
        reason = self._shown.get(row_id)
        if reason is None:
            return {}
        drawn = {"inclusion_probability": 1.0 / max(int(self._ranking.is_open.sum()), 1)}
        return {
            "queue_reason": reason,
            "strategy": self.strategy,
            **(drawn if reason == "random-audit" and self._only is None else {}),
        }

    def _built(self, n: int) -> pd.DataFrame:
        """Return the queue of `n` rows; the last is kept as long as the ranking is the same."""
        of = (self.strategy, n, self._ranking.version)
        if self._last is None or self._last[0] != of:
            self._last = (of, self._chosen(n))
        return self._last[1]

    def _chosen(self, n: int) -> pd.DataFrame:
        board = self._ranking
        candidates, seen, predictions = board.candidates, board.seen, board.predictions
        if self._only is not None:
            candidates, seen = candidates[self._only], seen[self._only[seen.index]]
        if is_own("strategies", self.strategy):  # it was promised an index of names
            names = pd.Index(board.ids.names(range(len(board.candidates))), dtype=object, name="row_id")
            candidates = candidates.set_axis(names[candidates.index])
            seen = seen.set_axis(names[seen.index])
            predictions = None if predictions is None else predictions.set_axis(names)
        chosen = choose_rows(
            candidates, seen, strategy=self.strategy, budget=n, seed=self.seed, parameters=self.parameters,
            predictions=predictions,
        )  # fmt: skip
        own = is_own("strategies", self.strategy)
        return as_contract(chosen, candidates, chosen.index if own else board.ids.names(chosen.index.to_numpy()))

    def with_places(self, queue: pd.DataFrame) -> pd.DataFrame:
        """Return a queue with whom and when each row is about, its scores, and the places that it won or lost."""
        board = self._ranking
        rows = board.rows_of(queue["row_id"].to_list())
        known = board.about(rows)
        known = known.assign(moved=board.places_before(rows) - board.places_now(rows))
        placed: pd.DataFrame = pd.concat([queue, known.reset_index(drop=True)], axis=1)
        return placed
