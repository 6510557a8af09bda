"""A table of a data scientist's own, or a stored run → the review loop in a notebook: queue, label, see it move, undo, save.

    review = socml.Review(frame, detector="isolation-forest")
    review.queue()                       # whom to look at first
    review.label(17, "malicious")        # the ranking has learnt from it
    review.explain(17)                   # why it was there
    review.rank(tomorrow)                # what was learnt, on rows that came later

The same code ranks as in the app: `Triage` over a run, here of a temporary folder that goes when the review does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, Unpack, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from socml.features import is_table, plain_table, row_name, truth_by_name
from socml.labels import VERDICTS, Acknowledgement, LabelDetails, LabelStore
from socml.project import DataError, Project, ScratchFolder, TableMetadata, html_text
from socml.review.feedback import FeedbackRanking
from socml.review.fitted_table import FittedTable, fit_table
from socml.review.loop import Triage
from socml.review.oracle import score_table, write_as_run

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from socml.features import Rows, Truth
    from socml.project import ModelRecipe

SHOWN = 10  # rows that a notebook shows
ORACLE = {1.0: "malicious", 0.0: "benign"}


class _Options(TypedDict):
    """What a `Triage` takes besides its run."""

    by: str
    strategy: str
    seed: int


class Review:
    """The loop of an analyst over any table, or over a stored run.

    Parameters
    ----------
    data : a table (one row a case, one column a feature; its index names the rows), an array, anomaly scores (a Series or
        a one-dimensional array, higher is more anomalous), or the id of a stored run ("" is the newest)
    detector : name of a detector or model, an import path, an estimator, or what `socml.make_detector` returns; for a
        table only
    truth : name of a column of the table, a Series or dictionary by row, or one value a row, that says which rows are
        malicious (1 or True, 0 or False, words such as malicious and benign; missing or unsure where unknown): never a
        feature, and what `answer` labels by
    strategy, seed : how the queue is chosen, and of all that is drawn
    labels : verdicts to begin with, row → verdict (none where it is missing), or what another review's `labels` are
    project : of a stored run
    parameters : of the detector

    Raises
    ------
    DataError, ModelError, UnknownName
        If the table has a row name twice, cannot be learned from, or a name does not exist.

    Examples
    --------
    >>> table = pd.DataFrame({"bytes": [1.0, 2.0, 1.5, 2.5, 90.0, 80.0], "ports": [1, 1, 2, 2, 1, 30]}, index=list("abcdef"))
    >>> review = Review(table, detector="robust-z")
    >>> review.queue(2)["row_id"].tolist()
    ['e', 'f']
    >>> _ = review.label("f", "benign")
    >>> "f" in set(review.queue()["row_id"]), review.undo().verdict, review.queue(1)["row_id"].tolist()
    (False, None, ['e'])
    """

    def __init__(
        self,
        data: str | Rows = "",
        *,
        detector: str | ModelRecipe | BaseEstimator = "ensemble",
        truth: str | int | Truth | None = None,
        strategy: str = "most-anomalous",
        seed: int = 0,
        labels: Mapping[object, str] | pd.Series | pd.DataFrame | None = None,
        project: Project | None = None,
        by: str = "analyst",
        **parameters: object,
    ) -> None:
        self._folder: ScratchFolder | None = None
        self._fitted: FittedTable | None = None
        self._truth: pd.Series | None = None
        self._triage: Triage | None = None  # none once closed
        truth = str(truth) if isinstance(truth, int | np.integer) else truth  # of a table whose columns are numbered
        options: _Options = {"by": by, "strategy": strategy, "seed": seed}
        if isinstance(data, str):
            if parameters or isinstance(truth, str):
                raise DataError("A stored run has its detector already; parameters and a truth column are for a table.")
            self._triage = Triage(data, project=project, **options)
            self._truth = None if truth is None else truth_by_name(truth, self.triage.scores.index)
        else:
            self._open_table(data, detector, truth, seed=seed, parameters=parameters, options=options)
        if labels is not None:
            self.label_many(labels)

    @property
    def triage(self) -> Triage:
        """The session beneath, with all it can do: propagate, effect, similar."""
        if self._triage is None:
            raise DataError(
                "This review was closed. What it learnt is where save(…) wrote it; open another: Review(table, …)."
            )
        return self._triage

    def queue(self, n: int = SHOWN) -> pd.DataFrame:
        """Return the first `n` rows to look at, a labelled one never among them: row_id, why, score, places won.

        The index is the rows' names too, so that `label(queue.index[0], …)` is of the first row. What colleagues said of a
        stored run meanwhile is taken in.
        """
        queue = self._next(n)
        queue = queue.set_axis(queue["row_id"].to_numpy(), axis=0)
        return queue.drop(columns=[name for name in ("time", "entity") if queue[name].isna().all()])

    def label(self, row: object, verdict: str, **details: Unpack[LabelDetails]) -> Acknowledgement:
        """Say what a row is, and let the ranking learn from it.

        Parameters
        ----------
        row : its name in the table's index
        verdict : malicious, benign, false_alarm, unsure or skip
        details : reason, family, technique, note

        Raises
        ------
        DataError, UnknownName
            For a row or a verdict that does not exist.
        """
        return self.triage.label_many([{"row_id": row_name(row), "verdict": verdict, "how": "code", **details}])[0]

    def label_many(self, verdicts: Mapping[object, str] | pd.Series | pd.DataFrame) -> list[Acknowledgement]:
        """Say what several rows are, in one step, all or none: row → verdict, or a table with that column, as `labels`.

        A table names its rows in a column `row_id`, else in its index. A missing verdict says nothing about its row.

        Raises
        ------
        DataError
            If it is none of these, or gives a row two verdicts.
        """
        if isinstance(verdicts, pd.DataFrame) and "verdict" in verdicts:
            verdicts = (verdicts.set_index("row_id") if "row_id" in verdicts else verdicts)["verdict"]
        if not isinstance(verdicts, Mapping | pd.Series):
            raise DataError(
                "Labels are row → verdict: a dictionary, a Series by row, or a table with a column 'verdict'."
            )
        known: dict[str, str] = {}
        for row, verdict in verdicts.items():
            if verdict is None or pd.isna(verdict):
                continue
            if known.setdefault(row_name(row), verdict) != verdict:
                raise DataError(f"Row {row!r} has two verdicts, {known[row_name(row)]} and {verdict}: give one.")
        return self.triage.label_many(
            [{"row_id": row, "verdict": verdict, "how": "code"} for row, verdict in known.items()]
        )

    def answer(self, n: int = 1) -> pd.DataFrame:
        """Let the truth label the first row of the queue, `n` times over; return row_id, verdict and reason of each.

        Raises
        ------
        DataError
            If there is no truth.
        """
        if self._truth is None:
            raise DataError("There is no truth to answer by: Review(table, truth=…) takes a column or a Series.")
        results = []
        for _ in range(n):
            queue = self._next(1)
            if queue.empty:
                break
            row, reason = str(queue["row_id"].iloc[0]), str(queue["reason"].iloc[0])
            known = self._truth.get(row)
            verdict = "unsure" if known is None or pd.isna(known) else ORACLE[float(known)]
            self.label(row, verdict)
            results.append((row, verdict, reason))
        return pd.DataFrame(results, columns=["row_id", "verdict", "reason"])

    def ask(self, n: int = SHOWN) -> None:
        """Ask in the cell about the first row of the queue, `n` times: m, b, f, u or s; z takes back, q ends."""
        keys = {verdict[0]: verdict for verdict in VERDICTS}
        shown = 0
        while shown < n and not (queue := self._next(1)).empty:
            row = str(queue["row_id"].iloc[0])
            key = input(f"{row}: {self.explain(row).attrs['headline']}\n  m b f u s, z, q: ").strip().lower()[:1]
            if key == "q":
                return
            if key == "z":
                self.undo()
            elif key in keys:
                self.label(row, keys[key])
                shown += 1

    def undo(self) -> Acknowledgement:
        """Take the last label back: the ranking is what it would be had it never been given."""
        return self.triage.undo()

    def explain(self, row: object) -> pd.DataFrame:
        """Return why a row is anomalous: what, in words, and its share; `attrs["headline"]` says it in one sentence.

        Raises
        ------
        DataError
            If there is no such row, or only scores were given.
        """
        from socml.explanations import explain, explanation_in_words, headline, why_table

        row = row_name(row)
        self.triage.position(row)  # raises where there is no such row
        if self._folder is None:
            explanation = explanation_in_words(self.triage.run["run_id"], row, project=self.triage.project)
            table = explanation.why.copy()
            table.attrs["headline"] = explanation.headline
            return table
        if self._fitted is None:
            raise DataError("Only scores were given, so nothing says why. Give the table: Review(table, detector=…)")
        rows = explain(self._fitted.version, self._fitted.table, [row])
        metadata: TableMetadata = {"columns": self._fitted.version.metadata["columns"]}
        table = why_table(rows, features_metadata=metadata)
        table.attrs["headline"] = headline(rows, features_metadata=metadata)
        return table

    def ranking(self) -> pd.Series:
        """Return every row's score after labels, higher is looked at first; index as the table's, as text."""
        self.triage.refresh()
        return self.triage.ranking()

    def labels(self) -> pd.DataFrame:
        """Return the current labels, index row_id, in the order they were given."""
        return self.triage.labels()

    def rank(self, later: Rows) -> pd.Series:
        """Return the scores of rows that came later, after what the labels taught; higher is looked at first.

        An array has the columns of the table under review, in their order.

        Raises
        ------
        DataError
            If only scores were given, or the review is of a stored run.
        """
        if self._fitted is None:
            raise DataError("What was learnt is carried to later rows by a fitted table: Review(table, detector=…)")
        table, names = plain_table(later), self._fitted.table.columns
        if not is_table(later) and len(names) == len(table.columns):
            table = table.set_axis(names, axis=1)
        if not len(table):
            return pd.Series([], index=table.index, name="ranking_score", dtype=np.float64)
        score, leaves = self._fitted.read(table)
        known = self.labels()
        training_labels = self.triage.training_labels()
        rows = [row for row in known.index if training_labels.get(row)]
        at = self.triage.scores.index.get_indexer(pd.Index(rows, dtype=object))
        values = np.array([training_labels[row] for row in rows])
        ranking = FeedbackRanking(self._fitted.leaves, self._fitted.anomaly_score)
        ranking.learn(at, values, np.abs(values))
        return pd.Series(ranking.rank_later(leaves, score), index=table.index, name="ranking_score")

    def save(self, folder: str | Path) -> Path:
        """Write the table's scores, the labels and the fitted detector into a folder that only its owner can read.

        Files: scores.parquet, labels.parquet, and detector.skops where a table was given: `socml.models.load_trusted`
        reads it.

        Raises
        ------
        ModelError
            If the detector holds what no file keeps.
        """
        from socml.models import dump_model
        from socml.project import private_folder, replacing

        target = private_folder(Path(folder))
        scores = self.triage.scores.assign(ranking_score=self.ranking())
        tables = {"scores": scores, "labels": self.labels()}
        for name, table in tables.items():
            with replacing(target / f"{name}.parquet") as temporary:
                table.to_parquet(temporary)
        if self._fitted is not None:
            with replacing(target / "detector.skops") as temporary:
                dump_model(self._fitted.detector, temporary)
        return target

    def close(self) -> None:
        """Forget a temporary review; a stored run and its labels stay."""
        if self._triage is None:
            return
        self._triage.close()
        self._triage = None
        if self._folder is not None:
            self.store.close()
            self._folder.cleanup()

    def __enter__(self) -> Review:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A review holds open files and is not copied: hand on its labels, Review(table, labels=review.labels()), or save(…)."
        )

    def __len__(self) -> int:
        """Return how many rows are under review."""
        return len(self.triage.scores)

    def __repr__(self) -> str:
        """Return how many rows and labels there are."""
        if self._triage is None:
            return "A review that was closed"
        return f"Review of {len(self):,} rows, {len(self.labels()):,} labelled; next: .queue(), .label(row, verdict)"

    def _repr_html_(self) -> str:
        if self._triage is None:
            return html_text(repr(self))
        shown = self.queue()
        return f"<p>{html_text(repr(self))}</p>{shown.to_html(index=False, escape=True, border=0)}"

    def _next(self, n: int) -> pd.DataFrame:
        self.triage.refresh()  # the app, or another notebook, may label the same run
        return self.triage.queue(n)

    def _open_table(
        self,
        data: Rows,
        detector: str | ModelRecipe | BaseEstimator,
        truth: str | Truth | None,
        *,
        seed: int,
        parameters: dict[str, Any],
        options: _Options,
    ) -> None:
        matrix: NDArray[np.floating] | None = None
        leaves: NDArray[np.integer]
        if not is_table(data) and _is_one_dimensional(data):
            scores = _given_scores(cast("ArrayLike", data))
            leaves = np.empty((0, len(scores)), dtype=np.uint8)
            if isinstance(truth, str):
                raise DataError("Scores have no columns: give the truth as a Series by row.")
            self._truth = None if truth is None else truth_by_name(truth, scores.index)
        else:
            fitted = self._fitted = fit_table(data, detector, truth, seed=seed, parameters=parameters)
            scores = score_table(fitted.anomaly_score, row_ids=[str(row) for row in fitted.table.index])
            leaves, matrix, self._truth = fitted.leaves, fitted.matrix, fitted.truth
        self._folder = ScratchFolder("review")
        project, run_id = write_as_run(Path(self._folder.name), scores, leaves)
        self.store = LabelStore(f"sqlite:///{self._folder.name}/labels.sqlite")
        self._triage = Triage(run_id, project=project, store=self.store, matrix=matrix, **options)


def _is_one_dimensional(data: Rows) -> bool:
    try:
        return np.ndim(cast("ArrayLike", data)) == 1
    except ValueError:  # rows of different lengths: said where the table is made
        return False


def _given_scores(data: ArrayLike | pd.Series) -> pd.DataFrame:
    """Return anomaly scores that were given as a score table."""
    try:
        values = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "A Series or a list is read as anomaly scores, one number a row, and this holds others."
        ) from None
    index = data.index if isinstance(data, pd.Series) else range(len(values))
    if not np.isfinite(values).all():
        raise DataError(f"{int((~np.isfinite(values)).sum())} of {len(values)} scores are no finite numbers.")
    names = [row_name(row) for row in index]
    if len(set(names)) < len(names):
        raise DataError("The scores name a row twice: reset_index(drop=True) numbers them.")
    return score_table(values, row_ids=names)
