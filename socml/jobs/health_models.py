"""The model registry and its champions → findings: whole, their files loadable, their events and SQL as when fitted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from socml.jobs.health_finding import Finding
from socml.models import (
    CHAMPION,
    REGISTRY_DAMAGED,
    ModelVersion,
    check_registry_file,
    fetch_files,
    load_model,
    open_registry,
)
from socml.project import ModelError, Project, SocmlError, dataset_names, first_line, load_feature_recipe


def registry(project: Project) -> Iterator[Finding]:
    """Tell how the registry is, and of each model's champion whether it could score now."""
    if not project.tracking_uri:
        path = project.workspace / "mlflow" / "mlflow.db"
        if not path.is_file():
            yield Finding("model registry", "no fitted model yet")
            return
        damage = _damage(path)
        if damage:
            yield Finding("model registry", damage, ok=False, remedy=REGISTRY_DAMAGED)
            return
    models = open_registry(project).search_registered_models()
    yield Finding("model registry", f"{len(models):,} models, whole")
    for model in models:
        number = dict(model.aliases).get(CHAMPION)
        if number is None:
            remedy = f"Fit it, or promote a version: socml fit {model.name} DATASET --promote"
            yield Finding(f"champion of {model.name}", "none", ok=False, remedy=remedy)
        else:
            yield _champion(model.name, str(number), project)


def _champion(name: str, number: str, project: Project) -> Finding:
    what, again = f"champion of {name}", f"Fit again: socml fit {name} DATASET --promote"
    try:
        version = load_model(name, number, project=project)
    except SocmlError as error:
        fetch = partial(_fetch, name, number, project)
        return Finding(what, str(error), ok=False, remedy="Fetch its files anew: socml doctor --repair", repair=fetch)
    dataset = str(version.metadata.get("dataset") or "")
    if dataset and dataset not in dataset_names(project):
        return Finding(what, f"{number}, but its events (dataset {dataset}) are not here", ok=False, remedy=again)
    if _has_other_sql(version, project):
        return Finding(what, f"{number}, but the SQL of its features has changed since", ok=False, remedy=again)
    return Finding(what, f"{number}, loadable")


def _has_other_sql(version: ModelVersion, project: Project) -> bool:
    try:
        recipe = load_feature_recipe(str(version.metadata.get("feature_set")), project)
    except SocmlError:
        return False  # a recipe that is broken or gone is told of with the recipes
    return version.metadata.get("sql_hash", "") not in {"", recipe.sql_hash}


def _fetch(name: str, number: str, project: Project) -> str:
    kept = project.workspace / "models" / name / number
    aside = kept.with_name(f".{number}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    if kept.exists():
        kept.rename(aside)
    try:
        fetch_files(name, number, project)
        load_model(name, number, project=project)
    finally:
        if not kept.exists() and aside.exists():
            aside.rename(kept)
        shutil.rmtree(aside, ignore_errors=True)
    return f"the files of {name}/{number} are fetched from the registry"


def _damage(path: Path) -> str:
    """Return what is wrong with the registry's SQLite file; empty if nothing is. A locked one is `TryLater`."""
    try:
        check_registry_file(path)
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("pragma integrity_check(3)")]
    except (ModelError, sqlite3.DatabaseError) as error:
        return first_line(error)
    return "" if found == ["ok"] else f"damaged: {'; '.join(found)}"
