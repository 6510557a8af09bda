"""An online model's recipe → a model that learns as the rows come, whose state is a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from socml.detectors import (
    OnlineColumns,
    PerEntity,
    RiverStream,
    RowDetector,
    RunningReference,
    State,
    check_parameters,
    is_import_path,
    read_state,
    river_stream,
    write_state,
)
from socml.features import plain_table
from socml.project import ModelError, ModelRecipe, Project, RecipeError, component, find_project, load_model_recipe

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


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
    detector: RowDetector
    scale: RunningReference = field(default_factory=RunningReference)
    learned: dict[str, str] = field(default_factory=dict)

    def score_learn_many(self, features: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score each row of a feature table, then learn it.

        Returns
        -------
        normality, percentile : shape (n_rows,); higher is more NORMAL, and 0 to 100 where high is anomalous
        """
        features = plain_table(features)
        entities = features["entity"].tolist() if "entity" in features.columns else None
        normality = self.detector.score_learn_many(self.columns.read(features), entities)
        return normality, self.scale.measure(normality)

    def score_one(self, features: pd.DataFrame) -> float:
        """Return how normal the one row of a feature table is; higher is more NORMAL. Learns nothing."""
        features = plain_table(features)
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
            "recipe_hash": recipe_hash(self.recipe),
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
    socml.project.errors.RecipeError: The model has an unknown parameter 'n_cut': loda does not have it. Did you mean 'n_cuts'?
    """
    recipe = load_model_recipe(model, project or find_project()) if isinstance(model, str) else model
    where = recipe.where
    if recipe.mode != "online":
        raise RecipeError(f'{where} is not of an online model: it has no mode = "online".')
    for name in recipe.preparation.keys() - {"log"}:
        raise RecipeError(
            f"{where}: preparation has an unknown parameter {name!r}: that of an online model has 'log' alone."
        )
    if is_import_path(recipe.detector):
        return OnlineModel(recipe, OnlineColumns(features, **recipe.preparation), _from_river(recipe, seed, where))
    kind = component("online", recipe.detector)
    check_parameters(kind, recipe.detector, recipe.parameters, where=where, more=["max_entities"])
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
    return online_of_state(read_state(path), model, where=path, seed=seed, project=project)


def online_of_state(
    state: State, model: str | ModelRecipe, *, where: Path, seed: int | None = None, project: Project | None = None
) -> OnlineModel:
    """Return the online model of a state that was read, `where` it stood; it goes on where it stopped, bit for bit.

    Raises
    ------
    ModelError
        If it is not such a state, or the recipe has changed since.
    """
    try:
        online = make_online(model, list(state["features"]), seed=seed, project=project)
        if state["recipe_hash"] != recipe_hash(online.recipe):
            raise ModelError(
                f"{where} is of another recipe than {online.recipe.name!r}, or of an earlier one. Start anew."
            )
        restore_model(online, state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{where} is not the state of an online model: {error!r}") from error
    return online


def _from_river(recipe: ModelRecipe, seed: int | None, where: str) -> RowDetector:
    """Return a River model as an online detector, or one for each entity where the recipe says how many."""
    given = dict(recipe.parameters)
    most = given.pop("max_entities", None)

    def make() -> RiverStream:
        drawn = recipe.seed if seed is None else seed
        return river_stream(recipe.detector, given, steps=recipe.steps, seed=drawn, where=where)

    first = make()  # what does not fit is told now
    return first if most is None else PerEntity(make, max_entities=int(most))


def _detector(kind: Any, parameters: dict[str, Any]) -> RowDetector:
    made: RowDetector
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


def restore_model(online: OnlineModel, state: State) -> None:
    """Let a model know what `state` says and nothing else."""
    online.columns.restore(state["columns"])
    online.detector.restore(state["detector"])
    online.scale.restore(state["scale"])
    online.learned = dict(state["learned"])


def recipe_hash(recipe: ModelRecipe) -> str:
    """Return a hash of all in a recipe that a model's scores depend on."""
    content = recipe.model_dump_json(exclude={"about"} if recipe.steps else {"about", "steps"})
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
