"""A search of parameters, itself judged: in each outer fold a search inside the training rows, and its winner outside.

What a search reports is of the rows it chose on, and so too good. Here the rows that judge took no part in choosing.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socml.evaluate.metrics.ranking import intervals_of, number_of
from socml.evaluate.validation.judged import Judged, judge
from socml.evaluate.validation.pooled import fold_metrics, pooled_metrics
from socml.evaluate.validation.search import BEFORE, search_table, searchable
from socml.evaluate.validation.splits import Fold, make_folds
from socml.evaluate.validation.table import KnownTable, known_table
from socml.evaluate.validation.tracked import RunRecord, record_nested
from socml.project import DataError, ModelError, ModelRecipe, Project, Validation, find_project, load_model_recipe

if TYPE_CHECKING:
    import pandas as pd

    from socml.evaluate.validation.run import Step


@dataclass(frozen=True)
class NestedResult:
    """What a search is worth on rows that it did not choose on.

    Attributes
    ----------
    score : metric of the judged rows of all outer folds together
    interval : its low and high, 95 %, by bootstrap over entities; empty if it cannot be told
    optimism : mean over the outer folds of the search's own figure less that of the rows it did not choose on
    folds : DataFrame, one row an outer fold: fold, the parameters chosen inside it, train_rows, rows, malicious,
        inside (metric on the rows they were chosen on), outside (on the others)
    pooled : every metric of the judged rows, with `intervals`
    notices : what the figures do not say
    """

    model: str
    metric: str
    score: float
    interval: list[float]
    optimism: float
    folds: pd.DataFrame = field(repr=False)
    pooled: dict[str, object] = field(repr=False)
    notices: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        plain = {name: getattr(self, name) for name in ("model", "metric", "score", "interval", "optimism")}
        return {**plain, "folds": self.folds.to_dict("records"), "pooled": self.pooled, "notices": self.notices}


def nested_search(
    model: str | ModelRecipe,
    dataset: str,
    *,
    folds: int = 5,
    validation: Validation | None = None,
    project: Project | None = None,
    record: bool = True,
    step: Step = nullcontext,
) -> NestedResult:
    """Judge a recipe's [search] by nested validation: search inside each outer fold's training rows, judge outside.

    Inside and outside, rows are parted in the mode of the [validation] (cross-validation if it has none): groups stay
    together in both, and no search sees the future of the rows that it is judged by.

    Parameters
    ----------
    folds : outer ones, of modes that have a number of them; modes in time have as many as their windows give
    validation : takes the place of the recipe's [validation]
    step : called with what begins now; its result is entered while that goes on

    Raises
    ------
    RecipeError, DataError, ModelError
        If the recipe has no [search], a parameter does not exist, or in no outer fold a model can be chosen and judged.
    """
    project = project or find_project()
    recipe = load_model_recipe(model, project) if isinstance(model, str) else model
    if folds < 2:
        raise DataError(f"A nested search needs at least two outer folds, not {folds}.")
    inner = searchable(recipe, validation)
    assert recipe.search is not None
    outer = inner.model_copy(update={"folds": folds, "metrics": [*inner.metrics, recipe.search.metric]})
    if inner.mode == "cut-off":  # a search before the cut-off has no rows after it
        inner = inner.model_copy(update={"mode": "temporal", "cut_off": None})
    judged, lines, notices = [], [], []
    with known_table(recipe, dataset, project=project, judged_by=inner.judged_by) as table:
        for fold in make_folds(table.rows(outer.entity), outer):
            with step(f"{fold.name}: searching in {len(fold.train):,} rows, judging {len(fold.test):,}"):
                try:
                    found, line = _one(recipe, table, fold, inner, outer, project)
                except (ModelError, DataError) as error:
                    notices.append(f"{fold.name} is left out: {error}")
                    continue
            judged.append(found)
            lines.append(line)
    if not judged:
        raise DataError(f"In no outer fold a model can be chosen and judged. {' '.join(notices)}")
    result = _told(recipe, judged, lines, outer, notices)
    if record:
        _record(result, recipe, project)
    return result


def _one(
    recipe: ModelRecipe, table: KnownTable, fold: Fold, inner: Validation, outer: Validation, project: Project
) -> tuple[Judged, dict[str, object]]:
    """Return the judged rows of one outer fold, and a line about it."""
    assert recipe.search is not None
    chosen = search_table(recipe, recipe.search, table.some(fold.train), inner, project)
    found = judge(with_parameters(recipe, chosen.best), table, table, fold, outer, seed=recipe.seed, project=project)
    outside = fold_metrics(found, outer)
    line = {
        "fold": fold.name,
        **chosen.best,
        "train_rows": len(fold.train),
        "rows": outside["rows"],
        "malicious": outside["malicious"],
        "inside": chosen.score,
        "outside": number_of(outside, chosen.metric),
    }
    return found, line


def with_parameters(recipe: ModelRecipe, best: dict[str, object]) -> ModelRecipe:
    """Return the recipe with what a search found, as if it stood in its sections.

    Examples
    --------
    >>> with_parameters(ModelRecipe(features="flow"), {"max_samples": 9, "preparation.log": False}).preparation
    {'log': False}
    """
    own = {name: value for name, value in best.items() if not name.startswith(BEFORE)}
    before = {name.removeprefix(BEFORE): value for name, value in best.items() if name.startswith(BEFORE)}
    return recipe.model_copy(
        update={"parameters": {**recipe.parameters, **own}, "preparation": {**recipe.preparation, **before}}
    )


def _told(
    recipe: ModelRecipe, judged: list[Judged], lines: list[dict[str, object]], outer: Validation, notices: list[str]
) -> NestedResult:
    import pandas as pd

    assert recipe.search is not None
    metric = recipe.search.metric
    every = Judged.joined(judged)
    pooled = pooled_metrics(every, outer)
    folds = pd.DataFrame(lines)
    optimism = float((folds["inside"] - folds["outside"]).mean())
    score, interval = number_of(pooled, metric), list(intervals_of(pooled).get(metric, []))
    return NestedResult(recipe.name or "unnamed", metric, score, interval, optimism, folds, pooled, notices)


def _record(result: NestedResult, recipe: ModelRecipe, project: Project) -> None:
    tags = {"socml.kind": "nested-search", "socml.recipe_hash": recipe.hash}
    measured = {"train_rows", "rows", "malicious", "inside", "outside"}
    children = [
        RunRecord(
            str(line["fold"]),
            {str(key): value for key, value in line.items() if key not in measured},
            {key: line[key] for key in measured},
            tags,
        )
        for line in ({str(k): v for k, v in one.items()} for one in result.folds.to_dict("records"))
    ]
    parent = RunRecord(f"nested search {result.model}", {"outer folds": len(children)}, result.pooled, tags)
    record_nested(f"search {result.model}", parent, children, project=project)
