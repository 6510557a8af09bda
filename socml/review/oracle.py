"""A scoring run and its ground truth → how many malicious rows an analyst would have found, with and without learning.

An oracle that knows the truth answers through `Triage` and a label store of its own (a temporary SQLite
file), the same code path as a person. The project's labels are neither read nor written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import as_malicious, of_rows
from socml.labels import LabelStore
from socml.project import DataError, Project, ScratchFolder, find_project, html_text, words
from socml.review.loop import Triage

AHEAD = 20  # rows looked ahead after each label


@dataclass(frozen=True)
class ReplayResult:
    """What one oracle found.

    Attributes
    ----------
    curve : DataFrame, index labels (0, 1, 2, …); found and found_without: malicious rows among those labelled,
        in the queue that learns and in the model's own order; ahead and ahead_without: malicious rows among
        the next 20 of either
    malicious : how many malicious rows the run holds
    answers : DataFrame in the order of the labels: row_id, verdict, family (null if not malicious), reason

    Examples
    --------
    >>> curve = pd.DataFrame({"found": [0, 1], "found_without": [0, 0], "ahead": [2, 1], "ahead_without": [1, 1]})
    >>> print(ReplayResult("r", "most-anomalous", 0, 9, curve, pd.DataFrame()))
    After 1 label: 1 of 9 malicious rows found, 0 without learning.
    """

    run_id: str
    strategy: str
    seed: int
    malicious: int
    curve: pd.DataFrame
    answers: pd.DataFrame = field(repr=False)
    language: str = "en"

    def __str__(self) -> str:
        """Return the outcome in one sentence."""
        last = self.curve.iloc[-1]
        values = {"found": int(last["found"]), "without": int(last["found_without"]), "malicious": self.malicious}
        return words(self.language)("replay.outcome", n=len(self.curve) - 1, **values)

    def to_dict(self) -> dict[str, object]:
        """Return everything but the single answers, fit for JSON."""
        about = {n: getattr(self, n) for n in ("run_id", "strategy", "seed", "malicious")}
        return {**about, "curve": self.curve.reset_index(names="labels").to_dict("records")}

    def _repr_html_(self) -> str:
        say = words(self.language)
        columns = ["found", "found_without", "ahead", "ahead_without"]
        rows = [n for n in (5, 10, 20, 40, 60, 80, 100, 200, len(self.curve) - 1) if n < len(self.curve)]
        table = self.curve.loc[sorted(set(rows)), columns]
        table.index.name = say("replay.labels")
        table.columns = pd.Index([say(f"replay.{name}") for name in columns])
        title = html_text(f"{self.run_id}, {self.strategy}, seed {self.seed}")
        return f"<p><b>{title}</b><br>{html_text(self)}</p>{table.to_html(escape=True, border=0)}"


def replay(
    run: str | tuple[pd.DataFrame, NDArray[np.integer]],
    truth: pd.Series | pd.DataFrame,
    *,
    budget: int = 100,
    strategy: str = "most-anomalous",
    seed: int = 0,
    parameters: dict[str, object] | None = None,
    matrix: NDArray[np.floating] | None = None,
    project: Project | None = None,
) -> ReplayResult:
    """Let an oracle answer the first row of the queue, `budget` times.

    Parameters
    ----------
    run : a run id of the project (empty: the newest); or a table of contract `SCORE` (index row_id)
        and its leaves (n_trees, n_rows)
    truth : index row_id; true where malicious, null where nobody knows (the oracle is then unsure); a frame
        has it in the column malicious, and may have family
    budget : labels; fewer if the run has fewer rows
    strategy, seed, parameters, matrix : as in `Triage`; tables without a matrix have no supervised forest

    Raises
    ------
    DataError
        If the truth says nothing about any row of the run.
    """
    with ScratchFolder("replay") as folder:
        if not isinstance(run, str):
            project, run = write_as_run(Path(folder), *run)
        project = project or find_project()
        with (
            LabelStore(f"sqlite:///{folder}/labels.sqlite") as store,
            Triage(
                run,
                project=project,
                by="oracle",
                store=store,
                strategy=strategy,
                seed=seed,
                parameters=parameters,
                matrix=matrix,
            ) as triage,
        ):
            known = _truth_of(triage, truth)
            curve, answers = _ask(triage, known, budget)
            malicious = int((known["malicious"] == 1).sum())
            run_id = str(triage.run["run_id"])
    return ReplayResult(run_id, strategy, seed, malicious, curve, answers, project.language)


def _ask(triage: Triage, known: pd.DataFrame, budget: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    malicious = dict(zip(known.index, known["malicious"], strict=True))
    without = _malicious_by_rank(triage.scores, malicious)
    points, answers = [], []
    found = 0
    for given in range(min(budget, len(triage.scores)) + 1):
        queue = triage.queue(AHEAD)
        points.append(
            {
                "found": found,
                "found_without": int(without[:given].sum()),
                "ahead": sum(malicious[row_id] == 1 for row_id in queue["row_id"]),
                "ahead_without": int(without[given : given + AHEAD].sum()),
            }
        )
        if given == budget or queue.empty:
            break
        row_id, reason = str(queue["row_id"].iloc[0]), str(queue["reason"].iloc[0])
        verdict = {1.0: "malicious", 0.0: "benign"}.get(malicious[row_id], "unsure")
        known_family = known["family"].get(row_id)
        family = known_family if verdict != "unsure" and isinstance(known_family, str) and known_family else None
        triage.label(row_id, verdict, client_id=f"oracle-{given}", how="replay", family=family or "")
        found += verdict == "malicious"
        answers.append({"row_id": row_id, "verdict": verdict, "family": family, "reason": reason})
    curve = pd.DataFrame(points)
    return curve.rename_axis("labels"), pd.DataFrame(answers, columns=["row_id", "verdict", "family", "reason"])


def _malicious_by_rank(scores: pd.DataFrame, malicious: dict[str, float]) -> NDArray[np.bool_]:
    return np.array([malicious[row_id] == 1 for row_id in scores.sort_values("rank", kind="stable").index], dtype=bool)


def _truth_of(triage: Triage, truth: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Return the truth of the run's rows: malicious as 1, 0 or NaN, and family."""
    frame = truth if isinstance(truth, pd.DataFrame) else truth.to_frame("malicious")
    if "malicious" not in frame:
        raise DataError("The truth has no column 'malicious'.")
    frame = of_rows(frame, triage.scores.index)
    malicious = as_malicious(frame["malicious"])
    if malicious.isna().all():
        raise DataError(f"The truth says nothing about any row of run {triage.run['run_id']}.")
    family = frame["family"] if "family" in frame else pd.Series(None, index=frame.index, dtype=object)
    return pd.DataFrame({"malicious": malicious, "family": family.astype(object)})


def score_table(anomaly_score: NDArray[np.float64], *, row_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a score table of rows that no run wrote: index row_id, the rest by the anomaly score alone.

    Examples
    --------
    >>> score_table(np.array([0.1, 0.9]))[["anomaly_score", "rank"]].to_numpy().tolist()
    [[0.1, 2.0], [0.9, 1.0]]
    """
    n = len(anomaly_score)
    index = pd.Index(row_ids if row_ids is not None else [f"r{i:08}" for i in range(n)], name="row_id")
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(-anomaly_score, kind="stable")] = np.arange(1, n + 1)
    unknown = dict.fromkeys(("model_version", "feature_hash", "events_snapshot", "run_id"), "")
    return pd.DataFrame(
        {
            "time": pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]"),
            "entity": pd.Series(None, index=index, dtype="str"),
            "anomaly_score": anomaly_score,
            "percentile": 100.0 * np.searchsorted(np.sort(anomaly_score), anomaly_score) / max(n, 1),
            "rank": rank,
            **unknown,
        },
        index=index,
    )


def write_as_run(folder: Path, scores: pd.DataFrame, leaves: NDArray[np.integer]) -> tuple[Project, str]:
    """Write tables as a scoring run into `folder`, so that a replay or a notebook takes the same path as the app."""
    import pyarrow as pa

    from socml.project import SCORE, check_table, run_folder, write_run, write_table

    project = Project(root=folder, workspace=folder / "workspace")
    run = run_folder(project, "replay")
    table = pa.Table.from_pandas(scores.reset_index(names="row_id"), preserve_index=False)
    write_table(run / "scores.parquet", check_table(table, SCORE, what="scores"))
    np.save(run / "leaves.npy", leaves)
    write_run(project, {"run_id": "replay", "dataset": "replay", "model_version": ""})
    return project, "replay"
