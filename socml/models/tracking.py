"""A fitted pipeline → an MLflow run and a registered version: parameters, hashes, versions, metrics, plots, files."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socml import __version__
from socml.features import feature_names
from socml.models.mlflow_folder import write_mlflow_folder
from socml.models.plots import write_plots
from socml.models.registry import Registry, recording
from socml.models.registry_file import StartedRun
from socml.models.version import ModelMetadata, ModelVersion
from socml.models.version_files import keep_files, read_files, save_files, types_in
from socml.models.versions import CHAMPION, FILES
from socml.project import ModelRecipe, Project, ScratchFolder, metadata_of, safe_name

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from socml.detectors import Classifier
    from socml.models.training_labels import TrainingLabels

EXAMPLE_ROWS = 5  # that are kept with a model, to show what it takes
LIBRARIES = ("scikit-learn", "numpy", "pandas", "pyarrow", "skops", "mlflow")


def describe(
    recipe: ModelRecipe, features: pd.DataFrame, pipeline: Pipeline, *, seed: int, experiment: str, project: Project
) -> ModelMetadata:
    """Return what a model version remembers of how it was made: plain values that JSON holds."""
    about = metadata_of(features)
    names = feature_names(features)
    preparation = pipeline.named_steps["preparation"]
    notices = [f"Feature {name!r} {why}, and is left out." for name, why in preparation.dropped_.items()]
    if about.get("sampled_from"):
        notices.append(f"Fitted on a sample of {len(features):,} of {about['sampled_from']:,} rows.")
    return {
        "model": recipe.name,
        "about": recipe.about,
        "detector": recipe.detector,
        "parameters": recipe.parameters,
        "preparation": recipe.preparation,
        "recipe_hash": recipe.hash,
        "seed": seed,
        "experiment": experiment,
        "feature_set": about.get("feature_set", recipe.features),
        "feature_hash": about.get("recipe_hash") or _digest("\n".join(names).encode()),
        "sql_hash": about.get("sql_hash", ""),
        "events_snapshot": about.get("events_snapshot", ""),
        "dataset": about.get("dataset", ""),
        "table_hash": table_hash(features),
        "rows": len(features),
        "features": names,
        "columns": about.get("columns", {}),
        "columns_fr": about.get("columns_fr", {}),
        "fill": about.get("fill", {}),
        "typical": preparation.typical_,
        "git_commit": _git_commit(project.root),
        "versions": {"socml": __version__, **_versions()},
        "notices": notices,
        "metrics": {},
    }


def taught(recipe: ModelRecipe, training_labels: TrainingLabels, pipeline: Pipeline) -> ModelMetadata:
    """Return what a supervised version remembers of its teaching."""
    known = training_labels.malicious[training_labels.known]
    detector: Classifier = pipeline.named_steps["detector"]
    return {
        "mode": "supervised",
        "taught_by": recipe.training.labels,
        "taught_rows": len(known),
        "taught_malicious": int(known.sum()),
        "families": list(detector.families_),
        "calibration": {"slope": detector.slope_, "intercept": detector.intercept_},
    }


def table_hash(features: pd.DataFrame) -> str:
    """Return a hash of the values of a feature table, in row order; 16 hexadecimal digits."""
    import pandas as pd

    rows = pd.util.hash_pandas_object(features[feature_names(features)], index=False)
    return _digest(rows.to_numpy().tobytes())


def example_rows(features: pd.DataFrame, version: ModelVersion) -> pd.DataFrame:
    """Return a few rows of the features, in the types they have."""
    return features[version.metadata["features"]].head(EXAMPLE_ROWS).reset_index(drop=True)


def record(
    version: ModelVersion,
    normality: np.ndarray,
    known: np.ndarray | None,
    *,
    example: pd.DataFrame,
    project: Project,
    promote: bool,
    tags: dict[str, str],
) -> ModelVersion:
    """Record a run, register its model and return the version as it is loaded back from the registry.

    Raises
    ------
    ModelError, TryLater
        If the model cannot be saved or read back, or the registry does not answer.
    """
    name = safe_name(version.name)
    with recording(project) as registry, ScratchFolder("record") as scratch:
        run = _record_run(registry, version, normality, known, example, tags)
        number = registry.register(name, run)
        kept = keep_files(registry.files(run, FILES, Path(scratch)), name, number, project)
        loaded = read_files(kept, name, number)
        if promote or CHAMPION not in registry.aliases(name):
            registry.set_alias(name, CHAMPION, number)  # only now: it was loaded in full
    return loaded


def _record_run(
    registry: Registry,
    version: ModelVersion,
    normality: np.ndarray,
    known: np.ndarray | None,
    example: pd.DataFrame,
    tags: dict[str, str],
) -> StartedRun:
    metadata = version.metadata
    title = f"{version.name} seed {metadata['seed']}"
    run = registry.start_run(metadata["experiment"] or version.name, title, _tags(metadata) | tags)
    try:
        numbers = {key: float(value) for key, value in metadata["metrics"].items() if isinstance(value, int | float)}
        registry.log(run, _parameters(version), {key: value for key, value in numbers.items() if isfinite(value)})
        with ScratchFolder("record") as scratch:
            folder = Path(scratch)
            kept = dataclasses.replace(version, metadata={**metadata, "mlflow_run_id": run.run_id})
            save_files(folder / FILES, kept)
            write_plots(folder / "plots", normality, known)
            model = folder / FILES / "model.skops"
            write_mlflow_folder(folder / "model", model, example, types_in(model))
            registry.store(run, folder)
    except BaseException:
        with suppress(Exception):  # a registry that is away; what went wrong first is what is told
            registry.end_run(run, "FAILED")
        raise
    registry.end_run(run, "FINISHED")
    return run


def _parameters(version: ModelVersion) -> dict[str, str]:
    metadata = version.metadata
    plain = {key: metadata.get(key) for key in ("detector", "feature_set", "dataset", "rows", "seed")}
    steps = {f"detector.{key}": value for key, value in version.detector.get_params().items()}
    steps |= {f"preparation.{key}": value for key, value in version.preparation.get_params().items()}
    return {key: str(value)[:500] for key, value in {**plain, **steps}.items()}


def _tags(metadata: ModelMetadata) -> dict[str, str]:
    hashes = ("recipe_hash", "feature_hash", "events_snapshot", "table_hash", "git_commit")
    tags = {f"socml.{key}": str(metadata.get(key)) for key in hashes}
    return tags | {f"version.{name}": number for name, number in metadata["versions"].items()}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):  # MLflow is wanted by a tracking server only
            found[name] = installed(name)
    return found


def _git_commit(root: Path) -> str:
    """Return the commit the project stands at, with `+` if files differ from it; empty if it is in no repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    found = []
    for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        answer = subprocess.run(
            [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
        if answer.returncode:
            return ""
        found.append(answer.stdout.strip())
    return found[0] + ("+" if found[1] else "")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
