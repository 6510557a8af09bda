"""The current labels of a run, every ten of them → a supervised forest's predictions on its rows, kept by those labels."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.labels import DIRECTION, LabelEvent
from socml.project import (
    DataError,
    Project,
    Run,
    SocmlError,
    open_table,
    read_metadata,
    read_table,
    run_features_path,
)
from socml.review.model_switch import should_switch
from socml.review.ranker_predictions import predict_rows
from socml.review.row_ids import RowIds

EVERY = 10  # labels that teach
AT_MOST = 50_000  # rows, the most anomalous by the model; the forest is not asked about the others
KEPT = 8  # answers: an undo finds the earlier one

LabelledRow = tuple[int, bool, str | None, float]  # row, malicious, family, weight


@dataclass(frozen=True)
class SupervisedAnswer:
    """What the forest says after some labels: predictions on the candidates, in their order, and whether it takes over."""

    n_labels: int
    predictions: pd.DataFrame
    should_switch: bool


class SupervisedRanker:
    """A forest's advice on one run. It depends on the labels alone: the same labels give the same advice.

    Parameters
    ----------
    matrix : returns the candidates as numbers (n_rows, n_columns), in their order; called once, when first needed
    leaves : returns the leaves (n_trees, n) of some candidates
    anomaly_score : of the candidates, in their order
    wait : False: a new answer is worked out beside, and the last one that fits is given until it is there
    """

    def __init__(
        self,
        matrix: Callable[[], NDArray[np.floating]],
        leaves: Callable[[NDArray[np.intp]], NDArray[np.integer]],
        anomaly_score: NDArray[np.float64],
        *,
        wait: bool = True,
        seed: int = 0,
    ) -> None:
        self._make_matrix = matrix
        self._matrix: NDArray[np.floating] | None = None
        self._all_leaves: NDArray[np.integer] | None = None
        self._leaves, self._anomaly_score = leaves, anomaly_score
        self._wait, self._seed = wait, seed
        self._answers: OrderedDict[tuple[LabelledRow, ...], SupervisedAnswer | None] = OrderedDict()
        self._lock = threading.Lock()
        self._working: threading.Thread | None = None

    def after(self, training_labels: Sequence[LabelledRow]) -> SupervisedAnswer | None:
        """Return what the forest says after the first tens of these labels; None while it has nothing to say.

        Raises
        ------
        DataError
            If the rows' features are not there any more, or the model is not.
        """
        now = tuple(training_labels[: len(training_labels) // EVERY * EVERY])
        if len({malicious for _, malicious, _, _ in now}) < 2:
            return None
        if now in self._answers or self._wait:
            return self._answer(now)
        if self._working is None or not self._working.is_alive():
            self._working = threading.Thread(target=self._answer, args=(now,), daemon=True)
            self._working.start()
        fitting = [done for done in self._answers if done == now[: len(done)]]
        return self._answers[max(fitting, key=len)] if fitting else None

    def _answer(self, now: tuple[LabelledRow, ...]) -> SupervisedAnswer | None:
        with self._lock:
            if now not in self._answers:
                self._answers[now] = self._formed(now)
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
            return self._answers[now]

    def _formed(self, now: tuple[LabelledRow, ...]) -> SupervisedAnswer | None:
        if self._matrix is None:
            self._matrix = self._make_matrix()
            self._all_leaves = self._leaves(np.arange(len(self._matrix)))
        wanted_rows = len(self._matrix)
        seen = [labelled for labelled in now if labelled[0] < wanted_rows]
        rows = np.array([row for row, *_ in seen], dtype=np.int64)
        malicious = np.array([bad for _, bad, _, _ in seen], dtype=bool)
        families = np.array([family for _, _, family, _ in seen], dtype=object)
        weights = [weight for *_, weight in seen]
        predictions = predict_rows(
            self._matrix, rows, malicious, families, weights, leaves=self._all_leaves, seed=self._seed
        )
        if predictions is None:
            return None
        assert self._all_leaves is not None
        leaves = np.ascontiguousarray(self._all_leaves[:, rows])
        own = self._anomaly_score[rows]
        better = should_switch(self._matrix[rows], leaves, own, np.where(malicious, 1, -1), seed=self._seed)
        return SupervisedAnswer(len(now), _for_all(predictions.columns(), len(self._anomaly_score)), better)


def _for_all(columns: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Return the predictions with rows for those that the forest was not asked about: ordinary, and nothing to ask."""
    rest = np.arange(len(columns), n_rows)
    if not len(rest):
        return columns
    nothing = {"probability": 0.0, "family": None, "confidence": 1.0, "novelty": 0.0, "cluster": -1 - rest}
    return pd.concat([columns, pd.DataFrame(nothing, index=rest)])


def labelled_rows(
    labels: Sequence[LabelEvent], row_of: Callable[[Sequence[str]], NDArray[np.intp]]
) -> list[LabelledRow]:
    """Return what labels teach a forest, in their order; a row's last label counts, unsure and skipped ones do not."""
    teaching = [label for label in labels if label.verdict in DIRECTION and label.weight > 0]
    last: dict[str, LabelEvent] = {}
    for label in teaching:
        last.pop(label.row_id, None)
        last[label.row_id] = label
    rows = row_of(list(last))
    return [
        (int(row), label.verdict == "malicious", label.family or None, float(label.weight))
        for row, label in zip(rows, last.values(), strict=True)
        if row >= 0
    ]


def matrix_of(run: Run, ids: RowIds, project: Project) -> NDArray[np.float32]:
    """Return the first `AT_MOST` rows of a run as its model's preparation makes them, in the order of `ids`.

    Raises
    ------
    DataError
        If the features or the model are not there any more.
    """
    import pyarrow.dataset as ds

    from socml.models import load_model

    if not (run.get("features_path") or run.get("feature_set")):
        raise DataError(f"Run {run['run_id']} names no feature table.")
    path = run_features_path(project, run)
    if not path.is_file():
        raise DataError(f"The feature table of run {run['run_id']} is not there any more. Build it again.")
    name, _, number = str(run["model_version"]).rpartition("/")
    try:
        version = load_model(name or str(run["model"]), number, project=project)
    except SocmlError as error:
        raise DataError(f"The model of run {run['run_id']} cannot be read: {error}") from error
    chosen = ids.names(range(min(AT_MOST, len(ids))))
    names = list(read_metadata(path)["features"])
    whole = len(chosen) == open_table(path).metadata.num_rows
    keep = None if whole else ds.field("row_id").isin(chosen)
    stored: pd.DataFrame = read_table(path, columns=["row_id", *names], filters=keep).to_pandas()
    table = stored.set_index("row_id")
    at = table.index.get_indexer(pd.Index(chosen))
    numbers = np.asarray(version.preparation.in_numbers(table)[0], dtype=np.float32)
    return np.asarray(numbers[at])
