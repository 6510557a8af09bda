"""A model recipe's [search] and a dataset → the parameters that do best on held-out folds, by halving.

Every candidate is tried on few rows; the best third (by default) goes on with three times as many.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from socml.evaluate.metrics.chosen import chosen_metrics
from socml.evaluate.metrics.daily import microseconds
from socml.evaluate.validation.splits import Fold, make_folds
from socml.evaluate.validation.table import KnownTable, known_table
from socml.evaluate.validation.tracked import RunRecord, record_nested
from socml.project import (
    DataError,
    ModelError,
    ModelRecipe,
    Project,
    RecipeError,
    Search,
    Validation,
    did_you_mean,
    find_project,
    load_model_recipe,
    metric_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from socml.models import OutlierDetector

BEFORE = "preparation."
RARE = 20  # malicious rows to expect among those of the first round


@dataclass(frozen=True)
class SearchResult:
    """What was tried.

    Attributes
    ----------
    best : parameters of the best candidate of the last round
    score : its mean metric over the folds
    tried : DataFrame, one row a candidate and round: the parameters, round, rows, mean, spread (standard deviation)
    """

    model: str
    metric: str
    best: dict[str, object]
    score: float
    tried: pd.DataFrame = field(repr=False)

    def to_toml(self) -> str:
        """Return the sections that give a recipe these parameters."""
        sections: dict[str, list[str]] = {"parameters": [], "preparation": []}
        for name, value in self.best.items():
            section = "preparation" if name.startswith(BEFORE) else "parameters"
            sections[section].append(f"{name.removeprefix(BEFORE)} = {json.dumps(value)}")
        return "\n".join("\n".join([f"[{name}]", *lines]) for name, lines in sections.items() if lines)


def search(
    model: str | ModelRecipe,
    dataset: str,
    *,
    validation: Validation | None = None,
    project: Project | None = None,
    record: bool = True,
) -> SearchResult:
    """Search the parameters that a recipe's [search] lists, over the folds of its [validation] (3-fold
    cross-validation if it has none), and record an MLflow run with one nested run a candidate and round.

    What wins was chosen on these rows: judge it on others before you believe its figure (`nested_search` does).

    Raises
    ------
    RecipeError, DataError, ModelError
        If the recipe has no [search], a parameter does not exist, or no candidate can be fitted.
    """
    project = project or find_project()
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    validation = searchable(recipe, validation)
    assert recipe.search is not None
    with known_table(recipe, dataset, project=project, judged_by=validation.judged_by) as table:
        result = search_table(recipe, recipe.search, table, validation, project)
    if record:
        _record(result, recipe, project)
    return result


def searchable(recipe: ModelRecipe, validation: Validation | None) -> Validation:
    """Return over which folds a recipe's parameters are searched: as asked, as it says, or cross-validation.

    Raises
    ------
    RecipeError
        If it has no [search], or there are no folds in one dataset.
    """
    if recipe.search is None:
        raise RecipeError(f"{recipe.where} has no [search]: list values under [search.parameters].")
    validation = validation or recipe.validation or Validation(mode="cross-validation", folds=3)
    if validation.mode == "datasets":
        raise RecipeError("A search needs folds of one dataset; validation 'datasets' has none.")
    return validation


def search_table(
    recipe: ModelRecipe, search: Search, table: KnownTable, validation: Validation, project: Project
) -> SearchResult:
    """Search over the rows of a table that are known; nothing is recorded."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    pipeline = _pipeline(recipe, search, validation, project)
    grid = _candidates(search, pipeline, recipe)
    position, target = _taught_rows(recipe, table)
    folds = _positions(make_folds(table.rows(validation.entity), validation), position, target)
    least = min(max(search.min_rows, int(np.ceil(RARE / target.mean()))), *(len(train) for train, _ in folds))
    halving = HalvingGridSearchCV(
        pipeline,
        grid,
        factor=search.factor,
        min_resources=least,
        max_resources=len(position),
        cv=folds,
        scoring=_scorer(search.metric, recipe, validation),
        random_state=recipe.seed,
        refit=False,
        error_score=np.nan,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a candidate that cannot be fitted or scored is in the table, without a mean
        try:
            halving.fit(table.take(position), target)
        except ValueError as error:
            raise ModelError(f"No candidate of {recipe.name!r} could be judged: {error}") from error
    return _told(recipe, search, halving.cv_results_)


def _pipeline(recipe: ModelRecipe, search: Search, validation: Validation, project: Project) -> OutlierDetector:
    from socml.models import make_detector

    pipeline = make_detector(recipe, project=project, alert_share=validation.alert_share)
    detector = pipeline.detector
    if "calibration_folds" in detector.get_params() and not metric_of(search.metric).needs_alerts:
        detector.set_params(calibration_folds=0)  # calibration never changes which row is above which
    return pipeline


def _candidates(search: Search, pipeline: OutlierDetector, recipe: ModelRecipe) -> list[dict[str, list[object]]]:
    """Return the combinations to try, as grids of one; a seeded draw where there are more than asked for."""
    from sklearn.base import clone

    from socml.detectors import check_values

    known = pipeline.get_params()
    renamed = {}
    for name, values in search.parameters.items():
        key = f"preparation__{name.removeprefix(BEFORE)}" if name.startswith(BEFORE) else f"detector__{name}"
        if key not in known:
            own = [k.split("__", 1)[1] for k in known if k.startswith(key.split("__", 1)[0] + "__")]
            raise RecipeError(f"{recipe.where}: [search.parameters] has {name!r}.{did_you_mean(name, own)}")
        if not values:
            raise RecipeError(f"{recipe.where}: [search.parameters] {name} has no values.")
        renamed[key] = values
    combined = [dict(zip(renamed, chosen, strict=True)) for chosen in product(*renamed.values())]
    if len(combined) > search.candidates:
        drawn = np.random.default_rng(recipe.seed).choice(len(combined), search.candidates, replace=False)
        combined = [combined[i] for i in np.sort(drawn)]
    for one in combined:  # and no value alone: an ensemble's weights are of the members that are tried with them
        check_values(
            clone(pipeline).set_params(**one), f"{recipe.where}: [search.parameters] {', '.join(search.parameters)}"
        )
    return [{key: [value] for key, value in one.items()} for one in combined]


def _taught_rows(recipe: ModelRecipe, table: KnownTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rows of a search, and what is known of them: what teaches, else what judges."""
    from socml.models import training_labels_for

    known = table.malicious
    if recipe.mode == "supervised":
        known = training_labels_for(recipe, table.features.index, truth=table.truth, labels=table.labels).malicious
    position = np.flatnonzero(~np.isnan(known))
    return position, known[position].astype(np.int64)


def _positions(folds: list[Fold], position: np.ndarray, target: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return folds over the searched rows alone, those with both kinds on both sides."""
    place = np.full(int(position.max(initial=0)) + 1, -1, dtype=np.int64)
    place[position] = np.arange(len(position))
    found = []
    for fold in folds:
        sides = [place[side[side < len(place)]] for side in (fold.train, fold.test)]
        train, test = (side[side >= 0] for side in sides)
        if all(len(np.unique(target[side])) == 2 for side in (train, test)):
            found.append((train, test))
    if not found:
        raise DataError("No fold has both malicious and other rows to fit on and to judge on.")
    return found


class HalvingResults(TypedDict):
    """What we read of scikit-learn's `cv_results_`: one value a candidate and round."""

    iter: np.ndarray
    n_resources: np.ndarray
    mean_test_score: np.ndarray
    std_test_score: np.ndarray
    params: list[dict[str, object]]


def _scorer(
    metric: str, recipe: ModelRecipe, validation: Validation
) -> Callable[[OutlierDetector, pd.DataFrame, np.ndarray], float]:
    """Return what scikit-learn calls with a fitted pipeline and rows: the metric, NaN where it cannot be measured."""

    def score(pipeline: OutlierDetector, X: pd.DataFrame, y: np.ndarray) -> float:
        normality, alert = pipeline.score_samples(X), None
        if metric_of(metric).needs_alerts:
            alert = _alerts(pipeline, X, normality, recipe, validation)
        known = np.asarray(y, dtype=np.float64)
        found, _ = chosen_metrics(
            [metric], normality, known, alert=alert, time_us=microseconds(X["time"]) if "time" in X.columns else None
        )
        return float(found.get(metric, np.nan))

    return score


def _alerts(
    pipeline: OutlierDetector, X: pd.DataFrame, normality: np.ndarray, recipe: ModelRecipe, validation: Validation
) -> np.ndarray:
    """Return which rows are alerts: by the probability's threshold, or by the share of the rows fitted on."""
    if recipe.mode == "supervised":
        steps = pipeline.named_steps
        probability = steps["detector"].predict_proba(steps["preparation"].transform(X))[:, 1]
        return np.asarray(probability > validation.probability_threshold)
    return np.asarray(normality < pipeline.offset_)


def _told(recipe: ModelRecipe, search: Search, results: HalvingResults) -> SearchResult:
    import pandas as pd

    lines: list[dict[str, object]] = [
        {
            **{_shown(key): value for key, value in parameters.items()},
            "round": int(results["iter"][i]),
            "rows": int(results["n_resources"][i]),
            "mean": float(results["mean_test_score"][i]),
            "spread": float(results["std_test_score"][i]),
        }
        for i, parameters in enumerate(results["params"])
    ]
    tried = pd.DataFrame(lines).sort_values(["round", "mean"], ascending=[False, False], ignore_index=True)
    best = tried.iloc[0]
    if not isfinite(best["mean"]):
        raise ModelError(f"No candidate of {recipe.name!r} could be judged on every fold.")
    chosen = next(p for p, line in zip(results["params"], lines, strict=True) if _is(line, best))
    values = {_shown(key): value for key, value in chosen.items()}
    return SearchResult(recipe.name or "unnamed", search.metric, values, float(best["mean"]), tried)


def _is(line: dict[str, object], best: pd.Series) -> bool:
    return bool(line["round"] == best["round"] and line["mean"] == best["mean"])


def _shown(key: str) -> str:
    step, _, name = key.partition("__")
    return f"{BEFORE}{name}" if step == "preparation" else name


def _record(result: SearchResult, recipe: ModelRecipe, project: Project) -> None:
    tags = {"socml.kind": "search", "socml.recipe_hash": recipe.hash}
    parameters = [c for c in result.tried.columns if c not in {"round", "rows", "mean", "spread"}]
    children = [
        RunRecord(
            f"round {line['round']}",
            {**{name: line[name] for name in parameters}, "rows": line["rows"], "round": line["round"]},
            {result.metric: line["mean"], "spread": line["spread"]},
            tags,
        )
        for line in result.tried.to_dict("records")
    ]
    parent = RunRecord(f"search {result.model}", result.best, {result.metric: result.score}, tags)
    record_nested(f"search {result.model}", parent, children, project=project)
