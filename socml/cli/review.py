"""Verbs of the people: run, queue, label, replay."""

from __future__ import annotations

import getpass
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from socml.cli._options import Engine, Json, Master, Run, given_path, project_on
from socml.cli._output import as_json, say, step, table
from socml.project import ConfigurationError, find_project, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from socml.jobs import ExperimentResult, ListedRow
    from socml.project import Project, Words
    from socml.review import Triage


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (run, queue, label, replay):
        app.command()(verb)


def run(
    experiment: Annotated[str, typer.Argument(help="recipe in experiments/")],
    paths: Annotated[
        list[Path] | None, typer.Argument(parser=given_path, metavar="path", help="files to ingest first")
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="rows to put in words; 10, or 20 of the daily list")] = None,
    day: Annotated[str, typer.Option(help="of the daily list, as 2026-03-04; the last if not given")] = "",
    since: Annotated[str, typer.Option(help="last: only what is new since the last night, as socml nightly does")] = "",
    hours: Annotated[bool, typer.Option("--hours", help="of the daily list: a list for each hour of the day")] = False,
    engine: Engine = "",
    master: Master = "",
    json_: Json = False,
) -> None:
    """Run an experiment from raw logs to a queue that is ready for review, or a sweep to its comparison.

    `daily` is the list of a day: whom to look at, with reasons. Name the dataset, then files to ingest first, if any.
    A sweep that was stopped goes on where it stopped.

    \b
    Examples:  socml run first-look      socml run daily office /var/log/zeek
               socml run daily office --since last
    """
    from socml.project import load_experiment_recipe, load_model_recipe

    project = project_on(engine, master)
    recipe = load_experiment_recipe(experiment, project)
    if recipe.sweep is not None:
        from socml.cli.evaluate import run_sweep

        run_sweep(experiment, paths=paths, json_=json_)
    elif since and (engine or master):
        raise ConfigurationError("--since last follows [engine] of socml.toml: it takes no --engine and no --master.")
    elif load_model_recipe(recipe.model, project).mode == "daily":
        if hours and since:
            raise ConfigurationError("--hours and --since last are two lists: ask for one.")
        if hours:
            from socml.cli.daily import run_hours

            run_hours(experiment, paths, day=day, top=top or 5, json_=json_, project=project)
        else:
            _run_daily(experiment, paths, day=day, since=since, top=top or 20, json_=json_, project=project)
    elif since or hours:
        raise ConfigurationError(
            f"{'--since' if since else '--hours'} is of the daily list, which {experiment!r} is not. Leave it out."
        )
    else:
        run_experiment(experiment, paths=paths, top=top or 10, json_=json_)


def _run_daily(
    experiment: str, paths: list[Path] | None, *, day: str, since: str, top: int, json_: bool, project: Project
) -> None:
    from socml.cli.daily import run_daily
    from socml.cli.nightly import nightly

    if not since:
        run_daily(experiment, paths, day=day, top=top, json_=json_, project=project)
        return
    if since != "last":
        raise ConfigurationError(
            f"--since is {since!r}: only last is known. For days, see: socml nightly --from DAY --to DAY"
        )
    if day or len(paths or []) > 1:
        raise ConfigurationError(
            "--since last lists what is new of a dataset: it takes no --day, and files are in [sources]."
        )
    nightly(str(paths[0]) if paths else "", json_=json_)


def run_experiment(experiment: str, *, paths: list[Path] | None, top: int, json_: bool = False) -> ExperimentResult:
    """Run an experiment and print its findings in words."""
    from socml.jobs import run as run_recipe

    absolute = [path.absolute() for path in paths] if paths else None
    result = run_recipe(experiment, paths=absolute, top=top, step=step)
    if json_:
        as_json({"run": result.run, "metrics": result.metrics, "queue": result.queue.to_dict("records")})
        return result
    say(f"\n{result.question}")
    say(f"run {result.run['run_id']}: {result.run['rows']:,} rows scored\n")
    for number, sentence in enumerate(result.headlines, 1):
        say(f"{number:>3}. {sentence}")
    _say_metrics(result.metrics)
    return result


def queue(
    run: Run = "",
    budget: Annotated[int, typer.Option("--budget", "-n", help="rows to show")] = 25,
    strategy: Annotated[str, typer.Option(help="query strategy; see socml/strategies")] = "most-anomalous",
    by: Annotated[str, typer.Option(help="whose queue")] = "",
    json_: Json = False,
) -> None:
    """Show what to review next, after all labels given so far, and why each row is there.

    \b
    Examples:  socml queue      socml queue --strategy mixed -n 50 --json
    """
    from socml.explanations import headlines
    from socml.jobs import whom

    triage = _triage(run, by, strategy)
    rows = triage.queue(budget)
    if json_:
        as_json(rows.to_dict("records"))
        return
    project = find_project()
    reasons = words(project.language)
    sentences = headlines(triage.run["run_id"], list(rows["row_id"]), project=project, language=project.language)
    shown = [
        (
            r.position,
            r.row_id[:12],
            f"{r.percentile:.2f}",
            _reason_in_words(str(r.reason), reasons),
            f"{whom(r)}: {sentence}",
        )
        for r, sentence in zip(cast("Iterator[ListedRow]", rows.itertuples(index=False)), sentences, strict=True)
    ]
    table(["#", "row", "percentile", "here because", "what is unusual"], shown, numbers=["#", "percentile"])


def _reason_in_words(code: str, say: Words) -> str:
    """Return why a row is there; a strategy of one's own says it in its own words."""
    key = f"queue.reason.{code}"
    return say(key) if key in say.catalogue else code


def label(
    row: Annotated[str, typer.Argument(help="row, or the start of its id; see socml queue")] = "",
    verdict: Annotated[str, typer.Argument(help="malicious, benign, false_alarm, unsure or skip")] = "",
    reason: Annotated[str, typer.Option(help="why")] = "",
    family: Annotated[str, typer.Option(help="which kind of behaviour")] = "",
    technique: Annotated[str, typer.Option(help="ATT&CK technique")] = "",
    note: Annotated[str, typer.Option(help="free text")] = "",
    by: Annotated[str, typer.Option(help="analyst; the login name if not given")] = "",
    run: Run = "",
    undo: Annotated[bool, typer.Option("--undo", help="take back this analyst's last label")] = False,
    json_: Json = False,
) -> None:
    """Give a verdict on a row, or take the last one back. The ranking changes at once.

    \b
    Examples:  socml label 3f0c12ab malicious --family beaconing
               socml label --undo
    """
    triage = _triage(run, by, "most-anomalous")
    if undo:
        done = triage.undo()
    elif not row or not verdict:
        raise ConfigurationError("Give a row and a verdict: socml label ROW malicious. Or: socml label --undo")
    else:
        details = {"reason": reason, "family": family, "technique": technique, "note": note}
        done = triage.label(_whole_id(row, triage), verdict, client_id=str(uuid.uuid4()), how="command line", **details)
    if json_:
        as_json(vars(done))
    else:
        say(
            f"{done.row_id[:12]} {'undone' if undo else done.verdict}: {done.moved_up:,} rows up, {done.moved_down:,} down"
        )


def replay(
    experiment: Annotated[
        str, typer.Argument(help="recipe in experiments/; a scoring run as it is, if not given")
    ] = "",
    run: Run = "",
    budget: Annotated[int, typer.Option(min=0, help="labels the oracle gives")] = 100,
    strategy: Annotated[list[str] | None, typer.Option(help="query strategy; may be given several times")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="number of seeds")] = 1,
    plot: Annotated[Path | None, typer.Option(help="picture to draw the curves into")] = None,
    json_: Json = False,
) -> None:
    """Let ground truth answer in the analyst's place: how many malicious rows are found, with and without labels.

    With an experiment, its model is fitted anew with each seed and the curves are recorded in MLflow.

    \b
    Examples:  socml replay --budget 100
               socml replay first-look --strategy mixed --strategy rare-families --seeds 5 --plot curves.png
    """
    strategies = strategy or ["most-anomalous"]
    if experiment or plot or len(strategies) > 1:
        _replay_curves(experiment, run, budget, strategies, seeds, plot, json_)
        return
    from socml.features import load_row_truth
    from socml.project import read_run
    from socml.review import replay as replay_run

    project = find_project()
    scored = read_run(project, run)
    truth = load_row_truth(scored["dataset"], scored["feature_set"], project=project)
    with step(f"replaying {budget} labels"):
        results = [
            replay_run(scored["run_id"], truth, budget=budget, strategy=strategies[0], seed=seed, project=project)
            for seed in range(seeds)
        ]
    if json_:
        as_json([result.to_dict() for result in results])
    else:
        for result in results:
            say(str(result))


def _replay_curves(
    experiment: str, run: str, budget: int, strategies: list[str], seeds: int, plot: Path | None, json_: bool
) -> None:
    from socml.project import load_experiment_recipe
    from socml.review import budget_curves, check_plot, log_curves, ranked_by_recipe, ranked_by_run, write_plot

    project = find_project()
    if plot is not None:
        check_plot(plot)
    if experiment:
        recipe = load_experiment_recipe(experiment, project)
        if recipe.sweep is not None:
            raise ConfigurationError(
                f"{experiment!r} is a sweep; a replay needs an experiment of one dataset and one model."
            )
        ranked = ranked_by_recipe(recipe.model, recipe.dataset, project=project)
        about = f"{recipe.dataset}, {recipe.model}"
    else:
        ranked, about = ranked_by_run(run, project=project), f"run {run or 'newest'}"
    with step(f"replaying {budget} labels × {seeds} seeds × {len(strategies)} strategies"):
        curves = budget_curves(ranked, strategies=strategies, seeds=seeds, budget=budget, about=about)
    if plot is not None:
        write_plot(curves, plot)
    given = {"budget": budget, "seeds": seeds, "strategies": ", ".join(strategies), "what": about}
    recorded = log_curves(curves, experiment=experiment, project=project, parameters=given) if experiment else ""
    if json_:
        as_json({"about": about, "malicious": curves.malicious, "curves": curves.curves.to_dict("records")})
        return
    found = curves.table()
    say(f"{about}: malicious rows found, of {curves.malicious:,.0f}; mean of {seeds} seeds")
    columns = [f"{n} labels" for n in found.columns]
    rows = [(name, *(f"{value:.1f}" for value in row)) for name, row in zip(found.index, found.to_numpy(), strict=True)]
    table(["strategy", *columns], rows, numbers=columns)
    if recorded:
        say(f"recorded in MLflow: {recorded}")


def _triage(run: str, by: str, strategy: str) -> Triage:
    from socml.review import Triage

    return Triage(run, by=by or getpass.getuser(), strategy=strategy)


def _whole_id(start: str, triage: Triage) -> str:
    found = triage.row_ids_from(start)
    if len(found) != 1:
        raise ConfigurationError(f"{len(found) or 'No'} rows of run {triage.run['run_id']} start with {start!r}.")
    return found[0]


def _say_metrics(metrics: dict[str, object]) -> None:
    if metrics:
        say("\nAgainst the ground truth (never a feature):")
    for name, value in metrics.items():
        say(f"  {name.replace('_', ' ')}: {value:.3f}" if isinstance(value, float) else f"  {name}: {value}")
