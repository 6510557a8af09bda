"""A feature table and an online model's recipe → the score table: each row scored by the rows before it, then learned.

The model's state is a file. A run goes on where the last one stopped, bit for bit, and can itself be
interrupted and taken up again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from socml.errors import DataError, ModelError, RecipeError, did_you_mean
from socml.online._columns import OnlineColumns
from socml.online._detector import describe_parameters
from socml.online._per_entity import PerEntity
from socml.online._reference import RunningReference
from socml.online._state import State, read_state, write_state
from socml.project import Project, find_project
from socml.recipes import ModelRecipe, load_model_recipe
from socml.registry import component
from socml.versions import ModelVersion, Reference
from socml.workspace import read_metadata, read_run, run_folder, safe_name

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 65_536  # rows that are read at a time
CHECKPOINT_EVERY = 500_000  # rows after which an unfinished run keeps what it has
REMEMBERED_TABLES = 1000  # tables a model has learned from, by their hash


@dataclass
class OnlineModel:
    """An online detector with the columns it reads and the scale its scores are measured on.

    Attributes
    ----------
    recipe : the recipe it was made from
    columns : how features become rows
    detector : a component of `socml/online/`, or one for each entity
    scale : the last scores, which percentiles are measured against
    learned : hash of a feature table → the run that learned from it, the latest last
    """

    recipe: ModelRecipe
    columns: OnlineColumns
    detector: Any
    scale: RunningReference = field(default_factory=RunningReference)
    learned: dict[str, str] = field(default_factory=dict)

    def score_learn_many(self, features: pd.DataFrame) -> tuple[NDArray, NDArray]:
        """Score each row of a feature table, then learn it.

        Returns
        -------
        normality, percentile : shape (n_rows,); higher is more NORMAL, and 0 to 100 where high is anomalous
        """
        entities = features["entity"].tolist() if "entity" in features.columns else None
        normality = self.detector.score_learn_many(self.columns.read(features), entities)
        return normality, self.scale.measure(normality)

    def score_one(self, features: pd.DataFrame) -> float:
        """Return how normal the one row of a feature table is; higher is more NORMAL. Learns nothing."""
        entity = features["entity"].iloc[0] if "entity" in features.columns else None
        return float(self.detector.score_one(self.columns.read(features, learn=False)[0], entity))

    def learn_one(self, features: pd.DataFrame) -> None:
        """Learn the one row of a feature table."""
        self.score_learn_many(features)

    def save(self, path: Path) -> Path:
        """Write all that the model has learned to a file."""
        return write_state(path, self.state())

    def state(self) -> State:
        """Return all that the model has learned."""
        return {
            "recipe_hash": _recipe_hash(self.recipe),
            "features": self.columns.features,
            "learned": self.learned,
            "columns": self.columns.state(),
            "detector": self.detector.state(),
            "scale": self.scale.state(),
        }


def make_online(
    model: str | ModelRecipe, features: list[str], *, seed: int | None = None, project: Project | None = None
) -> OnlineModel:
    """Return an online model that has learned nothing.

    Parameters
    ----------
    model : name of a recipe in `models/`, or a recipe
    features : names of the columns it reads, in order
    seed : takes the place of the recipe's seed

    Raises
    ------
    RecipeError
        If the recipe is not of an online model, or its detector has no such parameter; names the nearest.

    Examples
    --------
    >>> recipe = ModelRecipe(mode="online", detector="loda", features="flow", parameters={"n_cut": 10})
    >>> make_online(recipe, ["duration_s"])
    Traceback (most recent call last):
    ...
    socml.errors.RecipeError: The model has an unknown parameter 'n_cut': loda does not have it. Did you mean 'n_cuts'?
    """
    recipe = load_model_recipe(model, project or find_project()) if isinstance(model, str) else model
    where = str(recipe.path) if recipe.name else "The model"
    if recipe.mode != "online":
        raise RecipeError(f'{where} is not of an online model: it has no mode = "online".')
    kind = component("online", recipe.detector)
    known = describe_parameters(kind)
    for parameter in recipe.parameters:
        if parameter not in {*known, "max_entities"}:
            near = did_you_mean(parameter, known)
            raise RecipeError(
                f"{where} has an unknown parameter {parameter!r}: {recipe.detector} does not have it.{near}"
            )
    parameters = {"seed": recipe.seed if seed is None else seed, **recipe.parameters}
    return OnlineModel(recipe, OnlineColumns(features, **recipe.preparation), _detector(kind, parameters))


def load_online(
    path: Path, model: str | ModelRecipe, *, seed: int | None = None, project: Project | None = None
) -> OnlineModel:
    """Return the online model whose state is in a file; it goes on where it stopped, bit for bit.

    Raises
    ------
    ModelError
        If the file is not such a state, or the recipe has changed since.
    """
    state = read_state(path)
    try:
        online = make_online(model, list(state["features"]), seed=seed, project=project)
        if state["recipe_hash"] != _recipe_hash(online.recipe):
            raise ModelError(
                f"{path} is of another recipe than {online.recipe.name!r}, or of an earlier one. Start anew."
            )
        _restore(online, state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is not the state of an online model: {error!r}") from error
    return online


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
) -> dict[str, Any]:
    """Score a feature file row by row in the order of time, learning as it goes; return what `run.json` says.

    Writes `workspace/scores/<run_id>/` as `socml.scores.score_run` does, without leaves, and the model's state
    beside it; `workspace/online/<model>.npz` is the state of the model's latest run. A table that the model
    has learned from before is not learned twice: its run is returned.

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
    metadata = read_metadata(features_path)
    if metadata.get("feature_set", recipe.features) != recipe.features:
        raise ModelError(f"{recipe.name!r} reads the feature set {recipe.features!r}, not {metadata['feature_set']!r}.")
    state_path = _latest(recipe, project) if str(start) == "latest" else Path(start) if start else None
    table_hash = _file_hash(features_path)
    if state_path is not None and state_path.is_file():
        online = load_online(state_path, recipe, seed=seed, project=project)
        if table_hash in online.learned:
            return read_run(project, online.learned[table_hash])
    elif start and str(start) != "latest":
        raise DataError(f"There is no state at {start}. Leave out start to begin anew.")
    else:
        online = make_online(recipe, list(metadata["features"]), seed=seed, project=project)
    run_id = _run_id(online, table_hash, seed)
    folder = run_folder(project, run_id)
    if not (folder / "run.json").is_file():
        online, said = _pass(online, features_path, folder / ".progress.npz", checkpoint_every, progress)
        online.learned = dict([*online.learned.items(), (table_hash, run_id)][-REMEMBERED_TABLES:])
        online.save(folder / "state.npz")
        about = {"run_id": run_id, "experiment": experiment, "finished": finished, "online": True}
        _save(online, features_path, said, about, project=project, truth=truth)
    write_state(_latest(recipe, project), read_state(folder / "state.npz"))
    (folder / ".progress.npz").unlink(missing_ok=True)
    return read_run(project, run_id)


def _detector(kind: Any, parameters: dict[str, Any]) -> Any:
    try:
        if kind.by_entity or "max_entities" not in parameters:
            made = kind(**parameters)
        else:
            most = parameters.pop("max_entities")
            made = PerEntity(lambda: kind(**parameters), max_entities=most)
            kind(**parameters)  # a parameter that makes no sense is told now
    except (TypeError, ValueError) as error:
        raise RecipeError(f"The parameters {parameters} do not fit: {error}") from error
    return made


def _restore(online: OnlineModel, state: State) -> None:
    online.columns.restore(state["columns"])
    online.detector.restore(state["detector"])
    online.scale.restore(state["scale"])
    online.learned = dict(state["learned"])


def _pass(
    online: OnlineModel, path: Path, kept: Path, every: int, progress: Callable[[int, int], None] | None
) -> tuple[OnlineModel, NDArray]:
    """Score and learn a file, taking up what `kept` holds; return the model, and normality and percentile (2, n)."""
    file = pq.ParquetFile(path)
    rows = file.metadata.num_rows
    said, at = np.zeros((2, rows)), 0
    if kept.is_file():
        before = read_state(kept)
        _restore(online, before["model"])
        at = before["said"].shape[1]
        said[:, :at] = before["said"]
    columns = [*online.columns.features, "entity"]
    skip, saved = at, at
    for batch in file.iter_batches(BLOCK, columns=[c for c in columns if c in file.schema_arrow.names]):
        if skip >= len(batch):
            skip -= len(batch)
            continue
        features = batch.slice(skip).to_pandas()
        skip = 0
        end = at + len(features)
        said[0, at:end], said[1, at:end] = online.score_learn_many(features)
        at = end
        if at - saved >= every and at < rows:
            write_state(kept, {"model": online.state(), "said": said[:, :at]})
            saved = at
        if progress:
            progress(at, rows)
    if not np.isfinite(said).all():
        raise ModelError(f"{online.recipe.name!r} gave scores that are no numbers.")
    return online, said


def _save(online: OnlineModel, features_path: Path, said: NDArray, about: dict[str, Any], **others: Any) -> None:
    from socml.scores import save_run

    recipe, metadata = online.recipe, read_metadata(features_path)
    lineage = {"feature_set": recipe.features, "feature_hash": metadata.get("recipe_hash", "")}
    scale: Any = _Measured(said[1])
    version = ModelVersion(recipe.name or "unnamed", f"online-{_recipe_hash(recipe)[:8]}", None, scale, None, lineage)  # type: ignore[arg-type]
    save_run(version, features_path, said[0], about, **others)


class _Measured(Reference):
    """Percentiles that were measured row by row, as they came."""

    def __init__(self, percentile: NDArray) -> None:
        object.__setattr__(self, "measured", percentile)

    def percentile(self, normality: NDArray) -> NDArray:
        return np.asarray(self.measured)  # type: ignore[attr-defined]


def _latest(recipe: ModelRecipe, project: Project) -> Path:
    return project.workspace / "online" / f"{safe_name(recipe.name or 'unnamed')}.npz"


def _recipe_hash(recipe: ModelRecipe) -> str:
    said = recipe.model_dump_json(exclude={"about"})
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _run_id(online: OnlineModel, table_hash: str, seed: int | None) -> str:
    parts = (_recipe_hash(online.recipe), str(seed), *online.learned, table_hash)
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
