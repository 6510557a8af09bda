"""A model recipe and a dataset → each fold fitted and judged, the values pooled, kept and recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from socml.evaluate.validation.alerts import Cluster, alert_clusters
from socml.evaluate.validation.judged import Judged, judge
from socml.evaluate.validation.pooled import fold_metrics, pooled_metrics
from socml.evaluate.validation.result import About, ValidationResult, save_validation
from socml.evaluate.validation.splits import Fold, make_folds
from socml.evaluate.validation.table import KnownTable, known_table
from socml.evaluate.validation.tracked import RunRecord, record_nested
from socml.project import (
    DataError,
    ModelError,
    ModelRecipe,
    Project,
    Validation,
    find_project,
    load_model_recipe,
    metadata_of,
)

if TYPE_CHECKING:
    import pandas as pd

Step = Callable[[str], AbstractContextManager[Any]]


def validate(
    model: str | ModelRecipe,
    dataset: str,
    *,
    validation: Validation | None = None,
    seed: int | None = None,
    project: Project | None = None,
    record: bool = True,
    step: Step = nullcontext,
) -> ValidationResult:
    """Fit a model on each fold's training rows and judge it on the others.

    A supervised model learns from the training rows alone. Any model is judged by ground truth, and by the labels of
    analysts where the dataset has none or `judged_by` is "analysts". Scores of detectors are comparable within one fold only: pooled, a row stands by its place
    among the judged rows of its fold. Probabilities are pooled as they are.

    In memory are whom each row is about and when, what is known of it, and of one fold at a time its training rows with
    their matrix, as many as `[engine] memory_limit` has room for (a seeded sample of more, with a `Notice`), and what the
    detector needs. Test rows are read and judged in blocks. Of a fold that is done stay what is said of each row and the
    matrix of the alerts that are grouped.

    Parameters
    ----------
    validation : takes the place of the recipe's [validation]; temporal if there is neither
    record : whether it is kept in the workspace and recorded in MLflow, a run with a nested one a fold
    step : called with what begins now; its result is entered while that goes on

    Raises
    ------
    DataError, ModelError
        If rows cannot be parted so, nothing is known of them, or no fold has enough to learn from.
    """
    project = project or find_project()
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    validation = validation or recipe.validation or Validation()
    seed = recipe.seed if seed is None else seed
    with ExitStack() as held:
        with step(f"building {recipe.features}"):
            tables = [
                held.enter_context(known_table(recipe, name, project=project, judged_by=validation.judged_by))
                for name in _datasets(dataset, validation)
            ]
        judged, folds, notices = _judge_folds(recipe, tables, validation, seed, project, step)
        notices += _notices_of(tables, project)
    every = Judged.joined(judged)
    rows = every.frame()
    about = _about(recipe, tables, validation, seed)
    with step("measuring"):
        pooled = pooled_metrics(every, validation)
        clusters = _clusters(every, rows)
        result = ValidationResult(
            _identity(recipe, validation, seed, tables), about, folds, pooled, every.curves(), rows, clusters, notices
        )
    if record:
        _keep(result, recipe, project)
    return result


def _about(recipe: ModelRecipe, tables: list[KnownTable], validation: Validation, seed: int) -> About:
    return {
        "model": recipe.name or "unnamed",
        "mode": recipe.mode,
        "features": recipe.features,
        "feature_set": recipe.features,
        "datasets": [table.dataset for table in tables],
        "validation": validation.model_dump(mode="json"),
        "seed": seed,
    }


def _notices_of(tables: list[KnownTable], project: Project) -> list[str]:
    """Return what is to be said of figures from these tables: columns that leak the truth, and labels that judge."""
    leaks = [
        f"Column {name!r} of {table.dataset} says what the truth says: these figures are its own."
        for table in tables
        for name in _leaks(table, project)
    ]
    return leaks + [labels_notice(table) for table in tables if table.by_labels]


def _leaks(table: KnownTable, project: Project) -> list[str]:
    """Return the features that say of the first known rows what the truth says."""
    from socml.features import ROWS_COMPARED, feature_names, label_columns

    known = np.flatnonzero(~np.isnan(table.malicious))[: min(ROWS_COMPARED, table.room(project))]
    rows = table.take(known)
    return label_columns(rows[feature_names(rows)], table.malicious[known])


def labels_notice(table: KnownTable) -> str:
    """Return what is to be said of figures by labels."""
    known = int((~np.isnan(table.malicious)).sum())
    return (
        f"{table.dataset} is judged by {known:,} labels of analysts: rows that they looked at, the most anomalous first, "
        "and no sample of all."
    )


def _datasets(dataset: str, validation: Validation) -> list[str]:
    others = validation.datasets if validation.mode == "datasets" else []
    if dataset in others:
        raise DataError(f"Validation 'datasets' judges on other datasets, and {dataset!r} is the one fitted on.")
    return [dataset, *others]


def _judge_folds(
    recipe: ModelRecipe, tables: list[KnownTable], validation: Validation, seed: int, project: Project, step: Step
) -> tuple[list[Judged], list[dict[str, object]], list[str]]:
    judged, folds, notices = [], [], []
    last: ModelError | None = None
    for test_table, fold in _folds(tables, validation):
        with step(f"{fold.name}: fitting on {len(fold.train):,} rows, judging {len(fold.test):,}"):
            try:
                found = judge(recipe, tables[0], test_table, fold, validation, seed=seed, project=project)
            except ModelError as error:
                last = error
                notices.append(f"{fold.name} is left out: {error}")
                continue
        judged.append(found)
        folds.append(fold_metrics(found, validation))
    if not judged:
        raise last or DataError("No fold could be judged.")
    if validation.mode == "random":
        notices.append("Rows are drawn anew each time: a row may be judged more than once.")
    return judged, folds, notices


def _folds(tables: list[KnownTable], validation: Validation) -> list[tuple[KnownTable, Fold]]:
    first = tables[0]
    if validation.mode != "datasets":
        return [(first, fold) for fold in make_folds(first.rows(validation.entity), validation)]
    train = np.arange(len(first.features))
    return [(table, Fold(table.dataset, train, np.arange(len(table.features)))) for table in tables[1:]]


def _clusters(every: Judged, rows: pd.DataFrame) -> list[Cluster]:
    """Return groups among the alerts, with the row that stands for each."""
    if not len(every.kept) or not every.names:
        return []
    first = np.argsort(every.order[every.kept], kind="stable")
    where = every.kept[first]
    _, groups = alert_clusters(every.matrix[first], every.names, malicious=every.malicious[where])
    return [{**group, "row_id": str(rows["row_id"].iloc[where[group["first"]]])} for group in groups]


def _identity(recipe: ModelRecipe, validation: Validation, seed: int, tables: list[KnownTable]) -> str:
    parts = [recipe.model_dump_json(exclude={"about", "validation", "search"}), validation.model_dump_json(), str(seed)]
    for table in tables:
        about = metadata_of(table.features)
        parts += [table.dataset, str(about.get("recipe_hash")), str(about.get("events_snapshot"))]
        parts.append(hashlib.blake2b(table.malicious.tobytes(), digest_size=8).hexdigest())
        if table.labels is not None:
            parts.append(table.labels.to_csv())
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _keep(result: ValidationResult, recipe: ModelRecipe, project: Project) -> None:
    artefacts = save_validation(result, project)
    tags = {"socml.kind": "validation", "socml.validation_id": result.validation_id}
    section = {f"validation.{key}": value for key, value in result.about["validation"].items() if value}
    parent = RunRecord(
        f"{result.about['model']} {result.about['validation']['mode']}",
        {"detector": recipe.detector, "features": recipe.features, "seed": result.about["seed"], **section},
        result.pooled,
        tags,
    )
    children = [RunRecord(str(fold["name"]), {}, fold, tags) for fold in result.folds]
    record_nested(f"validate {result.about['model']}", parent, children, project=project, artefacts=artefacts)
