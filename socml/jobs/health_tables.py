"""The tables of a workspace → findings: parts of events, feature tables, and the files of scoring runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from socml.jobs.health_finding import Finding
from socml.project import (
    DataError,
    Manifest,
    Notice,
    Project,
    Run,
    SocmlError,
    check_leaves,
    check_part,
    damaged_runs,
    dataset_names,
    events_snapshot,
    list_runs,
    load_feature_recipe,
    open_table,
    read_manifest,
    read_metadata,
    run_folder,
    stored_before_manifests,
)

_READ_ANEW = "Restore it from a backup, or read the dataset's files anew: socml ingest PATHS --dataset NAME --anew"


def events(project: Project) -> Iterator[Finding]:
    """Tell of each dataset whether its manifest, parts, truth and quarantine are there and are what was written."""
    folders = sorted(path for path in (project.workspace / "events").glob("*") if path.is_dir())
    if not folders:
        yield Finding("datasets with events", "none yet")
    for folder in folders:
        name = folder.name
        try:
            manifest = read_manifest(folder)
        except DataError as error:
            yield Finding(f"events of {name}", str(error), ok=False, remedy=_READ_ANEW)
            continue
        if manifest is None:
            parts = [folder / file for file in stored_before_manifests(folder)]
            damaged = [why for path in parts if (why := _damage(path))]
        else:
            parts = [folder / part.file for part in manifest.parts]
            damaged = list(_damaged_parts(project, name, manifest))
        text = "; ".join(damaged) or f"{len(parts):,} parts, whole"
        yield Finding(f"events of {name}", text, ok=not damaged, remedy=_READ_ANEW if damaged else "")


def _damaged_parts(project: Project, dataset: str, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the files that a dataset's manifest names; all are hashed."""
    one = [part for part in (manifest.segments,) if part]
    named = {"events": [*manifest.parts, *one], "quarantine": manifest.quarantine, "truth": [manifest.truth]}
    for kind, parts in named.items():
        for part in parts:
            try:
                if part is not None:
                    check_part(project.workspace / kind / dataset / part.file, part)
            except DataError as error:
                yield str(error)


def features(project: Project) -> Iterator[Finding]:
    """Tell of each feature table whether it is whole, and whether recipe and events have changed since it was built."""
    for path in sorted((project.workspace / "features").glob("*/*.parquet")):
        if path.name.endswith(".truth.parquet"):
            continue
        dataset, feature_set = path.parent.name, path.stem
        what = f"features {feature_set} of {dataset}"
        repair = partial(_build, feature_set, dataset, project)
        damaged = _damage(path) or _damage(path.with_suffix(".truth.parquet"))
        if damaged:
            yield Finding(what, damaged, ok=False, remedy=_build_it(feature_set, dataset), repair=repair)
            continue
        stale = _staleness(path, project)
        text = f"stale: {stale}; it is built again when it is next used" if stale else "current"
        yield Finding(what, text, repair=repair if stale else None)


def runs(project: Project) -> Iterator[Finding]:
    """Tell of each scoring run whether its run.json, scores, leaves, families and explanations are what was written."""
    found = {str(run["run_id"]): run for run in list_runs(project)}
    lost = damaged_runs(project)
    if not found and not lost:
        yield Finding("scoring runs", "none yet")
    for run_id, error in lost.items():
        yield Finding(f"run {run_id}", str(error), ok=False, remedy="Score again, or remove the folder.")
    for run_id, run in found.items():
        folder = run_folder(project, run_id)
        damaged = [why for name in ("scores", "families") if (why := _damage(folder / f"{name}.parquet"))]
        try:
            check_leaves(folder, run)
        except DataError as error:
            damaged.append(str(error))
        if not (folder / "scores.parquet").is_file():
            damaged.append("scores.parquet is lost")
        if damaged:
            repair = None if run.get("online") else partial(_score_again, run, project)
            remedy = "Score it again: socml doctor --repair" if repair else "An online model has learned on: remove it."
            yield Finding(f"run {run_id}", "; ".join(damaged), ok=False, remedy=remedy, repair=repair)
            continue
        damage = _damage(folder / "explanations.parquet")
        if damage:
            away = partial(_remove, folder / "explanations.parquet")
            yield Finding(f"run {run_id}", damage, ok=False, remedy="They are made anew when asked for.", repair=away)
            continue
        yield Finding(f"run {run_id}", f"{run.get('rows', 0):,} rows of {run['dataset']}, whole")


def _damage(path: Path) -> str:
    """Return what is wrong with a Parquet file; empty if nothing is, or it does not exist."""
    if not path.is_file():
        return ""
    try:
        with open_table(path):
            pass
    except SocmlError as error:
        return str(error)
    return ""


def _staleness(path: Path, project: Project) -> str:
    """Return why a feature table would be built again; empty if it would not."""
    about = read_metadata(path)
    dataset, feature_set = path.parent.name, path.stem
    if dataset not in dataset_names(project):
        return ""
    try:
        recipe = load_feature_recipe(feature_set, project)
    except SocmlError:
        return ""  # a table of a recipe that is broken or gone is looked at with the recipes
    if about.get("recipe_hash") != recipe.hash:
        return "its recipe has changed"
    return "" if about.get("events_snapshot") == events_snapshot(project, dataset) else "events have changed"


def _build(feature_set: str, dataset: str, project: Project) -> str:
    from socml.features import build_feature_file

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        build_feature_file(feature_set, dataset, project=project)
    return f"{feature_set} of {dataset} is built again"


def _score_again(run: Run, project: Project) -> str:
    """Score a run again by the same model version; the run is the same if the features still are."""
    from socml.features import build_feature_file, load_row_truth
    from socml.models import has_seen_truth, load_model, score_run, write_families

    name, _, number = str(run["model_version"]).rpartition("/")
    version = load_model(name, number, project=project)
    dataset, feature_set = str(run["dataset"]), str(run["feature_set"])
    path = build_feature_file(feature_set, dataset, project=project)
    truth = None if has_seen_truth(version, dataset) else load_row_truth(dataset, feature_set, project=project)
    again = score_run(version, path, project=project, truth=truth, experiment=str(run.get("experiment") or ""))
    write_families(version, path, again["run_id"], project=project)
    if again["run_id"] != run["run_id"]:
        raise DataError(
            f"Its features have changed since: run {again['run_id']} was made in its place. Remove the folder of "
            f"{run['run_id']}."
        )
    return f"run {run['run_id']} is scored again"


def _remove(path: Path) -> str:
    path.unlink(missing_ok=True)
    return f"{path.name} is removed"


def _build_it(feature_set: str, dataset: str) -> str:
    return f"Build it again: socml features {feature_set} {dataset}"
