"""What a store has new → a run's ranking after everyone's labels, which the analysts of a process share.

The ranking is a function of the run and of the labels in the store, in their order, whoever gave them. So one is enough,
however many look at it: each label is learnt from once, and the run is read once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.labels import CurrentLabels, LabelEvent, LabelStore
from socml.project import DataError, Project, find_project, read_run
from socml.review.ranking_state import Moves, RankingState
from socml.review.supervised_ranker import (
    AT_MOST,
    LEAST_LABELS,
    SupervisedAnswer,
    SupervisedRanker,
    labelled_rows,
    matrix_of,
)

REMEMBERED = 20  # effects that are kept to be told
TOLD = 3


@dataclass(frozen=True)
class Effect:
    """What one label or undo did: rows that entered or left the first 25, how many of the first 100 rose or fell."""

    label_id: int
    row_id: str
    verdict: str | None
    by: str
    undo_of: int | None
    entered: list[str]
    left: list[str]
    moved_up: int
    moved_down: int


class LiveRanking:
    """A scoring run and what its labels taught so far. Whoever reads or changes it holds its `lock`.

    Parameters
    ----------
    run_id : a folder of `workspace/scores`; the newest if empty
    matrix : the rows as numbers, in the order of the score table; by the run's features and model if not given
    wait : False: what a supervised forest thinks is worked out beside, and comes when it is there
    seed : of the supervised forest
    told : labels whose effect is worked out one by one, each of which ranks anew; earlier ones that come in together are one step

    Attributes
    ----------
    state : the rows in their present order
    labels : the labels that stand
    effects : what the last labels did, the oldest first
    reads_predictions : set once somebody's strategy reads what a supervised forest thinks

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
        matrix: NDArray[np.floating] | None = None,
        wait: bool = True,
        seed: int = 0,
        told: int = TOLD,
    ) -> None:
        self._told = told
        self.project = project or find_project()
        self.run = read_run(self.project, run_id)
        self.dataset = str(self.run["dataset"])
        self.state = RankingState(self.project, self.run)
        self.labels = CurrentLabels()
        self.effects: deque[Effect] = deque(maxlen=REMEMBERED)
        self.reads_predictions = False
        self.lock = threading.RLock()
        anomaly_score = self.state.candidates["anomaly_score"].to_numpy()
        self._supervised = SupervisedRanker(
            self._numbers(matrix),
            len(anomaly_score) if matrix is not None else min(AT_MOST, len(anomaly_score)),
            self.state.leaves_of,
            anomaly_score,
            wait=wait,
            seed=seed,
        )

    def refresh(self, store: LabelStore) -> Moves:
        """Take in what was recorded since, by anyone, and return how the top of the ranking changed."""
        with self.lock:
            start = self.state.top
            events = self.labels.news(store.events_since(self.labels.last_id, dataset=self.dataset))
            edits = store.families.edits(dataset=self.dataset)
            if edits != self.labels.edits:
                self.labels.edits = edits
                self._learn([])
            together = max(0, len(events) - self._told)
            if together:
                self._learn(events[:together])
            for event in events[together:]:
                before = self.state.top
                self._learn([event])
                self.effects.append(_effect(event, self.state.moves_since(before, {event.row_id})))
            return self.state.moves_since(start, {event.row_id for event in events})

    def learn_again(self) -> None:
        """Rank anew from the labels that are known."""
        with self.lock:
            self._learn([])

    def _learn(self, events: list[LabelEvent]) -> None:
        self.labels.add(events)
        current = self.labels.current()
        seen = {row_id: event.verdict for row_id, event in current.items()}
        self.state.update(self.labels.training_labels(), seen, self._supervised_now(list(current.values())))

    def _supervised_now(self, current: list[LabelEvent]) -> SupervisedAnswer | None:
        training_labels = labelled_rows(current, self.state.rows_of)
        if not self.reads_predictions and len(training_labels) < LEAST_LABELS:
            return None
        try:
            return self._supervised.after(training_labels, predict=self.reads_predictions)
        except DataError:
            if self.reads_predictions:
                raise
            return None  # nothing takes over where the features are gone

    def _numbers(self, matrix: NDArray[np.floating] | None) -> Callable[[NDArray[np.intp]], NDArray[np.floating]]:
        if matrix is None:
            return lambda rows: matrix_of(self.run, self.state.ids, self.project, rows)
        return lambda rows: np.asarray(matrix, dtype=np.float32)[self.state.order[rows]]


def _effect(event: LabelEvent, moves: Moves) -> Effect:
    return Effect(
        event.id, event.row_id, event.verdict, event.by, event.undo_of, moves.entered, moves.left, moves.up, moves.down
    )
