"""The current labels of a run, every ten of them → a supervised forest's predictions on its rows, kept by those labels; and whether they may decide."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.explanations import feature_table
from socml.labels import DIRECTION, LabelEvent
from socml.project import (
    DataError,
    Project,
    Run,
    SocmlError,
    read_metadata,
    run_features_path,
)
from socml.review.feedback import FeedbackRanking
from socml.review.ranker_predictions import predict_rows
from socml.review.row_ids import RowIds

LEAST_LABELS = 50  # that teach; with fewer the comparison says nothing
LEAST_OF_A_SIDE = 10
FOLDS = 5
SURE = 2.0  # standard errors by which the forest must be better


def should_switch(
    matrix: NDArray[np.floating],
    leaves: NDArray[np.integer],
    anomaly_score: NDArray[np.float64],
    directions: NDArray[np.float64],
    *,
    seed: int = 0,
) -> bool:
    """Say whether a supervised forest may rank in the place of the feedback ranking.

    Both learn from four fifths of the labels and rank the fifth that was held out, in turn. The forest takes over
    when its area under the ROC curve is larger by two standard errors (DeLong's, paired). Labels are not a random
    sample: the rule compares the two on what analysts were shown, and is blind to the rest.

    Parameters
    ----------
    matrix, leaves, anomaly_score : of the labelled rows: (n, n_columns), (n_trees, n), (n,)
    directions : above 0 malicious, below 0 benign or false alarm

    References
    ----------
    E. DeLong, D. DeLong, D. Clarke-Pearson (1988), «Comparing the Areas under Two or More Correlated Receiver
    Operating Characteristic Curves», Biometrics 44.
    """
    malicious = np.asarray(directions) > 0
    sides = int(malicious.sum()), int((~malicious).sum())
    if len(malicious) < LEAST_LABELS or min(sides) < LEAST_OF_A_SIDE:
        return False
    fold = np.empty(len(malicious), dtype=np.int64)
    for side in (malicious, ~malicious):
        fold[side] = np.arange(side.sum()) % FOLDS
    ranked, judged = np.empty(len(malicious)), np.empty(len(malicious))
    for held_out in range(FOLDS):
        inside, outside = np.flatnonzero(fold != held_out), fold == held_out
        learnt = FeedbackRanking(leaves, anomaly_score).learn(inside, np.where(malicious[inside], 1, -1))
        predictions = predict_rows(matrix, inside, malicious[inside], seed=seed, n_trees=50)
        assert predictions is not None, "both sides are in every four fifths"
        ranked[outside], judged[outside] = learnt[outside], predictions["probability"].to_numpy()[outside]
    better, error = auc_difference(judged, ranked, malicious)
    return better > SURE * error


def auc_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], malicious: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return by how much the AUROC of `first` is larger than that of `second`, and its standard error.

    Examples
    --------
    >>> malicious = np.array([True, True, False, False])
    >>> auc_difference(np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 1.0, 2.0, 3.0]), malicious)
    (0.5, 0.5)
    """
    placed = [_placements(score, malicious) for score in (first, second)]
    difference = [one - other for one, other in zip(*placed, strict=True)]
    variance = sum(side.var(ddof=1) / len(side) for side in difference)
    return float(difference[0].mean()), float(np.sqrt(variance))


def _placements(score: NDArray[np.float64], malicious: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return, of each malicious row, the share of the others below it, and of each other the share of malicious rows above it.

    By ranks, for a table of each row beside each would be gigabytes of some thousand labels.
    """
    from scipy.stats import rankdata

    rank = rankdata(score)
    return [
        (rank[malicious] - rankdata(score[malicious])) / np.count_nonzero(~malicious),
        1.0 - (rank[~malicious] - rankdata(score[~malicious])) / np.count_nonzero(malicious),
    ]


# Labels that teach, and as many more for each LATER there are: a label costs the same, however many there are
EVERY, LATER = 10, 400
AT_MOST = 50_000  # rows, the most anomalous by the model; the forest is not asked about the others
KEPT = 8  # answers: an undo finds the earlier one

LabelledRow = tuple[int, bool, str | None, float]  # row, malicious, family, weight


@dataclass(frozen=True)
class SupervisedAnswer:
    """What the forest says after some labels: whether it takes over, and what it predicts of the candidates, in their order.

    Predictions are None where it does not, and nobody reads them.
    """

    n_labels: int
    predictions: pd.DataFrame | None
    should_switch: bool


class SupervisedRanker:
    """A forest's advice on one run. It depends on the labels alone: the same labels give the same advice.

    Parameters
    ----------
    matrix : returns some candidates as numbers (n, n_columns)
    n_rows : how many of the candidates, the first, it may be asked about
    leaves : returns the leaves (n_trees, n) of some candidates
    anomaly_score : of the candidates, in their order
    wait : False: a new answer is worked out beside, and the last one that fits is given until it is there
    """

    def __init__(
        self,
        matrix: Callable[[NDArray[np.intp]], NDArray[np.floating]],
        n_rows: int,
        leaves: Callable[[NDArray[np.intp]], NDArray[np.integer]],
        anomaly_score: NDArray[np.float64],
        *,
        wait: bool = True,
        seed: int = 0,
    ) -> None:
        self._matrix, self._n_rows = matrix, n_rows
        self._all: tuple[NDArray[np.floating], NDArray[np.integer]] | None = None  # matrix and leaves, once needed
        self._leaves, self._anomaly_score = leaves, anomaly_score
        self._wait, self._seed = wait, seed
        self._answers: OrderedDict[tuple[bool, tuple[LabelledRow, ...]], SupervisedAnswer | None] = OrderedDict()
        self._lock = threading.Lock()
        self._working: threading.Thread | None = None

    def after(self, training_labels: Sequence[LabelledRow], *, predict: bool) -> SupervisedAnswer | None:
        """Return what the forest says after the first tens of these labels (of 800 the first twenties); None while it has nothing to say.

        Parameters
        ----------
        predict : whether its predictions are read even where it does not take over

        Raises
        ------
        DataError
            If the rows' features are not there any more, or the model is not.
        """
        every = EVERY * max(1, len(training_labels) // LATER)
        now = tuple(training_labels[: len(training_labels) // every * every])
        if len({malicious for _, malicious, _, _ in now}) < 2:
            return None
        if (predict, now) in self._answers or self._wait:
            return self._answer(now, predict)
        if self._working is None or not self._working.is_alive():
            self._working = threading.Thread(target=self._answer, args=(now, predict), daemon=True)
            self._working.start()
        fitting = [done for asked, done in self._answers if asked == predict and done == now[: len(done)]]
        return self._answers[predict, max(fitting, key=len)] if fitting else None

    def _answer(self, now: tuple[LabelledRow, ...], predict: bool) -> SupervisedAnswer | None:
        with self._lock:
            if (predict, now) not in self._answers:
                self._answers[predict, now] = self._formed(now, predict)
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
            return self._answers[predict, now]

    def _formed(self, now: tuple[LabelledRow, ...], predict: bool) -> SupervisedAnswer | None:
        seen = [labelled for labelled in now if labelled[0] < self._n_rows]
        rows = np.array([row for row, *_ in seen], dtype=np.intp)
        malicious = np.array([bad for _, bad, _, _ in seen], dtype=bool)
        if malicious.all() or not malicious.any():
            return None
        own = self._matrix(rows)
        better = should_switch(
            own, self._leaves(rows), self._anomaly_score[rows], np.where(malicious, 1, -1), seed=self._seed
        )
        if not (better or predict):  # nobody reads what it thinks of the others
            return SupervisedAnswer(len(now), None, False)
        if self._all is None:
            everyone = np.arange(self._n_rows)
            self._all = (self._matrix(everyone), self._leaves(everyone))
        matrix, leaves = self._all
        families = np.array([family for _, _, family, _ in seen], dtype=object)
        weights = [weight for *_, weight in seen]
        predictions = predict_rows(matrix, rows, malicious, families, weights, leaves=leaves, seed=self._seed)
        assert predictions is not None, "both sides are there"
        return SupervisedAnswer(len(now), _for_all(predictions, len(self._anomaly_score)), better)


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


def matrix_of(run: Run, ids: RowIds, project: Project, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
    """Return rows of a run as its model's preparation makes them; its first `AT_MOST` in the order of `ids` if none are named.

    Raises
    ------
    DataError
        If the features or the model are not there any more.
    """
    from socml.models import kept_model

    if not (run.get("features_path") or run.get("feature_set")):
        raise DataError(f"Run {run['run_id']} names no feature table.")
    path = run_features_path(project, run)
    if not path.is_file():
        raise DataError(f"The feature table of run {run['run_id']} is not there any more. Build it again.")
    name, _, number = str(run["model_version"]).rpartition("/")
    try:
        version = kept_model(name or str(run["model"]), number, project)
    except SocmlError as error:
        raise DataError(f"The model of run {run['run_id']} cannot be read: {error}") from error
    columns = feature_table(path)
    chosen = columns.positions(ids.names(range(min(AT_MOST, len(ids))) if rows is None else rows))
    table = columns.take(chosen, read_metadata(path)["features"])
    return np.asarray(version.preparation.in_numbers(table)[0], dtype=np.float32)
