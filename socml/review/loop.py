"""The loop on one page: label → learn → rank → queue, for one analyst on one scoring run.

1. `Triage.label` records a verdict in the label store; only what is stored counts.
2. `Triage.refresh` reads what the store has new, by anyone, and `LiveRanking` folds it into the current labels.
3. `RankingState.update` ranks every row anew from what the labels teach (`feedback`), or from a supervised forest once
   it is measurably better (`supervised_ranker`).
4. `Triage.queue` lets a strategy (`strategies/`) choose the next rows to look at.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.labels import Acknowledgement, LabelEvent, LabelStore, NewLabel, open_labels
from socml.project import DataError, Project
from socml.review.live_ranking import Effect, LiveRanking
from socml.review.propagation import ALIKE, WEIGHT, SimilarRows, similar_rows, suggestions
from socml.review.queues import LEASE_S, Queues
from socml.review.ranking_state import SHOWN, Moves
from socml.review.review_queue import reads_predictions

EFFECT = [field.name for field in fields(Effect)]


class Triage:
    """A scoring run under review by one analyst. Threads may share it.

    The ranking is a function of the run and of the labels in the store, in their order: another process
    that opens the same run sees the same queue, to the last bit, and an undo restores the earlier one.

    Parameters
    ----------
    run_id : a folder of `workspace/scores`; the newest if empty
    by : who gives the verdicts
    strategy, seed, parameters : how the queue is chosen; a file in `socml/strategies/`
    store : a label store to use instead of the project's (it is not closed with the triage)
    matrix : the rows as numbers, in the order of the score table; by the run's features and model if not given
    wait : False: what a supervised forest thinks is worked out beside, and comes when it is there
    ranking : one that other analysts of this process look at too, instead of one of its own; it names the run, and
        `project`, `matrix` and `wait` are its own
    only : of each candidate whether it may be in the queue, as `rows_that_fit` says; all may if not given

    Attributes
    ----------
    run, dataset : what `run.json` says, and which dataset the run is of: labels and leases are shared in it

    Raises
    ------
    UnknownName, DataError
        If there is no such run.
    """

    def __init__(
        self,
        run_id: str = "",
        *,
        project: Project | None = None,
        by: str = "analyst",
        strategy: str = "most-anomalous",
        seed: int = 0,
        parameters: Mapping[str, object] | None = None,
        store: LabelStore | None = None,
        matrix: NDArray[np.floating] | None = None,
        wait: bool = True,
        ranking: LiveRanking | None = None,
        only: NDArray[np.bool_] | None = None,
    ) -> None:
        self._live = ranking or LiveRanking(run_id, project=project, matrix=matrix, wait=wait, seed=seed)
        self.project, self.run, self.dataset = self._live.project, self._live.run, self._live.dataset
        self.by = by
        self._lock, self._ranking, self._current = self._live.lock, self._live.state, self._live.labels
        self._queues = Queues(
            self._ranking,
            dataset=self.dataset,
            by=by,
            strategy=strategy,
            seed=seed,
            parameters=parameters or {},
            only=only,
        )
        self._owns_store = store is None
        self._store = store or open_labels(self.project)
        with self._lock:
            if reads_predictions(strategy) and not self._live.reads_predictions:
                self._live.reads_predictions = True
                self._live.learn_again()
            self.refresh()

    def __enter__(self) -> Triage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the label store, if it was opened here."""
        if self._owns_store:
            self._store.close()

    @property
    def scores(self) -> pd.DataFrame:
        """The scores as the run wrote them, index row_id; made when first asked for."""
        return self._ranking.scores

    def has(self, row_id: str) -> bool:
        """Say whether the run has this row."""
        with self._lock:
            return row_id in self._ranking.ids

    def row_ids_from(self, start: str) -> list[str]:
        """Return the ids that begin with a text."""
        with self._lock:
            return self._ranking.ids.starting_with(start)

    def about(self, row_ids: Sequence[str]) -> pd.DataFrame:
        """Return entity, time, anomaly_score, percentile and rank of rows, index row_id; rows of another run are left out."""
        with self._lock:
            rows = self._ranking.rows_of(row_ids)
            names = pd.Index(np.asarray(row_ids, dtype=object)[rows >= 0], name="row_id")
            return self._ranking.about(rows[rows >= 0]).set_axis(names)

    def queue(self, n: int = SHOWN) -> pd.DataFrame:
        """Return the first `n` rows to look at; a labelled row is never among them.

        Returns
        -------
        DataFrame of contract `tables.QUEUE`, and entity, time, anomaly_score, percentile, rank (without
        labels, 1 is the most anomalous) and moved: places won (positive) or lost by what was learnt.
        """
        with self._lock:
            return self._queues.with_places(self._queues.first(n))

    def queue_reasons(self, n: int = SHOWN) -> pd.Series:
        """Return why each of the first `n` rows to look at is there, index row_id in their order: `queue`, and quick."""
        with self._lock:
            return self._queues.first(n).set_index("row_id")["reason"]

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

    def label(self, row_id: str, verdict: str, *, client_id: str = "", **details: object) -> Acknowledgement:
        """Record a verdict, learn from it and re-rank.

        Parameters
        ----------
        client_id : made by whoever sends it, once a decision; sending it again stores nothing
        details : reason, family, technique, note, how (default "key"), seen_ms, weight; see `NewLabel`

        Raises
        ------
        UnknownName
            For a verdict that is not one.
        DataError
            For a row that is not of this run, or a `client_id` that was used for another decision.
        TryLater
            If the store is busy or away. Nothing was learnt; the same call is safe to repeat.
        """
        return self.label_many([{"row_id": row_id, "verdict": verdict, "client_id": client_id, **details}])[0]

    def label_many(self, labels: Iterable[Mapping[str, object]]) -> list[Acknowledgement]:
        """Record several verdicts in one transaction, all or none; each has the fields that `label` takes.

        Every acknowledgement tells the moves of all of them together.
        """
        new = [self._new_label(fields) for fields in labels]
        with self._lock:
            return self._taken_in(self._store.record(new))

    def undo(self, label_id: int | None = None, *, of_client_id: str = "", client_id: str = "") -> Acknowledgement:
        """Take a label back: that of `label_id` or `of_client_id`, else this analyst's last one on this run's rows.

        The ranking is exactly what it would be had the label never been given. `client_id` is the undo's
        own; sending it again undoes nothing more.

        Raises
        ------
        DataError
            If there is nothing to undo, or the label is another analyst's.
        """
        client_id = client_id or uuid.uuid4().hex
        with self._lock:
            if label_id is None and not of_client_id and self._store.find(client_id) is None:
                last = self._last_label()
                if last.suggested and last.batch_id:
                    return self.undo_batch(last.batch_id, client_id=client_id)[0]
                label_id = last.id
            undone = self._store.undo(label_id, by=self.by, client_id=client_id, of_client_id=of_client_id)
            return self._taken_in([undone])[0]

    def undo_batch(self, batch_id: str, *, client_id: str = "") -> list[Acknowledgement]:
        """Take back in one step what still stands of a propagation; nothing remains of it in the ranking."""
        with self._lock:
            undone = self._store.undo_batch(batch_id, by=self.by, client_id=client_id or uuid.uuid4().hex)
            return self._taken_in(undone)

    def similar(self, row_id: str, *, at_least: float = ALIKE, same_entity: bool = False) -> SimilarRows:
        """Return the open rows that are like `row_id`, the most alike first; see `SimilarRows` for the preview."""
        with self._lock:
            return similar_rows(self._ranking, row_id, at_least=at_least, same_entity=same_entity)

    def propagate(
        self, row_id: str, row_ids: Sequence[str], *, batch_id: str = "", weight: float = WEIGHT
    ) -> list[Acknowledgement]:
        """Suggest this analyst's verdict on `row_id` for other rows, in one step; `undo_batch` takes it back in one.

        Suggestions teach with less `weight`, leave the queue, and a tenth of them comes back to be checked.
        Rows that are labelled by now are left alone. A `batch_id` that is sent again suggests nothing more.

        Raises
        ------
        DataError
            If this analyst has no label on the row, or it is unsure or a skip.
        """
        with self._lock:
            self.refresh()
            labels = suggestions(self._current, self._ranking, self.by, row_id, row_ids, batch_id, weight)
            return self._taken_in(self._store.record(labels))

    def refresh(self) -> Moves:
        """Take in what was recorded since, by anyone, and return how the top of the ranking changed."""
        return self._live.refresh(self._store)

    def effect(self, n: int = 3) -> pd.DataFrame:
        """Return what the last `n` labels and undos did, the newest first.

        Returns
        -------
        DataFrame with label_id, row_id, verdict (null for an undo), by, undo_of, entered and left (lists of
        row_id that came into or fell out of the first 25), moved_up and moved_down (rows among the first 100)
        """
        with self._lock:
            return pd.DataFrame([asdict(effect) for effect in list(self._live.effects)[::-1][:n]], columns=EFFECT)

    def position(self, row_id: str) -> int | None:
        """Return a row's place in the ranking among the rows without a label, 1 the first; None if it has one."""
        with self._lock:
            row = self._ranking.row_of(row_id)
            return int(self._ranking.places_now(np.array([row]))[0]) if self._ranking.is_open[row] else None

    def labels(self) -> pd.DataFrame:
        """Return the current labels of this run's rows, index row_id, in the order they were given."""
        current = self._store.current(dataset=self.dataset)
        return current[self._ranking.rows_of(current.index.to_list()) >= 0]

    def training_labels(self) -> dict[str, float]:
        """Return what each labelled row teaches, −1 (benign) to 1 (malicious); rows that teach nothing are left out."""
        with self._lock:
            return {row_id: value for row_id, value in self._current.training_labels().items() if value}

    def ranking(self) -> pd.Series:
        """Return every row's ranking score after labels, index row_id, in the order of the score table."""
        with self._lock:
            values = np.empty(len(self._ranking.ids))
            values[self._ranking.order] = self._ranking.candidates["ranking_score"].to_numpy()
            return pd.Series(values, index=self.scores.index, name="ranking_score")

    def _taken_in(self, acknowledged: Sequence[Acknowledgement]) -> list[Acknowledgement]:
        """Learn from what was recorded; each acknowledgement tells the moves of all of it together."""
        moves = self.refresh()
        return [replace(one, moved_up=moves.up, moved_down=moves.down) for one in acknowledged]

    def _new_label(self, given: Mapping[str, Any]) -> NewLabel:
        fields = {"how": "key", **self._queues.why(str(given.get("row_id"))), **given}
        fields["row_id"] = str(fields.get("row_id") or "")
        fields["client_id"] = str(fields.get("client_id") or uuid.uuid4().hex)
        self._ranking.row_of(fields["row_id"])
        return NewLabel(
            run_id=self.run["run_id"],
            dataset=self.dataset,
            model_version=self.run.get("model_version", ""),
            by=self.by,
            **fields,
        )

    def _last_label(self) -> LabelEvent:
        self.refresh()
        last = self._current.last_of(self.by, self._ranking.ids)
        if last is None:
            raise DataError(f"{self.by!r} has no label to undo in run {self.run['run_id']}.")
        return last
