"""A dataset's name → its events, features and truth in the workspace; made by the simulator or read where they are absent."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from socml.project import (
    DataError,
    DatasetRecipe,
    Notice,
    Project,
    dataset_names,
    load_dataset_recipe,
    read_json,
    visible_line,
    write_json,
)

_COUNTS = ("rows", "malicious")  # the same for every seed
SAID = 5  # notices about the files read first; socml ingest says all
EXPLAINED = 200  # rows of a run that are explained at once; the others when someone asks


Step = Callable[[str], Any]


@contextmanager
def silent(_: str) -> Iterator[None]:
    """Say nothing about a step."""
    yield


def prepare_dataset(
    dataset: str, *, project: Project, paths: Sequence[str | Path] | None = None, step: Step = silent
) -> None:
    """Make sure that a dataset has events: simulate or ingest what its recipe names, or `paths`.

    Raises
    ------
    DataError
        If there is nothing to ingest.
    """
    recipe = load_dataset_recipe(dataset, project)
    if paths is None and dataset in dataset_names(project) and _is_made_by(recipe, project):
        return
    if paths is None:
        paths = simulated_files(recipe, project, step) if recipe.simulate is not None else recipe.paths
    if not paths:
        raise DataError(f"Dataset {dataset!r} has no events yet. Give its files: socml ingest PATH --dataset {dataset}")
    read_logs([project.root / path for path in paths], dataset, project, step)


def read_logs(paths: Sequence[Path], dataset: str, project: Project, step: Step = silent) -> None:
    """Ingest files as the first step of something else; what a user should know of them is a Notice each."""
    from socml.ingestion import ingest

    with step("reading the logs"):
        result = ingest(paths, dataset=dataset, project=project)
    said = [*result.warnings, *(f"Not read: {one.reason}" for one in result.failed)]
    for text in said[:SAID]:
        warnings.warn(visible_line(text), Notice, stacklevel=2)


def simulated_files(recipe: DatasetRecipe, project: Project, step: Step = silent) -> list[Path]:
    """Write the logs of a simulated dataset, unless those of the same parameters are there; return their folder."""
    folder = project.workspace / "raw" / recipe.name
    if not _is_made_by(recipe, project):
        from socml.simulator import simulate

        with step("simulating a small organisation"):
            simulate(folder, **(recipe.simulate or {}))
        write_json(_made_by(recipe, project), recipe.simulate)
    return [folder]


def _made_by(recipe: DatasetRecipe, project: Project) -> Path:
    return project.workspace / "raw" / f"{recipe.name}.json"


def _is_made_by(recipe: DatasetRecipe, project: Project) -> bool:
    """Say whether the raw files on disk were made with the recipe's parameters (always, if it simulates nothing)."""
    path = _made_by(recipe, project)
    if recipe.simulate is None:
        return True
    try:
        return path.is_file() and bool(read_json(path) == recipe.simulate)
    except DataError:  # damaged: they are made anew
        return False
