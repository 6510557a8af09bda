"""A recipe with lists → every combination measured once, in parallel, resumable; the methods compared.

A sweep that is killed goes on where it stopped: finished cells are files, and files are looked at first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socml.evaluate.cells import Cell, CellResult, cell_hash, cells_of, read_cell, run_cell, run_cell_in_process
from socml.evaluate.method_ranks import compared, standing_table, write_diagram
from socml.evaluate.prepared import Step, prepare_dataset, silent
from socml.project import (
    DECISIONS,
    EVERYWHERE,
    DataError,
    ExperimentRecipe,
    Project,
    RecipeError,
    Validation,
    dataset_names,
    find_project,
    load_experiment_recipe,
    load_feature_recipe,
    load_model_recipe,
    safe_name,
    write_json,
)

if TYPE_CHECKING:
    import pandas as pd

    from socml.evaluate.metrics.significance import ComparisonRecord

Report = Callable[[int, int, str], Any]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Attributes
    ----------
    cells : DataFrame, one row a cell: dataset, features, model, seed, the metrics, error (why it has none)
    table : DataFrame, one row a method (model · feature set), the best first: mean over the datasets, low and high
        (95 %, bootstrap), mean_rank, then its mean over the seeds in each dataset
    comparison : Friedman's and Holm-Wilcoxon's p-values, Nemenyi's critical difference; empty where untestable
    computed, kept : cells that were measured now, and that were there before
    """

    experiment: str
    question: str
    metric: str
    cells: pd.DataFrame = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    comparison: ComparisonRecord = field(repr=False)
    computed: int
    kept: int
    diagram: Path | None = None
    notices: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        table = self.table.astype(object).where(self.table.notna(), None).reset_index().to_dict("records")
        cells = self.cells.astype(object).where(self.cells.notna(), None).to_dict("records")
        plain = ("experiment", "question", "metric", "comparison", "computed", "kept", "notices")
        return {
            **{name: getattr(self, name) for name in plain},
            "table": table,
            "cells": cells,
            "diagram": str(self.diagram) if self.diagram else None,
        }

    def _repr_html_(self) -> str:
        return str(self.table.to_html(float_format="{:.3f}".format))


def run_sweep(
    experiment: str | ExperimentRecipe,
    *,
    project: Project | None = None,
    step: Step = silent,
    report: Report | None = None,
    workers: int | None = None,
) -> SweepResult:
    """Measure every cell of a sweep that is not finished, and compare the methods over all.

    Cells are judged by the recipe's [validation] (3-fold cross-validation if it has none), with seeds that draw
    folds and fits anew. When all is measured it is recorded in MLflow: a run with a nested one a cell, the diagram
    and the table as artefacts.

    Parameters
    ----------
    report : called with the finished cells, all cells, and which it is
    workers : processes; the recipe's if not given, never more than there are processors

    Raises
    ------
    RecipeError, UnknownName, DataError
        If a name in a list does not exist, or no cell could be measured.
    """
    project = project or find_project()
    recipe = load_experiment_recipe(experiment, project) if isinstance(experiment, str) else experiment
    if recipe.sweep is None:
        raise RecipeError(f"{recipe.where} is no sweep: it has no [sweep].")
    _check_names(recipe, project)
    validation = _with_metric(recipe.validation or Validation(mode="cross-validation", folds=3), recipe.sweep.metric)
    for dataset in [*recipe.sweep.datasets, *validation.datasets]:
        _prepare(dataset, project, step)
    cells = cells_of(recipe, project)
    digests = [cell_hash(cell, validation, project) for cell in cells]
    found = [read_cell(digest, project) for digest in digests]
    todo = [i for i, result in enumerate(found) if result is None]
    kept = len(cells) - len(todo)
    if todo:
        _build_tables(cells, todo, project, step)
    processes = min(workers or recipe.sweep.workers, os.cpu_count() or 1, max(len(todo), 1))
    for i, result in _measured([(i, cells[i], digests[i]) for i in todo], validation, project, processes):
        found[i] = result
        if report:
            cell = cells[i]
            report(sum(f is not None for f in found), len(cells), f"{cell.method} on {cell.dataset}, seed {cell.seed}")
    return _result(recipe, cells, [result or {} for result in found], kept=kept, project=project)


def _with_metric(validation: Validation, metric: str) -> Validation:
    """Return a validation that measures the sweep's metric; as it is where every validation does."""
    if metric in ("average_precision", "auroc", *EVERYWHERE, *DECISIONS[2:]) or metric in validation.metrics:
        return validation
    return validation.model_copy(update={"metrics": [*validation.metrics, metric]})


def _check_names(recipe: ExperimentRecipe, project: Project) -> None:
    """Raise before anything is computed if a model or feature set of a list does not exist, or is not for sweeps."""
    assert recipe.sweep is not None
    for name in recipe.sweep.features:
        load_feature_recipe(name, project)
    for name in recipe.sweep.models:
        if load_model_recipe(name, project).mode == "online":
            raise RecipeError(f"{recipe.where}: model {name!r} is online; a sweep fits on some rows and judges others.")


def _prepare(dataset: str, project: Project, step: Step) -> None:
    if dataset in dataset_names(project) and not (project.recipes("datasets") / f"{dataset}.toml").is_file():
        return  # ingested under a name of its own
    prepare_dataset(dataset, project=project, step=step)


def _build_tables(cells: list[Cell], todo: list[int], project: Project, step: Step) -> None:
    """Build each feature table once, before processes read it."""
    from socml.features import build_feature_file

    for dataset, features in dict.fromkeys((cells[i].dataset, cells[i].features) for i in todo):
        with step(f"building {features} of {dataset}"):
            build_feature_file(features, dataset, project=project)


def _measured(
    todo: list[tuple[int, Cell, str]], validation: Validation, project: Project, processes: int
) -> Iterator[tuple[int, CellResult]]:
    if processes <= 1:
        for i, cell, digest in todo:
            yield i, run_cell(cell, digest, validation, project)
        return
    from multiprocessing import get_context

    context = get_context("spawn")  # a forked process would share threads of DuckDB and numba that it has not
    where = (str(project.root), str(project.workspace))
    share = max((os.cpu_count() or 1) // processes, 1)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_process, initargs=(share,)) as pool:
        running: dict[Future[CellResult], int] = {
            pool.submit(run_cell_in_process, cell, digest, validation, *where): i for i, cell, digest in todo
        }
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _begin_process(threads: int) -> None:
    """Give this process its share of the processors, before any library counts them, and end it with its parent."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        os.environ[name] = str(threads)
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, killed or not: nobody would read what it finds."""
    import threading
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _result(
    recipe: ExperimentRecipe, cells: list[Cell], found: list[CellResult], *, kept: int, project: Project
) -> SweepResult:
    import pandas as pd

    assert recipe.sweep is not None
    metric, both = recipe.sweep.metric, list(zip(cells, found, strict=True))
    failed = [f"{c.method} on {c.dataset}, seed {c.seed}: {t['error']}" for c, t in both if t.get("error")]
    frame = pd.DataFrame([{**vars(c), **_numbers(t.get("metrics", {})), "error": t.get("error", "")} for c, t in both])
    if metric not in frame.columns or frame[metric].isna().all():
        raise DataError(failed[0] if failed else f"No cell has a metric {metric!r}.")
    table = standing_table(frame, metric)
    comparison, notices = compared(frame, metric)
    folder = project.folder("sweeps", safe_name(recipe.name or "unnamed"))
    draws = find_spec("matplotlib") is not None
    diagram = write_diagram(folder / "critical-difference.png", comparison, metric) if comparison and draws else None
    notices += (
        []
        if draws or not comparison
        else ["No diagram was drawn: matplotlib is not installed. pip install 'socml[notebook]'"]
    )
    result = SweepResult(
        experiment=recipe.name or "unnamed",
        question=recipe.question,
        metric=metric,
        cells=frame,
        table=table,
        comparison=comparison.to_dict() if comparison else {},
        computed=len(cells) - kept - len(failed),
        kept=kept,
        diagram=diagram,
        notices=[*failed, *notices],
    )
    path = folder / "result.json"
    is_new = result.computed > 0 or not path.is_file()
    write_json(path, result.to_dict())
    if is_new:
        _record(result, found, [path, *([diagram] if diagram else [])], project)
    return result


def _numbers(metrics: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def _record(result: SweepResult, found: list[CellResult], artefacts: list[Path], project: Project) -> None:
    from socml.evaluate.validation.tracked import RunRecord, record_nested

    tags = {"socml.kind": "sweep", "socml.sweep": result.experiment}
    means = {f"{safe_metric(method)}": value for method, value in result.table["mean"].items()}
    parent = RunRecord(f"sweep {result.experiment}", {"metric": result.metric, "cells": len(found)}, means, tags)
    children = [
        RunRecord(
            f"{cell_result['model']} on {cell_result['dataset']}, seed {cell_result['seed']}",
            {key: cell_result[key] for key in ("dataset", "features", "model", "seed")},
            _numbers(cell_result["metrics"]),
            {**tags, "socml.cell": cell_result["cell"]},
        )
        for cell_result in found
        if cell_result.get("metrics")
    ]
    record_nested(result.experiment, parent, children, project=project, artefacts=artefacts)


def safe_metric(method: object) -> str:
    """Return a method's name as MLflow takes it for a metric.

    Examples
    --------
    >>> safe_metric("flow-forest · flow")
    'flow-forest - flow'
    """
    return "".join(c if c.isalnum() or c in "-_ ./" else "-" for c in str(method))
