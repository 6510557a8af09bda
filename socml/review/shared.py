"""A queue that several analysts share → rows that one of them alone has before them, by leases in the label store."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import pandas as pd

from socml.labels import CurrentLabels, LabelStore
from socml.review.offers import LEASE_S
from socml.review.queues import Queues
from socml.review.ranking_state import SHOWN


class Shared:
    """The part of a triage that is about who has what before them."""

    by: str
    dataset: str
    _lock: threading.RLock
    _queues: Queues
    _current: CurrentLabels
    _store: LabelStore

    def offer(self, n: int = SHOWN, *, keep: Collection[str] | None = None, seconds: float = LEASE_S) -> pd.DataFrame:
        """Return the first `n` rows for this analyst alone: nobody else is offered them while the lease runs.

        Among them are rows that were labelled already and deserve a second look. A row is free again when it
        is labelled, when `seconds` have passed, and when it is neither offered nor in `keep` the next time.

        Returns
        -------
        DataFrame as of `queue`; the reason of a second look is likely-error, second-opinion or check-suggestion
        """
        with self._lock:
            return self._queues.with_places(self._offered(n, keep, seconds))

    def offer_reasons(
        self, n: int = SHOWN, *, keep: Collection[str] | None = None, seconds: float = LEASE_S
    ) -> pd.Series:
        """Return why each row is there that `offer` would return, index row_id in their order; it takes them as `offer` does."""
        with self._lock:
            return self._offered(n, keep, seconds).set_index("row_id")["reason"]

    def _offered(self, n: int, keep: Collection[str] | None, seconds: float) -> pd.DataFrame:
        return self._queues.offered(n, self._store, self._current.standing(), keep=keep, seconds=seconds)

    def hold(self, row_ids: Sequence[str], *, seconds: float = LEASE_S) -> None:
        """Take rows that are looked at from outside the queue, so far as nobody else has them before them."""
        if row_ids:
            self._store.leases.claim(
                row_ids, by=self.by, n=len(row_ids), seconds=seconds, campaign=self.dataset, dataset=self.dataset
            )

    def leave(self) -> None:
        """Give back every row that this analyst was offered."""
        self._store.leases.release(by=self.by, campaign=self.dataset)

    def held_by_others(self) -> dict[str, str]:
        """Return who else has which row before them now."""
        leases = self._store.leases.held(campaign=self.dataset)
        return {lease.row_id: lease.by for lease in leases if lease.by != self.by}
