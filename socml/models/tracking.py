"""A fitted pipeline → an MLflow run and a registered version: parameters, hashes, versions, metrics, plots, files."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
import tempfile
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np

from socml import __version__
from socml.features import feature_names
from socml.models.mlflow_loader import OUTPUT, ScoringModel
from socml.models.plots import write_plots
from socml.models.version import ModelMetadata, ModelVersion
from socml.models.version_files import read_files, save_files, types_in
from socml.models.versions import CHAMPION, FILES, experiment_id, fetch_files, open_registry, registry_error
from socml.project import FOLDER_MODE, ModelError, make_private, metadata_of, safe_name

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature
    from mlflow.types import DataType
    from mlflow.types.schema import AnyType
    from sklearn.pipeline import Pipeline

    from socml.detectors import Classifier
    from socml.models.training_labels import TrainingLabels
    from socml.project import ModelRecipe, Project

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
        "versions": {"socml": __version__, **{name: installed(name) for name in LIBRARIES}},
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
    from mlflow.exceptions import MlflowException

    name = safe_name(version.name)
    try:
        client = open_registry(project)
        run_id, source = _record_run(client, version, normality, known, example, project, tags)
        number = _register(client, name, source, run_id)
        loaded = read_files(fetch_files(name, number, project), name, number)
        if promote or CHAMPION not in client.get_registered_model(name).aliases:
            client.set_registered_model_alias(name, CHAMPION, number)  # only now: it was loaded in full
    except MlflowException as error:
        raise registry_error(error) from error
    return loaded


def _record_run(
    client: MlflowClient,
    version: ModelVersion,
    normality: np.ndarray,
    known: np.ndarray | None,
    example: pd.DataFrame,
    project: Project,
    tags: dict[str, str],
) -> tuple[str, str]:
    metadata = version.metadata
    experiment = experiment_id(client, metadata["experiment"] or version.name, project)
    run = client.create_run(experiment, run_name=f"{version.name} seed {metadata['seed']}", tags=_tags(metadata) | tags)
    run_id = run.info.run_id
    try:
        for key, value in _parameters(version).items():
            client.log_param(run_id, key, value)
        for measure, found in metadata["metrics"].items():
            if isinstance(found, int | float):
                client.log_metric(run_id, measure, float(found))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            kept = dataclasses.replace(version, metadata={**metadata, "mlflow_run_id": run_id})
            save_files(folder / FILES, kept)
            write_plots(folder / "plots", normality, known)
            _save_for_mlflow(folder / "model", version, example, types_in(folder / FILES / "model.skops"))
            client.log_artifacts(run_id, str(folder))
            _keep_private(run.info.artifact_uri, project)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    return run_id, f"{run.info.artifact_uri}/model"


def _keep_private(artifact_uri: str, project: Project) -> None:
    """Take others' rights from a run's files, where MLflow wrote them into the workspace."""
    if artifact_uri.startswith(project.folder("mlflow", "artifacts").as_uri()):
        of_run = Path(url2pathname(urlsplit(artifact_uri).path)).parent
        of_run.parent.chmod(FOLDER_MODE)
        make_private(of_run)


def _register(client: MlflowClient, name: str, source: str, run_id: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return str(client.create_model_version(name, source, run_id=run_id).version)


def _save_for_mlflow(folder: Path, version: ModelVersion, example: pd.DataFrame, types: list[str]) -> None:
    """Write the pipeline as MLflow writes a scikit-learn model, so that any MLflow tool loads, runs and serves it.

    Its signature says the features and their types; loaded as a pyfunc it predicts their anomaly scores.
    """
    import mlflow.sklearn
    from mlflow.models import Model

    about = Model(metadata={"socml_version": __version__, "output": "anomaly_score: higher is more anomalous"})
    try:
        mlflow.sklearn.save_model(
            version.pipeline,
            str(folder),
            mlflow_model=about,
            serialization_format="skops",
            skops_trusted_types=types,
            pip_requirements=[f"socml=={__version__}"],
            pyfunc_predict_fn="score_samples",  # which every detector has; the loader below takes its place
            signature=_signature(example),
            input_example=example,
        )
        generic = about.flavors["python_function"]  # scikit-learn's own knows no score_samples
        generic["loader_module"] = ScoringModel.__module__
        generic.pop("predict_fn", None)
        about.save(str(folder / "MLmodel"))
    except (TypeError, ValueError) as error:
        raise ModelError(f"Model {version.name!r} cannot be saved with skops: {error}") from error


def _signature(example: pd.DataFrame) -> ModelSignature:
    """Return what a model takes and gives: a column of whole numbers or truth values takes other numbers too, as ours do."""
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec
    from mlflow.types.schema import AnyType
    from pandas.api import types

    def kind(name: str) -> DataType | AnyType:
        column = example[name]
        if types.is_float_dtype(column):
            return DataType.double
        is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        return DataType.string if is_text else AnyType()  # type: ignore[no-untyped-call]  # MLflow gives its constructor no types

    columns: list[ColSpec | TensorSpec] = [
        ColSpec(kind(str(name)), name=str(name), required=False) for name in example.columns
    ]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec(DataType.double, name=OUTPUT)]))


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
