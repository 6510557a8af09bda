"""A model recipe and a feature table → a fitted model version in the registry.

`make_detector` alone gives a scikit-learn pipeline that keeps nothing; `fit` records what it did in MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from socml.detectors import Forest, Scorer, check_values, is_import_path
from socml.evaluate import ranking_metrics, truth_of_rows
from socml.features import LABELLED, feature_names, label_columns, plain_table, rows_of_period
from socml.models.detector_checks import check_learnt, checked_normality
from socml.models.tracking import describe, example_rows, record, taught
from socml.models.training_labels import TrainingLabels, training_labels_for
from socml.models.unrecorded import Fitted, fit_and_record, fit_identity
from socml.models.version import ModelVersion, make_reference
from socml.project import (
    ModelError,
    ModelRecipe,
    Period,
    Project,
    RecipeError,
    TableMetadata,
    UnknownName,
    audit,
    component,
    component_names,
    did_you_mean,
    find_project,
    load_model_recipe,
    metadata_of,
    recipe_names,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

    from socml.detectors import Detector
    from socml.models.outlier_detector import OutlierDetector

REFERENCE_ROWS = 1_000_000  # training rows that percentiles are measured against; a seeded sample above that
COMPANION_TREES = 100
COMPANION_SAMPLES = 256


def make_detector(
    model: str | ModelRecipe | BaseEstimator,
    *,
    seed: int | None = None,
    project: Project | None = None,
    threshold: float | None = None,
    alert_share: float = 0.01,
    **parameters: object,
) -> OutlierDetector:
    """Return the unfitted estimator of a model or of a detector: preparation, then the detector.

    It is a scikit-learn pipeline and outlier detector: `score_samples` is higher for the more NORMAL, `predict` says −1
    for an alert; it takes tables and arrays, and works in `GridSearchCV` (`detector__n_estimators`).

    Parameters
    ----------
    model : name of a recipe in `models/`, or of a detector; an import path such as `sklearn.svm.OneClassSVM`; a recipe;
        or an unfitted estimator, whose parameters it has already
    seed : takes the place of the recipe's seed
    threshold : anomaly score above which a row is an alert; by `alert_share` if not given
    alert_share : share of the rows fitted on that are alerts
    parameters : of the detector, in place of the recipe's

    Raises
    ------
    UnknownName
        If there is no such model and no such detector.
    RecipeError
        If the detector has no such parameter; names the nearest. If it is no estimator.

    Examples
    --------
    >>> make_detector("isolation-forest", n_estimators=50).detector.n_estimators
    50
    >>> recipe = ModelRecipe(detector="robust-z", features="flow", parameters={"sed": 1})
    >>> make_detector(recipe)
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: The model has an unknown parameter 'sed': robust-z has no parameters.
    """
    from socml.models.outlier_detector import (
        OutlierDetector,
    )  # scikit-learn takes a second: nothing here is imported before it is used

    if not isinstance(model, str | ModelRecipe):
        from socml.features import Preparation

        return OutlierDetector(
            Preparation(), _as_detector(model, parameters), threshold=threshold, alert_share=alert_share
        )
    recipe = _recipe_of(model, project) if isinstance(model, str) else model
    recipe = recipe.model_copy(update={"parameters": {**recipe.parameters, **parameters}}) if parameters else recipe
    steps = make_pipeline(recipe, seed=seed).named_steps
    return OutlierDetector(steps["preparation"], steps["detector"], threshold=threshold, alert_share=alert_share)


def _as_detector(estimator: BaseEstimator, parameters: Mapping[str, object]) -> Detector:
    """Return a copy of an unfitted estimator with further parameters, tried on a planted outlier if it is of another library."""
    from sklearn.base import clone

    from socml.detectors import Foreign

    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        way = 'give an unfitted one, a name or an import path. What learns row by row is a model of mode "online".'
        raise RecipeError(f"{estimator!r} is no estimator of scikit-learn: {way}")
    own = clone(estimator).set_params(**parameters)
    check_values(own, "The estimator")
    is_foreign = type(own).__module__.startswith(("sklearn.", "pyod."))
    return Foreign(own) if is_foreign else cast("Detector", own)


def make_pipeline(recipe: ModelRecipe, *, seed: int | None = None) -> Pipeline:
    """Return the unfitted scikit-learn pipeline of a recipe, as a model version keeps it."""
    from sklearn.pipeline import Pipeline
    from sklearn.utils import get_tags

    from socml.features import Preparation, Sequences

    where = recipe.where
    if recipe.mode == "online":
        raise RecipeError(f"{where} is of mode 'online': it learns as it scores and is not fitted, and is no pipeline.")
    if recipe.mode == "daily":
        raise RecipeError(
            f"{where} is of mode 'daily': it learns day by day and is not fitted. Use: socml run daily DATASET"
        )
    detector = _detector(recipe, recipe.seed if seed is None else seed, where)
    reader = Preparation if get_tags(detector).input_tags.two_d_array else Sequences
    preparation = _component(reader, "preparation", recipe.preparation, where)
    if "random_state" in detector.get_params() and "random_state" not in recipe.parameters:
        detector.set_params(random_state=recipe.seed if seed is None else seed)
    return Pipeline([("preparation", preparation), ("detector", detector)])


def _detector(recipe: ModelRecipe, seed: int, where: str) -> Scorer:
    """Return the unfitted detector of a recipe: a component, or what an import path names."""
    supervised = recipe.mode == "supervised"
    if is_import_path(recipe.detector):
        from socml.detectors import foreign_classifier, foreign_detector

        make = foreign_classifier if supervised else foreign_detector
        made = make(recipe.detector, recipe.parameters, steps=recipe.steps, seed=seed, where=where)
        check_values(made, where)
        return made
    if recipe.steps:
        raise RecipeError(f"{where} has steps, which are for a detector that is an import path, and not for ours.")
    found = component("supervised" if supervised else "detectors", recipe.detector)
    detector: Scorer = _component(found, recipe.detector, recipe.parameters, where)
    return detector


def _recipe_of(name: str, project: Project | None) -> ModelRecipe:
    """Return the recipe of a name: a model of the project, else a model that is this detector and nothing more."""
    project = project or find_project()
    models, detectors = recipe_names("models", project), component_names("detectors")
    if name in models:
        return load_model_recipe(name, project)
    if name in detectors or is_import_path(name):
        return ModelRecipe(detector=name, features="", about=name)
    if name in component_names("online"):
        raise RecipeError(
            f'{name!r} learns row by row, and is not fitted: socml.DictDetector({name!r}), or a model of mode "online".'
        )
    raise UnknownName("model or detector", name, {*models, *detectors})


def fit(
    model: str | ModelRecipe,
    features: pd.DataFrame,
    *,
    project: Project | None = None,
    truth: pd.DataFrame | pd.Series | None = None,
    labels: pd.DataFrame | None = None,
    experiment: str = "",
    feature_metadata: TableMetadata | None = None,
    seed: int | None = None,
    promote: bool = False,
    tags: dict[str, str] | None = None,
    period: Period | None = None,
    force: bool = False,
) -> ModelVersion:
    """Fit a model, record the run in MLflow, register the model and return its version.

    Parameters
    ----------
    model : name of a recipe in `models/` or of a detector, by which the model is then called; or a recipe
    features : a feature table
    truth : `malicious` by `row_id`: adds metrics and a precision-recall plot. A detector never sees it; it teaches
        a supervised model (with `family`, if it is there), whose metrics are then of rows while they were held out
    labels : current labels by `row_id`; they teach a supervised model whose [training] says so
    experiment : MLflow experiment; the model's name if empty
    feature_metadata : what the table's `attrs["socml"]` would say
    promote : move the alias `champion` to this version; it goes there anyway if there is none
    period : only rows of that time are learned from, as of days known to be clean; the recipe's if not given
    force : learn from a column even if it says what the truth says
    tags : further tags of the MLflow run (`mlflow.parentRunId` nests it)

    Raises
    ------
    ModelError
        If the table is of another feature set, has nothing to learn from, one of its columns is the truth under
        another name, or a parameter is out of range.
    DataError
        If no row lies in the period.
    """
    project = project or find_project()
    features = plain_table(features)
    about = feature_metadata or metadata_of(features)
    recipe = _recipe_to_fit(model, about, project)
    seed = recipe.seed if seed is None else seed
    period = recipe.period if period is None else period
    features = _rows_to_learn(recipe, features, about, period)
    is_counted = bool(about.get("window_seconds"))  # of many events, none of which holds the truth
    if truth is not None and len(truth) and not force and not is_counted:
        _check_label_columns(features, truth_of_rows(truth, _row_ids(features)))
    training_labels = None
    if recipe.mode == "supervised":
        training_labels = training_labels_for(recipe, _row_ids(features), truth=truth, labels=labels)
    facts = (seed, period, experiment)
    recorded = fit_and_record(
        lambda: _fitted(recipe, features, truth, training_labels, *facts, project),
        lambda fitted: record(
            *fitted, example=example_rows(features, fitted.version), project=project, promote=promote, tags=tags or {}
        ),
        lambda: fit_identity(recipe, features, truth, training_labels, *facts),
        name=recipe.name or "unnamed",
        project=project,
    )
    audit(project, "fitted", model=recorded.label, dataset=str(about.get("dataset", "")), promoted=promote)
    return recorded


def _fitted(
    recipe: ModelRecipe,
    features: pd.DataFrame,
    truth: pd.DataFrame | pd.Series | None,
    training_labels: TrainingLabels | None,
    seed: int,
    period: Period,
    experiment: str,
    project: Project,
) -> Fitted:
    """Return a version that is in no registry yet, how normal its reference rows are, and what is known of them."""
    pipeline, matrix = fit_pipeline(recipe, features, seed, project, training_labels)
    forest = forest_for(pipeline, matrix, seed)
    companion = None if forest is pipeline.named_steps["detector"] else forest
    metadata = describe(recipe, features, pipeline, seed=seed, experiment=experiment, project=project)
    metadata |= {} if period.is_open else {"period": str(period)}
    metadata |= {} if training_labels is None else taught(recipe, training_labels, pipeline)
    normality, known = _reference_rows(pipeline, features, training_labels, truth, seed)
    metadata |= {} if known is None else {"metrics": ranking_metrics(normality, known)}
    version = ModelVersion(recipe.name or "unnamed", "", pipeline, make_reference(normality), companion, metadata)
    return Fitted(version, normality, known)


def _recipe_to_fit(model: str | ModelRecipe, about: TableMetadata, project: Project) -> ModelRecipe:
    """Return a recipe, or that of a name; one made of a detector's name is called so, and reads what it is given."""
    if not isinstance(model, str | ModelRecipe):
        raise RecipeError(
            "fit takes a name or a recipe; an estimator is fitted by socml.make_detector(model).fit(table)."
        )
    if isinstance(model, ModelRecipe):
        return model
    recipe = _recipe_of(model, project)
    if recipe.name:
        return recipe
    return recipe.model_copy(update={"name": model, "features": about.get("feature_set", "table")})


def _rows_to_learn(recipe: ModelRecipe, features: pd.DataFrame, about: TableMetadata, period: Period) -> pd.DataFrame:
    """Return the rows of the period, of a table that says what `about` does and is of the recipe's feature set."""
    if about.get("feature_set", recipe.features) != recipe.features:
        seen = about["feature_set"]
        raise ModelError(f"Model {recipe.name!r} reads the feature set {recipe.features!r}, and this is {seen!r}.")
    if about:
        features = features.copy(deep=False)
        features.attrs["socml"] = about
    return rows_of_period(features, period)


def _reference_rows(
    pipeline: Pipeline,
    features: pd.DataFrame,
    training_labels: TrainingLabels | None,
    truth: pd.DataFrame | pd.Series | None,
    seed: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return how normal a sample of the rows is, labelled ones as they were held out, and the truth of the same rows."""
    sample = _sample(len(features), seed)
    normality = checked_normality(pipeline.score_samples(features.iloc[sample]), len(sample), pipeline.steps[-1][1])
    if training_labels is not None:
        normality = _while_held_out(pipeline, training_labels, normality, sample)
    known = None if truth is None or not len(truth) else truth_of_rows(truth, _row_ids(features)[sample])
    return normality, known


def _check_label_columns(features: pd.DataFrame, malicious: np.ndarray) -> None:
    if np.count_nonzero(~np.isnan(malicious)) < LABELLED:
        return
    for name in label_columns(features[feature_names(features)], malicious):
        raise ModelError(
            f"Column {name!r} says of every row what the truth says: a model that reads it finds nothing by itself. Leave "
            "it out of the features, or fit with force=True (socml fit --force)."
        )


def _component(kind: Any, name: str, parameters: Mapping[str, object], where: str) -> Any:
    known = kind().get_params()
    for parameter in parameters:
        if parameter not in known:
            hint = did_you_mean(parameter, known) if known else ""
            what = f"{name} has no parameters." if not known else f"{name} does not have it."
            raise RecipeError(f"{where} has an unknown parameter {parameter!r}: {what}{hint}")
    made = kind(**parameters)
    check_values(made, where)
    return made


def fit_pipeline(
    recipe: ModelRecipe,
    features: pd.DataFrame,
    seed: int,
    project: Project,
    training_labels: TrainingLabels | None = None,
) -> tuple[Pipeline, np.ndarray]:
    """Return the fitted pipeline and the matrix of the rows; nothing is recorded. `training_labels` teach a supervised model.

    Raises
    ------
    ModelError
        If it cannot be fitted.
    """
    pipeline = make_pipeline(recipe, seed=seed)
    try:
        matrix = pipeline.named_steps["preparation"].fit(features).transform(features)
        if training_labels is None:
            pipeline.named_steps["detector"].fit(matrix)
        else:
            known = training_labels.known
            taught_families = training_labels.families[known] if recipe.training.families else None
            detector = pipeline.named_steps["detector"]
            unlabelled = {"unlabelled": matrix[~known]} if getattr(detector, "is_semi_supervised", False) else {}
            detector.fit(
                matrix[known],
                training_labels.malicious[known],
                sample_weight=training_labels.weight[known],
                families=taught_families,
                **unlabelled,
            )
        check_learnt(pipeline.named_steps["detector"])
    except ValueError as error:  # a parameter that these rows do not go with, said by scikit-learn
        raise ModelError(f"Model {recipe.name!r} cannot be fitted: {error}") from error
    except MemoryError as error:
        what = f"{len(features):,} rows and its parameters need more memory than there is"
        raise ModelError(f"Model {recipe.name!r} cannot be fitted: {what}.") from error
    return pipeline, matrix


def forest_for(pipeline: Pipeline, matrix: np.ndarray, seed: int) -> Forest:
    """Return the forest whose leaves let labels re-rank: the detector itself, or one fitted beside it."""
    detector: Forest = pipeline.named_steps["detector"]
    if hasattr(detector, "leaves"):
        return detector
    samples = min(COMPANION_SAMPLES, len(matrix))
    forest: Forest = component("detectors", "isolation-forest")(
        n_estimators=COMPANION_TREES, max_samples=samples, random_state=seed
    )
    return forest.fit(matrix)


def _while_held_out(
    pipeline: Pipeline, training_labels: TrainingLabels, normality: np.ndarray, sample: np.ndarray
) -> np.ndarray:
    """Return the normality of the sampled rows, of taught ones as it was while they were held out, and forget that."""
    held_out = np.full(len(training_labels.malicious), np.nan)
    held_out[training_labels.known] = -pipeline.named_steps["detector"].__dict__.pop("held_out_")
    return np.where(np.isnan(held_out[sample]), normality, held_out[sample])


def _sample(rows: int, seed: int) -> np.ndarray:
    if rows <= REFERENCE_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, REFERENCE_ROWS, replace=False))


def _row_ids(features: pd.DataFrame) -> pd.Index:
    import pandas as pd

    return pd.Index(features["row_id"]) if "row_id" in features.columns else features.index
