"""A labelled dataset, strategies and seeds → budget curves: what each strategy finds with how many labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from socml.features import build_features, load_row_truth
from socml.models import as_anomaly, fit_pipeline, forest_for
from socml.project import (
    DataError,
    ModelError,
    Project,
    ScratchFolder,
    UnknownName,
    html_text,
    load_model_recipe,
    refuse_other,
    replacing,
)
from socml.review.oracle import replay, score_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WITHOUT = "without labels"  # the model's own order, beside the strategies
SHOWN = (5, 10, 20, 50, 100, 200, 500)
Z95 = 1.96
PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Ranked:
    """One ranking of a labelled dataset: a score table, the leaves of its rows, and the rows as numbers if known."""

    scores: pd.DataFrame
    leaves: NDArray[np.integer]
    truth: pd.DataFrame
    matrix: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class BudgetCurves:
    """What strategies found.

    Attributes
    ----------
    about : what was replayed, in a few words
    seeds : how many rankings and draws the means are of
    malicious : how many malicious rows there are, mean over the seeds
    curves : DataFrame: strategy, labels (1, 2, …), found (mean over the seeds), low and high (95 % interval of that
        mean, equal to it with one seed), families (different ones among the malicious rows found, mean)
    """

    about: str
    seeds: int
    malicious: float
    curves: pd.DataFrame = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Return what was found at round numbers of labels: a row a strategy."""
        last = int(self.curves["labels"].max())
        at = [n for n in SHOWN if n < last] + [last]
        shown = self.curves[self.curves["labels"].isin(at)]
        table = shown.pivot_table(index="strategy", columns="labels", values="found", sort=False)
        return table.iloc[np.argsort(-table[last].to_numpy(), kind="stable")]

    def plot(self) -> Figure:
        """Draw the curves with their intervals."""
        from matplotlib.figure import Figure as Canvas

        figure = Canvas(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        for strategy, curve in self.curves.groupby("strategy", sort=False):
            is_peer = strategy == WITHOUT
            (line,) = axes.plot(
                curve["labels"], curve["found"], label=str(strategy), linestyle="--" if is_peer else "-"
            )
            axes.fill_between(curve["labels"], curve["low"], curve["high"], color=line.get_color(), alpha=0.15)
        axes.set(xlabel="labels", ylabel="malicious rows found", title=self.about, ylim=(0, None))
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
        return figure

    def _repr_html_(self) -> str:
        title = html_text(f"{self.about}: malicious rows found, of {self.malicious:,.0f}; mean of {self.seeds} seeds")
        return f"<p><b>{title}</b></p>{self.table().round(1).to_html(escape=True, border=0)}"


def budget_curves(
    ranked: Callable[[int], Ranked],
    *,
    strategies: Sequence[str],
    seeds: int = 5,
    budget: int = 100,
    about: str = "",
    progress: Callable[[str], None] = lambda text: None,
) -> BudgetCurves:
    """Let an oracle label with each strategy and seed, through the code that a person's verdicts take.

    Parameters
    ----------
    ranked : returns the ranking of a seed; see `ranked_by_recipe` and `ranked_by_run`
    strategies : names of files in `socml/strategies/`
    progress : told of each replay that begins

    Raises
    ------
    DataError
        If the truth says nothing about any row.
    """
    if seeds < 1 or budget < 1 or not strategies:
        raise DataError("A replay needs at least one strategy, one seed and one label.")
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in [*strategies, WITHOUT]}
    families: dict[str, list[NDArray[np.float64]]] = {name: [] for name in strategies}
    malicious = []
    for seed in range(seeds):
        ranking = ranked(seed)
        for strategy in strategies:
            progress(f"{strategy}, seed {seed}")
            result = replay(
                (ranking.scores, ranking.leaves),
                ranking.truth,
                budget=budget,
                strategy=strategy,
                seed=seed,
                matrix=ranking.matrix,
            )
            found[strategy].append(result.curve["found"].to_numpy()[1:])
            families[strategy].append(_families(result.answers))
        found[WITHOUT].append(result.curve["found_without"].to_numpy()[1:])
        malicious.append(result.malicious)
    curves = [_curve(name, runs, families.get(name)) for name, runs in found.items()]
    return BudgetCurves(about, seeds, float(np.mean(malicious)), pd.concat(curves, ignore_index=True))


def ranked_by_recipe(model: str, dataset: str, *, project: Project) -> Callable[[int], Ranked]:
    """Return a function that fits a model's recipe on a dataset with a seed; nothing is recorded.

    Raises
    ------
    ModelError
        If the model is taught: a replay is of the labels alone.
    DataError
        If the dataset has no ground truth.
    """
    recipe = load_model_recipe(model, project)
    if recipe.mode != "batch":
        raise ModelError(
            f"Model {model!r} is of mode {recipe.mode!r}; a replay starts from a model that saw no labels."
        )
    features = build_features(recipe.features, dataset, project=project)
    truth = load_row_truth(dataset, recipe.features, project=project)
    if truth.empty:
        raise DataError(f"Dataset {dataset!r} has no ground truth for {recipe.features!r}, so no oracle can answer.")
    ids = [str(row_id) for row_id in features.get("row_id", features.index)]

    def ranked(seed: int) -> Ranked:
        pipeline, matrix = fit_pipeline(recipe, features, seed, project)
        score = as_anomaly(pipeline.named_steps["detector"].score_samples(matrix))
        leaves = forest_for(pipeline, matrix, seed).leaves(matrix)
        return Ranked(score_table(score, row_ids=ids), leaves, truth, np.asarray(matrix, dtype=np.float32))

    return ranked


def ranked_by_run(run_id: str, *, project: Project) -> Callable[[int], Ranked]:
    """Return a function that gives a scoring run as it is, whatever the seed: only the strategies' draws differ."""
    import pyarrow as pa

    from socml.models import load_scores
    from socml.project import read_leaves, read_run
    from socml.review.row_ids import RowIds
    from socml.review.supervised_ranker import matrix_of

    run = read_run(project, run_id)
    scores = load_scores(str(run["run_id"]), project=project)
    scores = scores[scores["rank"] <= run.get("reviewed", len(scores))]
    leaves = read_leaves(project, run)
    if leaves is None:
        leaves = np.empty((0, len(scores)), dtype=np.uint8)
    truth = load_row_truth(str(run["dataset"]), str(run["feature_set"]), project=project)
    if truth.empty:
        raise DataError(f"Dataset {run['dataset']!r} has no ground truth, so no oracle can answer.")
    try:
        matrix = matrix_of(run, RowIds(pa.array(scores.index, pa.string())), project)
    except DataError:
        matrix = None  # strategies that read a forest's predictions then say what they miss
    whole = matrix if matrix is not None and len(matrix) == len(scores) else None
    return lambda seed: Ranked(scores, leaves, truth, whole)


def check_plot(path: Path) -> None:
    """Look at where curves are to be drawn, before they are computed.

    Raises
    ------
    UnknownName
        For an ending that is none of `PICTURES`.
    ConfigurationError
        If something else than a picture of ours is there.
    """
    if path.suffix not in PICTURES:
        raise UnknownName("file ending for a picture", path.suffix, PICTURES)
    refuse_other(path, b"atplotlib", "picture")


def write_plot(curves: BudgetCurves, path: Path) -> Path:
    """Draw curves into a file, in one step; a picture that was drawn there before gives way.

    Raises
    ------
    UnknownName, ConfigurationError
        As `check_plot` does.
    """
    check_plot(path)
    with replacing(path) as temporary:
        curves.plot().savefig(temporary, dpi=130, format=path.suffix[1:])
    return path


def log_curves(curves: BudgetCurves, *, experiment: str, project: Project, parameters: dict[str, object]) -> str:
    """Record the curves in MLflow: figures as metrics by label, the table and the plot as artefacts; return the run's id."""
    from socml.models import experiment_id, open_registry

    client = open_registry(project)
    run = client.create_run(experiment_id(client, experiment, project), run_name=f"replay of {curves.about}")
    for name, value in parameters.items():
        client.log_param(run.info.run_id, name, value)
    points = zip(curves.curves["strategy"], curves.curves["found"], curves.curves["labels"], strict=True)
    for strategy, found, labels in points:
        client.log_metric(run.info.run_id, f"found {strategy}", float(found), step=int(labels))
    with ScratchFolder("record") as folder:
        curves.curves.to_csv(Path(folder) / "curves.csv", index=False)
        curves.plot().savefig(Path(folder) / "curves.png", dpi=130)
        client.log_artifacts(run.info.run_id, folder)
    client.set_terminated(run.info.run_id, "FINISHED")
    return str(run.info.run_id)


def _curve(strategy: str, runs: list[NDArray[np.float64]], families: list[NDArray[np.float64]] | None) -> pd.DataFrame:
    length = min(len(run) for run in runs)
    found = np.array([run[:length] for run in runs], dtype=np.float64)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.zeros(length)
    mean = found.mean(axis=0)
    known = np.full(length, np.nan) if families is None else np.mean([f[:length] for f in families], axis=0)
    return pd.DataFrame(
        {
            "strategy": strategy,
            "labels": np.arange(1, length + 1),
            "found": mean,
            "low": mean - Z95 * error,
            "high": mean + Z95 * error,
            "families": known,
        }
    )


def _families(answers: pd.DataFrame) -> NDArray[np.float64]:
    seen: set[str] = set()
    counts = []
    for verdict, family in zip(answers["verdict"], answers["family"], strict=True):
        if verdict == "malicious" and isinstance(family, str):
            seen.add(family)
        counts.append(len(seen))
    return np.array(counts, dtype=np.float64)
