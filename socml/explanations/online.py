"""An online run → why its rows were anomalous for the model as it was when each of them came.

The model has learned on since, so the run is gone through again from where it started, up to each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.detectors import RowDetector, read_state
from socml.explanations.contributions import explanation_table
from socml.explanations.feature_columns import SAME_SCORE, feature_columns
from socml.explanations.of_run import explained_rows, keep_explanations
from socml.explanations.shapley import shapley_values
from socml.models import OnlineModel, load_online, make_online, recipe_hash
from socml.project import (
    EXPLANATION,
    DataError,
    ModelError,
    Project,
    Run,
    find_project,
    load_model_recipe,
    open_table,
    read_metadata,
    read_run,
    read_table,
    run_features_path,
    run_folder,
)

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 65_536  # rows that are read at a time
BUDGET = 256  # scores that are taken for a row


def explain_online(
    run_id: str,
    row_ids: Sequence[str] | None = None,
    *,
    top: int = 200,
    budget: int = BUDGET,
    project: Project | None = None,
) -> pd.DataFrame:
    """Explain rows of an online run, or its `top` most anomalous, store that, and return what was not stored before.

    Shapley values of the anomaly score where a feature that is left out is missing; they add up to the score less
    that of a row of which nothing is known. Exact for eight features or fewer (with the budget as it is), else of
    orders that are drawn; `attrs["error"]` is the largest standard error of a push.

    Raises
    ------
    DataError, ModelError
        If a row is not in the run, or the run cannot be gone through again: its table, its recipe or the state it
        started from is not there any more, or is another.
    """
    import pandas as pd

    project = project or find_project()
    run = read_run(project, run_id)
    if not run.get("online"):
        raise DataError(f"Run {run['run_id']} is not of an online model: socml explain tells of it.")
    positions, known = _rows_to_explain(run, row_ids, top, project)
    if not len(positions):
        return pd.DataFrame({name: [] for name in EXPLANATION})
    path = run_features_path(project, run)
    columns = feature_columns(path)
    online = _at_the_start(run, path, project)
    parts, errors, score = _replay(online, path, positions, budget)
    if not np.allclose(np.abs(score), known, rtol=SAME_SCORE):  # sizes: the sign is the business of the scores
        raise DataError(f"{path.name} was built again since run {run['run_id']}, and rows differ. Score again.")
    numbers = {name for name, kind in online.columns.kinds.items() if kind == "number"}
    named = _named(parts, online, columns.take(positions))
    table = explanation_table(named, errors, columns, positions, numbers=numbers)
    keep_explanations(run, table, project=project)
    table.attrs["error"] = float(errors.max(initial=0.0))
    return table


def _rows_to_explain(
    run: Run, row_ids: Sequence[str] | None, top: int, project: Project
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the places of the rows that have no explanation yet, and the size of each one's score."""
    path = run_folder(project, run["run_id"]) / "scores.parquet"
    scored = read_table(path, columns=["row_id", "anomaly_score", "rank"])
    done = explained_rows(run, project=project)
    if row_ids is None:
        requested = scored.filter(pc.field("rank") <= top).sort_by("rank")["row_id"].to_pylist()
    else:
        requested = list(dict.fromkeys(row_ids))
    place = {row_id: at for at, row_id in enumerate(scored["row_id"].to_pylist())}
    wanted = [row_id for row_id in requested if row_id not in done]
    strange = [row_id for row_id in wanted if row_id not in place]
    if strange:
        raise DataError(f"Run {run['run_id']} has no row {strange[0]!r}.")
    positions = np.sort(np.array([place[row_id] for row_id in wanted], dtype=np.int64))
    return positions, np.abs(scored["anomaly_score"].to_numpy()[positions])


def _at_the_start(run: Run, path: Path, project: Project) -> OnlineModel:
    """Return the model as it was before the run."""
    name = str(run["model_version"]).rpartition("/")[0]
    recipe = load_model_recipe(name, project)
    state = read_state(run_folder(project, run["run_id"]) / "state.npz")
    if state["recipe_hash"] != recipe_hash(recipe):
        raise ModelError(f"The recipe {name!r} has changed since run {run['run_id']}: its rows cannot be explained.")
    earlier = [done for done in state["learned"].values() if done != run["run_id"]]
    if not earlier:
        return make_online(recipe, list(read_metadata(path)["features"]), seed=run.get("seed"), project=project)
    before = run_folder(project, earlier[-1]) / "state.npz"
    if not before.is_file():
        raise DataError(f"Run {run['run_id']} went on from run {earlier[-1]}, whose state is not there any more.")
    return load_online(before, recipe, seed=run.get("seed"), project=project)


def _replay(
    online: OnlineModel, path: Path, positions: NDArray[np.int64], budget: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Go through the file up to the last position; return pushes and their errors (n_rows, n_features), and scores."""
    width = len(online.columns.features)
    parts, errors, score = (
        np.zeros((len(positions), width)),
        np.zeros((len(positions), width)),
        np.zeros(len(positions)),
    )
    file = open_table(path)
    names = [name for name in (*online.columns.features, "entity") if name in file.schema_arrow.names]
    start, next_ = 0, 0
    for batch in file.iter_batches(BLOCK, columns=names):
        if next_ == len(positions):
            break
        features = batch.to_pandas()
        block = online.columns.read(features)
        entities = features["entity"].tolist() if "entity" in features.columns else [None] * len(block)
        at = 0
        while next_ < len(positions) and positions[next_] < start + len(block):
            here = int(positions[next_] - start)
            _learn(online, block, entities, at, here)
            score[next_] = online.detector.score_one(block[here], entities[here])
            parts[next_], errors[next_] = _pushes(online.detector, block[here], entities[here], budget)
            next_, at = next_ + 1, here
        _learn(online, block, entities, at, len(block))
        start += len(block)
    return parts, errors, score


def _learn(online: OnlineModel, block: NDArray[np.float64], entities: list[str | None], start: int, end: int) -> None:
    if end > start:
        online.detector.score_learn_many(block[start:end], entities[start:end])


def _pushes(
    detector: RowDetector, row: NDArray[np.float64], entity: str | None, budget: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each value of a row pushes toward anomalous, and the standard error of each push."""
    players = np.flatnonzero(~np.isnan(row))

    def worth(who: NDArray[np.bool_]) -> NDArray[np.float64]:
        rows = np.full((len(who), len(row)), np.nan)
        rows[:, players] = np.where(who, row[players], np.nan)
        return np.array([-detector.score_one(some, entity) for some in rows])

    values, error = shapley_values(worth, len(players), budget=budget)
    parts, errors = np.zeros(len(row)), np.zeros(len(row))
    parts[players], errors[players] = values, error
    return parts, errors


def _named(parts: NDArray[np.float64], online: OnlineModel, rows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(parts, index=rows.index, columns=online.columns.features)
