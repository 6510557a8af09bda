"""A board, a strategy and who holds what → the rows in review order, to look at or for one analyst alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.labels import LabelEvent, LabelStore
from socml.project import is_own
from socml.review.offers import dealt, offers_again
from socml.review.ranking_state import WATCHED, RankingState
from socml.review.review_queue import as_contract, choose_rows, queue_table


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
