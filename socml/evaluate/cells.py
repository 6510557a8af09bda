"""One cell of a sweep → its metrics, kept in a file that is named by all the cell depends on.

A finished cell is never computed again, whatever sweep asks for it; a file is there in full or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from socml import __version__
from socml.project import (
    DataError,
    ExperimentRecipe,
    Project,
    SocmlError,
    Validation,
    component_code_hash,
    dataset_names,
    events_snapshot,
    load_dataset_recipe,
    load_feature_recipe,
    load_model_recipe,
    read_json,
    read_project,
    starter_root,
    truth_path,
    write_json,
)

RULES = "1"  # of how a cell is measured; another number makes every cell anew


class CellResult(TypedDict, total=False):
    """What a cell measured; `error` says why it could not."""

    dataset: str
    features: str
    model: str
    seed: int
    cell: str
    error: str
    metrics: dict[str, object]
    folds: list[dict[str, object]]
    notices: list[str]
    seconds: float


@dataclass(frozen=True)
class Cell:
    """One combination of a sweep."""

    dataset: str
    features: str
    model: str
    seed: int
    method: str = ""  # what is compared: the model, and its feature set where the sweep has several


def cells_of(recipe: ExperimentRecipe, project: Project) -> list[Cell]:
    """Return the cells of a sweep, in the order of its lists."""
    assert recipe.sweep is not None
    sweep = recipe.sweep
    found = []
    for dataset in sweep.datasets:
        for model in sweep.models:
            own = load_model_recipe(model, project).features
            for features in sweep.features or [own]:
                method = f"{model} · {features}" if len(sweep.features) > 1 else model
                found += [Cell(dataset, features, model, seed, method) for seed in sweep.seeds]
    return found


def cell_hash(cell: Cell, validation: Validation, project: Project) -> str:
    """Return a hash of all that a cell's metrics depend on: recipes, events, truth, protocol, seed, version of socml."""
    model = load_model_recipe(cell.model, project)
    truth = truth_path(project, cell.dataset)
    parts = [
        RULES,
        __version__,
        cell.dataset,
        load_dataset_recipe(cell.dataset, project).hash if _has_recipe(cell.dataset, project) else "",
        events_snapshot(project, cell.dataset) if cell.dataset in dataset_names(project) else "",
        hashlib.blake2b(truth.read_bytes(), digest_size=8).hexdigest() if truth.is_file() else "",
        load_feature_recipe(cell.features, project).hash,
        model.model_dump_json(exclude={"about", "validation", "search", "seed"}),
        validation.model_dump_json(),
        str(cell.seed),
        component_code_hash("supervised" if model.mode == "supervised" else "detectors", model.detector),
    ]
    taught = model.mode == "supervised" and model.training.labels == "analysts"
    if taught or validation.judged_by == "analysts" or not truth.is_file():
        from socml.labels import read_labels

        parts.append(read_labels(dataset=cell.dataset, project=project).to_csv())
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()


def cell_path(digest: str, project: Project) -> Path:
    """Return where a cell's metrics lie, whether or not it is finished."""
    return project.workspace / "cells" / f"{digest}.json"


def read_cell(digest: str, project: Project) -> CellResult | None:
    """Return what a finished cell measured, else None."""
    path = cell_path(digest, project)
    try:
        return cast("CellResult", dict(read_json(path))) if path.is_file() else None
    except (DataError, TypeError, ValueError):  # damaged: it is measured again
        return None


def run_cell(cell: Cell, digest: str, validation: Validation, project: Project) -> CellResult:
    """Measure one cell, keep what was found, and return it. A cell that cannot be measured says why, and is not kept."""
    from socml.evaluate.validation.run import validate

    started = time.perf_counter()
    about: CellResult = {
        "dataset": cell.dataset,
        "features": cell.features,
        "model": cell.model,
        "seed": cell.seed,
        "cell": digest,
    }
    try:
        recipe = load_model_recipe(cell.model, project).model_copy(update={"features": cell.features})
        fold_seed = validation.seed + cell.seed  # a seed draws the folds anew too
        judged = validation.model_copy(update={"seed": fold_seed})
        found = validate(recipe, cell.dataset, validation=judged, seed=cell.seed, project=project, record=False)
    except SocmlError as error:
        return {**about, "error": str(error)}
    result: CellResult = {**about, "metrics": found.pooled, "folds": found.folds, "notices": found.notices}
    write_json(cell_path(digest, project), {**result, "seconds": round(time.perf_counter() - started, 3)})
    return result


def run_cell_in_process(cell: Cell, digest: str, validation: Validation, root: str, workspace: str) -> CellResult:
    """Measure one cell in a process of its own, given the project's folders."""
    return run_cell(cell, digest, validation, project_at(root, workspace))


def project_at(root: str, workspace: str) -> Project:
    """Return the project whose recipes are in `root` and whose results go to `workspace`."""
    folder = Path(root)
    made = read_project(folder) if (folder / "socml.toml").is_file() else Project(starter_root(), Path(workspace))
    return dataclasses.replace(made, root=folder, workspace=Path(workspace))


def _has_recipe(dataset: str, project: Project) -> bool:
    return (project.recipes("datasets") / f"{dataset}.toml").is_file()
