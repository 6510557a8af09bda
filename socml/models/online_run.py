"""A feature table and an online model → the score table: each row scored by the rows before it, then learned.

A run goes on where the last one stopped, bit for bit, and can itself be interrupted and taken up again.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.detectors import read_state, write_state
from socml.models.online_model import OnlineModel, load_online, make_online, recipe_hash, restore_model
from socml.models.scoring import file_hash, save_run
from socml.models.version import ModelVersion, Reference
from socml.project import (
    DataError,
    ModelError,
    ModelRecipe,
    Notice,
    Project,
    Run,
    TableMetadata,
    as_it_is,
    find_project,
    list_runs,
    load_model_recipe,
    one_at_a_time,
    open_table,
    parquet_writer,
    private_folder,
    read_metadata,
    read_run,
    read_table,
    replacing,
    run_folder,
    safe_name,
)

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 65_536  # rows that are read at a time
CHECKPOINT_EVERY = 500_000  # rows after which an unfinished run keeps what it has
REMEMBERED_TABLES = 1000  # tables a model has learned from, by their hash


def score_online(
    model: str | ModelRecipe,
    features_path: Path,
    *,
    project: Project | None = None,
    start: str | Path = "",
    seed: int | None = None,
    experiment: str = "",
    finished: str = "",
    truth: pd.DataFrame | pd.Series | None = None,
    checkpoint_every: int = CHECKPOINT_EVERY,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Score a feature file row by row in the order of time, learning as it goes; return what `run.json` says.

    Writes `workspace/scores/<run_id>/` as `socml.models.scoring.score_run` does, without leaves, and the model's state
    beside it; `workspace/online/<model>.npz` is the state of the model's latest run. No row is learned twice: where the
    table has grown since an earlier run of the dataset, the run is of what is new (its features are kept beside the
    scores), and of a table that the model knows the earlier run is returned. The rows of a window that was not over when
    it was scored count as new. Blind to what late events change in the windows before.

    Parameters
    ----------
    start : empty for a model that knows nothing, `latest` for the state of its latest run, or a state file
    finished : when it was finished, ISO 8601; the time the score file was written if empty
    truth : `malicious` by `row_id`, for the metrics; the model never sees it
    checkpoint_every : rows after which an interrupted run can be taken up
    progress : called with the rows scored so far and all rows

    Raises
    ------
    RecipeError, ModelError, DataError
    """
    project = project or find_project()
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    about: Run = {"experiment": experiment, "finished": finished, "online": True, "seed": seed}
    about["features_path"] = os.path.relpath(features_path, project.workspace)
    lock = _latest(recipe, project).with_suffix(".lock")
    with as_it_is(features_path) as held, one_at_a_time(lock):  # of two at once the second learns on from the first
        return _score_online(recipe, held, about, str(start), checkpoint_every, progress, project=project, truth=truth)


def _score_online(
    recipe: ModelRecipe,
    features_path: Path,
    about: Run,
    start: str,
    checkpoint_every: int,
    progress: Callable[[int, int], None] | None,
    *,
    project: Project,
    truth: pd.DataFrame | pd.Series | None,
) -> Run:
    """Score and learn a feature file that nothing replaces; `about` is what `run.json` is to say of it besides."""
    metadata, seed = read_metadata(features_path), about.get("seed")
    if metadata.get("feature_set", recipe.features) != recipe.features:
        raise ModelError(f"{recipe.name!r} reads the feature set {recipe.features!r}, not {metadata['feature_set']!r}.")
    table_hash = file_hash(features_path)
    online = _begun(recipe, start, list(metadata["features"]), seed, project)
    if table_hash in online.learned:
        return read_run(project, online.learned[table_hash])
    _check_same_sql(online, metadata, project)
    run_id = _run_id(online, table_hash, seed)
    folder = run_folder(project, run_id)
    known = _known_rows(online, metadata, project)
    if known.run_id:
        if not _new_rows(features_path, known, folder / "features.parquet"):
            return read_run(project, known.run_id)
        features_path = folder / "features.parquet"
        about["features_path"] = os.path.relpath(features_path, project.workspace)
    if not (folder / "run.json").is_file():
        online, scores = _pass(online, features_path, folder / ".progress.npz", checkpoint_every, progress)
        online.learned = dict([*online.learned.items(), (table_hash, run_id)][-REMEMBERED_TABLES:])
        online.save(folder / "state.npz")
        about["run_id"] = run_id
        save_online_run(online, features_path, scores, about, project=project, truth=truth)
    write_state(_latest(recipe, project), read_state(folder / "state.npz"))
    (folder / ".progress.npz").unlink(missing_ok=True)
    return read_run(project, run_id)


@dataclass(frozen=True)
class _Known:
    """The rows of a dataset that a model has learned: by name, and all before `since`, whose runs are gone.

    `run_id` is the last run of the dataset that is there; empty if none is.
    """

    names: pa.ChunkedArray
    since: datetime | None
    run_id: str

    def new(self, rows: pa.Table) -> pa.ChunkedArray:
        """Return which rows were not learned."""
        fresh = pc.invert(pc.is_in(rows["row_id"], self.names))
        if self.since is None:
            return fresh
        is_later = pc.greater_equal(rows["time"], pa.scalar(self.since, rows["time"].type))
        return pc.and_(fresh, pc.fill_null(is_later, True))


def _known_rows(online: OnlineModel, metadata: TableMetadata, project: Project) -> _Known:
    """Return the rows of this dataset that a model has learned: of windows those alone that were over."""
    dataset, window = metadata.get("dataset", ""), timedelta(seconds=int(metadata.get("window_seconds") or 0))
    runs = {run["run_id"]: run for run in list_runs(project)} if online.learned else {}
    here = [run_id for run_id in online.learned.values() if run_id in runs and runs[run_id]["dataset"] == dataset]
    names: list[pa.Array] = []
    first: list[datetime] = []
    for run_id in here:
        scored = read_table(run_folder(project, run_id) / "scores.parquet", columns=["row_id", "time"])
        span = pc.min_max(scored["time"]).as_py()
        if window and span["max"] is not None:
            last = pa.scalar(span["max"] - window, scored["time"].type)
            scored = scored.filter(pc.less_equal(scored["time"], last))
        names += scored["row_id"].chunks
        first += [span["min"]] if span["min"] is not None else []
    gone = sum(run_id not in runs for run_id in online.learned.values())
    if gone and not here:
        warnings.warn(
            f"The runs of which {online.recipe.name!r} has learned are gone: rows that it knows count as new.",
            Notice,
            stacklevel=4,
        )
    is_forgotten = gone or len(online.learned) >= REMEMBERED_TABLES
    since = min(first, default=None) if is_forgotten else None
    return _Known(pa.chunked_array(names, pa.string()), since, here[-1] if here else "")


def _new_rows(path: Path, known: _Known, target: Path) -> int:
    """Write the rows of a feature file that are not known, and return how many they are; nothing if there are none."""
    fresh = known.new(read_table(path, columns=["row_id", "time"]))
    rows, begin = pc.sum(fresh).as_py() or 0, 0
    if rows:
        private_folder(target.parent)
        file = open_table(path)
        with replacing(target) as temporary, parquet_writer(temporary, file.schema_arrow) as writer:
            for batch in file.iter_batches(BLOCK):
                new = pa.Table.from_batches([batch]).filter(fresh.slice(begin, len(batch)))
                begin += len(batch)
                if len(new):
                    writer.write_table(new)
    return int(rows)


def _begun(recipe: ModelRecipe, start: str, features: list[str], seed: int | None, project: Project) -> OnlineModel:
    """Return the model as `start` has it: of its latest run, of a state file, or one that knows nothing."""
    state_path = _latest(recipe, project) if start == "latest" else Path(start) if start else None
    if state_path is not None and state_path.is_file():
        return load_online(state_path, recipe, seed=seed, project=project)
    if start not in ("", "latest"):
        raise DataError(f"There is no state at {start}. Leave out start to begin anew.")
    return make_online(recipe, features, seed=seed, project=project)


def _check_same_sql(online: OnlineModel, metadata: TableMetadata, project: Project) -> None:
    """Raise if the table was built by another SELECT than the last one that the model has learned from."""
    last = next(reversed(online.learned.values()), None)
    if last is None:
        return
    before = next((run.get("sql_hash") for run in list_runs(project) if run["run_id"] == last), "")
    if before and metadata.get("sql_hash") and before != metadata["sql_hash"]:
        name = online.recipe.features
        raise ModelError(
            f"The SQL of {name!r} has changed since {online.recipe.name!r} learned from it: put features/{name}.sql "
            f"back, or remove {_latest(online.recipe, project)} to let the model begin anew."
        )


def _pass(
    online: OnlineModel, path: Path, kept: Path, every: int, progress: Callable[[int, int], None] | None
) -> tuple[OnlineModel, NDArray[np.float64]]:
    """Score and learn a file, taking up what `kept` holds; return the model, and normality and percentile (2, n)."""
    file = open_table(path)
    rows = file.metadata.num_rows
    scores, at = np.zeros((2, rows)), 0
    if kept.is_file():
        before = read_state(kept)
        restore_model(online, before["model"])
        at = before["said"].shape[1]
        scores[:, :at] = before["said"]
    columns = [*online.columns.features, "entity"]
    skip, saved = at, at
    for batch in file.iter_batches(BLOCK, columns=[c for c in columns if c in file.schema_arrow.names]):
        if skip >= len(batch):
            skip -= len(batch)
            continue
        features = batch.slice(skip).to_pandas()
        skip = 0
        end = at + len(features)
        scores[0, at:end], scores[1, at:end] = online.score_learn_many(features)
        at = end
        if at - saved >= every and at < rows:
            write_state(kept, {"model": online.state(), "said": scores[:, :at]})
            saved = at
        if progress:
            progress(at, rows)
    if not np.isfinite(scores).all():
        raise ModelError(f"{online.recipe.name!r} gave scores that are no numbers.")
    return online, scores


def save_online_run(
    online: OnlineModel,
    features_path: Path,
    scores: NDArray[np.float64],
    about: Run,
    project: Project,
    truth: pd.DataFrame | pd.Series | None = None,
) -> Run:
    """Write the score table of rows that an online model has scored, and return what `run.json` says.

    Parameters
    ----------
    scores : shape (2, n_rows), normality and percentile, in the rows' order
    """
    recipe, metadata = online.recipe, read_metadata(features_path)
    lineage = {"feature_set": recipe.features, "feature_hash": metadata.get("recipe_hash", "")}
    scale: object = _Measured(scores[1])
    version = ModelVersion(recipe.name or "unnamed", f"online-{recipe_hash(recipe)[:8]}", None, scale, None, lineage)  # type: ignore[arg-type]
    return save_run(version, features_path, scores[0], about, project=project, truth=truth)


class _Measured(Reference):
    """Percentiles that were measured row by row, as they came."""

    def __init__(self, percentile: NDArray[np.float64]) -> None:
        object.__setattr__(self, "measured", percentile)

    def percentile(self, normality: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.measured)  # type: ignore[attr-defined]


def _latest(recipe: ModelRecipe, project: Project) -> Path:
    return project.workspace / "online" / f"{safe_name(recipe.name or 'unnamed')}.npz"


def _run_id(online: OnlineModel, table_hash: str, seed: int | None) -> str:
    parts = (recipe_hash(online.recipe), str(seed), *online.learned, table_hash)
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
