"""A scoring run's files and what the labels teach → the rows in their present order, and how they moved."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.models import FILE as EVIDENCE
from socml.models import DayEvidence, SignalRanking
from socml.project import (
    DataError,
    Notice,
    Project,
    Run,
    Sentence,
    held_once,
    read_leaves,
    read_table,
    run_folder,
    visible_line,
)
from socml.review.candidates import best_first
from socml.review.feedback import FeedbackRanking
from socml.review.row_ids import RowIds
from socml.review.supervised_ranker import SupervisedAnswer

SHOWN = 25  # rows that the app shows at once: what entered or left them is told after a label
WATCHED = 100  # rows among which moves are counted
FOREST_DECIDES = 20.0  # standard deviations of the anomaly score that a probability of 1 is worth
TOLD = ["entity", "time", "anomaly_score", "percentile", "rank"]  # of a score table
SIGNATURE_TREES = 4  # rows that share these trees' leaves are one kind to a strategy that covers kinds


@dataclass(frozen=True)
class Moves:
    """How the top changed: rows among the first 100 that rose or fell; row ids that entered or left the first 25."""

    up: int
    down: int
    entered: list[str]
    left: list[str]


class RankingState:
    """The rows of one run, the most anomalous first, and their ranking after labels: all, or those that have leaves.

    A row is a number here, its place by the model's ranks from 0, so that a million rows cost arrays and no texts.

    Attributes
    ----------
    ids : the rows' names
    candidates : what strategies choose from, index row; ranking_score is the present one
    seen : index row of every row that has a label, column verdict
    predictions : what a supervised forest thinks of the candidates, index row; None while it thinks nothing
    version : counts the rankings; the same number is the same ranking
    """

    candidates: pd.DataFrame  # the rows in the order of the forest, with their ranking score

    def __init__(self, project: Project, run: Run) -> None:
        folder = run_folder(project, str(run["run_id"]))
        self._path, self._reviewed = folder / "scores.parquet", run.get("reviewed")
        scores = read_table(self._path, columns=["row_id", *TOLD], read_dictionary=["entity"], **self._of_reviewed())
        leaves = _read_leaves(project, run, len(scores))
        anomaly_score = scores["anomaly_score"].to_numpy()
        self._learner: FeedbackRanking | SignalRanking
        self._learner = FeedbackRanking(leaves, anomaly_score)
        if (folder / EVIDENCE).is_file():  # a day of the daily list, which learns by signals
            self._learner = SignalRanking(DayEvidence.read(folder))
        self._order = _by_rank(scores, self._path)
        self._spread = float(np.std(anomaly_score, ddof=1)) if len(anomaly_score) > 1 else 0.0
        self.ids = RowIds(held_once(scores["row_id"]), self._order)
        ranked = scores.select(TOLD).take(pa.array(self._order))
        self.candidates = _candidates(ranked, self._order, leaves)
        del scores, ranked
        pa.default_memory_pool().release_unused()
        self.predictions: pd.DataFrame | None = None
        self.version = 0
        self.update({}, {})

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The score table as the run wrote it, index row_id; made when first asked for, for it takes a second a million rows."""
        stored: pd.DataFrame = read_table(self._path, **self._of_reviewed()).to_pandas()
        return stored.set_index("row_id")

    def _of_reviewed(self) -> dict[str, pc.Expression]:
        """Return the option of `read_table` by which the rows under review are read."""
        return {} if self._reviewed is None else {"filters": pc.field("rank") <= self._reviewed}

    @property
    def order(self) -> NDArray[np.intp]:
        """Where each row stands in the score table."""
        return self._order

    def update(
        self,
        training_labels: Mapping[str, float],
        seen: Mapping[str, str | None],
        supervised: SupervisedAnswer | None = None,
    ) -> None:
        """Rank anew from what each row teaches (−1 to 1) and which rows were seen; other runs' rows do not matter.

        Once the supervised forest has taken over, its probability decides, and the ranking that learns at once decides
        between rows that the forest finds equal.
        """
        rows = self.ids.rows_of_labels(training_labels)
        values = np.array(list(training_labels.values()), dtype=np.float64)[rows >= 0]
        learnt = self._learner.learn(self._order[rows[rows >= 0]], values, np.abs(values))
        ranking = learnt[self._order]
        self.predictions = None if supervised is None else supervised.predictions
        if supervised is not None and supervised.should_switch and self.predictions is not None:
            ranking = ranking + FOREST_DECIDES * self._spread * self.predictions["probability"].to_numpy()
        self.candidates = self.candidates.assign(ranking_score=ranking)
        verdicts = {
            int(row): seen[row_id] for row_id, row in zip(seen, self.ids.rows_of_labels(seen), strict=True) if row >= 0
        }
        labelled = pd.Index(list(verdicts), dtype=np.int64, name="row_id")
        self.seen = pd.DataFrame({"verdict": list(verdicts.values())}, index=labelled)
        self.is_open = np.ones(len(self.candidates), dtype=bool)
        self.is_open[labelled] = False
        self.top = best_first(ranking, self.is_open, WATCHED + 1)
        self.version += 1

    def about(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Return whom and when rows are about, and their scores without labels."""
        return self.candidates[TOLD].iloc[rows].astype({"entity": "str"})

    def rows_of(self, row_ids: Collection[str]) -> NDArray[np.intp]:
        """Return where rows stand in `candidates`; −1 for a row that is not of this run."""
        return self.ids.rows_of(row_ids)

    def row_of(self, row_id: str) -> int:
        """Return where a row stands in `candidates`, or raise `DataError`."""
        row = int(self.rows_of([row_id])[0])
        if row < 0:
            beyond = ""
            if self._reviewed is not None:
                beyond = f" among its {self._reviewed:,} most anomalous, which labels rank: raise [engine] memory_limit and score again"
            raise DataError(f"There is no row {visible_line(row_id)[:80]!r} in this scoring run{beyond}.")
        return row

    def places_now(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return each row's place among the open rows, 1 the first."""
        place_of = {int(row): place for place, row in enumerate(self.top, 1)}
        return np.array([place_of.get(int(row)) or self._count_ahead(int(row)) + 1 for row in rows], dtype=np.int64)

    def places_before(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the place among the open rows that each would have, had nothing been learnt."""
        return np.asarray(rows + 1 - np.searchsorted(np.flatnonzero(~self.is_open), rows), dtype=np.int64)

    def leaves_of(self, rows: NDArray[np.intp]) -> NDArray[np.integer]:
        """Return the leaves (n_trees, n) that some candidates fall into."""
        return np.ascontiguousarray(self._learner.leaves[:, self._order[rows]])

    def alike(self, row_id: str) -> NDArray[np.float64]:
        """Return for each candidate in which share of the trees it falls into the same leaf as `row_id`, 0 to 1."""
        row = self._order[self.row_of(row_id)]
        leaves = self._learner.leaves
        if not len(leaves):
            raise DataError(Sentence("error.run.no_trees"))
        shared = np.zeros(leaves.shape[1], dtype=np.int32)
        for tree in leaves:
            shared += tree == tree[row]
        return np.asarray(shared[self._order] / len(leaves), dtype=np.float64)

    def moves_since(self, earlier: NDArray[np.intp], acted_on: Collection[str]) -> Moves:
        """Compare an earlier `top` with the present one, leaving out the rows that were labelled or taken back."""
        before, after = self._named(earlier, acted_on), self._named(self.top, acted_on)
        place_before = {row_id: place for place, row_id in enumerate(before[:WATCHED])}
        place_after = {row_id: place for place, row_id in enumerate(after[:WATCHED])}
        watched = {**place_before, **place_after}
        won = [place_before.get(row_id, WATCHED) - place_after.get(row_id, WATCHED) for row_id in watched]
        return Moves(
            up=sum(places > 0 for places in won),
            down=sum(places < 0 for places in won),
            entered=[row_id for row_id in after[:SHOWN] if row_id not in before[:SHOWN]],
            left=[row_id for row_id in before[:SHOWN] if row_id not in after[:SHOWN]],
        )

    def _named(self, rows: NDArray[np.intp], without: Collection[str]) -> list[str]:
        return [row_id for row_id in self.ids.names(rows) if row_id not in without]

    def _count_ahead(self, row: int) -> int:
        score = self.candidates["ranking_score"].to_numpy()
        ahead = int(((score > score[row]) & self.is_open).sum())
        return ahead + int(((score[:row] == score[row]) & self.is_open[:row]).sum())


def _by_rank(scores: pa.Table, path: Path) -> NDArray[np.intp]:
    """Return where the rows stand, the most anomalous first; raise `DataError` if one stands there twice."""
    rank = scores["rank"].to_numpy()
    order = np.full(len(rank), -1, dtype=np.intp)
    inside = (rank >= 1) & (rank <= len(rank))
    order[rank[inside] - 1] = np.flatnonzero(inside)
    if (order >= 0).all():  # each rank once, as every run writes them: so is each row
        return order
    if pc.count_distinct(scores["row_id"]).as_py() != len(scores):
        raise DataError(f"{path} holds a row twice.")
    return np.argsort(rank, kind="stable")


def _read_leaves(project: Project, run: Run, n_rows: int) -> NDArray[np.integer]:
    leaves = read_leaves(project, run)
    if leaves is None:  # a detector without trees, or leaves that were removed: labels are kept, and the order stays
        if run.get("leaves_removed"):
            warnings.warn(
                f"The leaves of run {run['run_id']} were removed ([nightly] keep_leaves_runs): labels do not change its "
                "order. Score again to have them back: socml score",
                Notice,
                stacklevel=3,
            )
        return np.empty((0, n_rows), dtype=np.uint8)
    if leaves.ndim != 2 or leaves.shape[1] != n_rows or leaves.dtype not in {np.dtype("u1"), np.dtype("u2")}:
        raise DataError(
            f"leaves.npy of run {run['run_id']} is {leaves.dtype} {leaves.shape}; it should be uint8 or uint16, "
            f"(trees, {n_rows:,}). Score again: socml score"
        )
    return leaves


def entities_of(project: Project, run_id: str, row_ids: Collection[str]) -> dict[str, str]:
    """Return whom rows of a scoring run are about; a row that it does not tell, or a run that is gone, is left out."""
    path = run_folder(project, run_id) / "scores.parquet"
    if not path.is_file():
        return {}
    wanted = pc.field("row_id").isin(pa.array(row_ids, pa.string()))
    found = read_table(path, columns=["row_id", "entity"], filters=wanted).drop_null()
    return dict(zip(found["row_id"].to_pylist(), found["entity"].to_pylist(), strict=True))


def _candidates(ranked: pa.Table, order: NDArray[np.intp], leaves: NDArray[np.integer]) -> pd.DataFrame:
    candidates: pd.DataFrame = ranked.to_pandas(strings_to_categorical=True)
    candidates.index.name = "row_id"
    candidates = candidates.assign(ranking_score=candidates["anomaly_score"])
    if not len(leaves):
        return candidates
    signature = np.zeros(len(candidates), dtype=np.int64)
    for tree in leaves[:SIGNATURE_TREES]:
        signature = signature * 65_536 + tree
    return candidates.assign(signature=signature[order])
