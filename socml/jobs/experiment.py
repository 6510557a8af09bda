"""An experiment's question → events, features, a fitted model, scores, explanations and a queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from socml.evaluate import Step, number_of, prepare_dataset, silent
from socml.project import (
    DataError,
    ExperimentRecipe,
    Project,
    RecipeError,
    Run,
    find_project,
    html_text,
    load_experiment_recipe,
    load_model_recipe,
    visible_line,
)

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

_COUNTS = ("rows", "malicious")  # the same for every seed
EXPLAINED = 200  # rows of a run that are explained at once; the others when someone asks


@dataclass(frozen=True)
class ExperimentResult:
    """What came out of an experiment.

    Attributes
    ----------
    run : what `run.json` says of the scoring run of the first seed
    metrics : mean over the seeds; empty where the dataset has no ground truth
    queue : DataFrame, the first rows to review, the most pressing first
    headlines : one sentence for each row of `queue`
    """

    experiment: str
    question: str
    run: Run
    metrics: dict[str, object]
    queue: pd.DataFrame
    headlines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.experiment}: {self.question}", f"run {self.run['run_id']}: {self.run['rows']:,} rows scored"]
        lines += [f"{i}. {text}" for i, text in enumerate(self.headlines, 1)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html_text(text)}</li>" for text in self.headlines)
        figures = ", ".join(f"{html_text(k)} {v:.3f}" for k, v in self.metrics.items() if isinstance(v, float))
        return (
            f"<b>{html_text(self.question)}</b><br>{self.run['rows']:,} rows scored, run "
            f"<code>{html_text(self.run['run_id'])}</code><br>{figures}<ol>{items}</ol>"
        )


def run(
    experiment: str,
    *,
    project: Project | None = None,
    paths: Sequence[str | Path] | None = None,
    top: int = 10,
    step: Step = silent,
) -> ExperimentResult:
    """Run an experiment from its recipe: from raw logs to a queue that is ready for review.

    Parameters
    ----------
    experiment : name of a recipe in `experiments/`
    paths : files to ingest first; needed where the dataset's recipe names none
    top : rows of the queue that are put in words
    step : called with what begins now; its result is entered while that goes on

    Raises
    ------
    SocmlError
        Naming the step's own file or recipe.
    """
    project = project or find_project()
    recipe = load_experiment_recipe(experiment, project)
    if recipe.sweep is not None:
        raise RecipeError(f"{recipe.where} is a sweep: it has many cells and no single queue. Use run_sweep.")
    model = load_model_recipe(recipe.model, project)
    prepare_dataset(recipe.dataset, project=project, paths=paths, step=step)
    runs = [_fit_and_score(recipe, model.features, seed, project, step) for seed in recipe.seeds]
    queue, headlines = _first_rows(recipe, runs[0], top, project)
    metrics = _mean([r.get("metrics") or {} for r in runs])
    return ExperimentResult(experiment, recipe.question, runs[0], metrics, queue, headlines)


def _fit_and_score(recipe: ExperimentRecipe, feature_set: str, seed: int, project: Project, step: Step) -> Run:
    from socml.explanations import explain_run
    from socml.features import build_feature_file, load_learning_rows, load_row_truth
    from socml.models import fit, has_seen_truth, score_run, teaching_labels, write_families

    with step(f"building {feature_set} features"):
        path = build_feature_file(feature_set, recipe.dataset, project=project)
        truth = load_row_truth(recipe.dataset, feature_set, project=project)
        model = load_model_recipe(recipe.model, project).model_copy(update={"seed": seed})
        labels = teaching_labels(model, recipe.dataset, project=project)
        keep = () if labels is None else labels.index
        features = load_learning_rows(path, project=project, seed=seed, period=model.period, keep=keep)
    if features.empty:
        raise DataError(f"{feature_set} has no rows for {recipe.dataset}: its events are of other kinds.")
    with step(f"fitting {recipe.model}"):
        version = fit(model, features, project=project, truth=truth, labels=labels, experiment=recipe.name)
    with step("scoring"):
        seen = has_seen_truth(version, recipe.dataset)  # then only figures of held-out rows say something
        scored = score_run(version, path, project=project, experiment=recipe.name, truth=None if seen else truth)
        write_families(version, path, scored["run_id"], project=project)
        if seen:
            scored["metrics"] = version.metadata["metrics"]
    with step(f"explaining the {min(EXPLAINED, len(features))} most anomalous"):
        explain_run(scored["run_id"], project=project, top=EXPLAINED)
    return scored


def _first_rows(recipe: ExperimentRecipe, scored: Run, top: int, project: Project) -> tuple[pd.DataFrame, list[str]]:
    from socml.explanations import headlines
    from socml.review import Triage

    triage = Triage(scored["run_id"], project=project, strategy=recipe.queue.strategy)
    queue = triage.queue(top)
    sentences = headlines(scored["run_id"], list(queue["row_id"]), project=project, language=project.language)
    return queue, [
        f"{whom(row)}: {text}"
        for row, text in zip(cast("Iterator[ListedRow]", queue.itertuples(index=False)), sentences, strict=True)
    ]


class ListedRow(Protocol):
    """A row of the queue, as `itertuples` gives it."""

    position: int
    row_id: str
    reason: str
    percentile: float

    entity: str | None
    time: datetime | None


def whom(row: ListedRow) -> str:
    """Return whom a row is about and when, in one line of inert text.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import pandas as pd
    >>> whom(SimpleNamespace(entity="10.0.0.7", time=pd.Timestamp("2026-03-02 08:05", tz="UTC")))
    '10.0.0.7, 2026-03-02 08:05'
    """
    entity = "" if row.entity is None or row.entity != row.entity else visible_line(row.entity)
    time = "" if row.time is None or row.time != row.time else f"{row.time:%Y-%m-%d %H:%M}"
    return ", ".join(part for part in (entity, time) if part) or "?"


def _mean(metrics: list[Mapping[str, object]]) -> dict[str, object]:
    keys = [k for k, v in metrics[0].items() if isinstance(v, int | float) and all(k in m for m in metrics)]
    return {k: metrics[0][k] if k in _COUNTS else sum(number_of(m, k) for m in metrics) / len(metrics) for k in keys}
