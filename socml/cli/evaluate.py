"""Verbs of judging: validate, errors, search, compare; and what a sweep found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import SEEDS, Json
from socml.cli._output import as_json, figure, note, progress_bar, records, say, step, table
from socml.project import ConfigurationError, Project, did_you_mean, find_project

if TYPE_CHECKING:
    from socml.evaluate import Cluster, ValidationResult
    from socml.project import Validation

Mode = Annotated[
    str,
    typer.Option(
        help="random, temporal, temporal-cv, cut-off, sliding-window, by-day, cross-validation, group, "
        "unlabeled-labeled or datasets; the recipe's"
    ),
]
Setting = Annotated[list[str] | None, typer.Option("--set", help="another value of the [validation]: KEY=VALUE")]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        "-m",
        help="measured besides: recall_at_40, precision_at_40_a_day, ndcg, detection_rate_at_0.01, f1, …",
    ),
]
By = Annotated[
    str, typer.Option("--judged-by", help="truth (labels where there is none), or analysts: their labels alone")
]
GROUPS = 10  # groups of alerts that are shown


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (validate, errors, search, compare):
        app.command()(verb)


def validate(
    model: Annotated[str, typer.Argument(help="recipe in models/")],
    dataset: Annotated[str, typer.Argument(help="ingested dataset whose truth is known")],
    mode: Mode = "",
    set_: Setting = None,
    seed: Annotated[int | None, typer.Option(min=0, max=SEEDS, help="instead of the recipe's")] = None,
    metric: Metrics = None,
    judged_by: By = "",
    json_: Json = False,
) -> None:
    """Judge a model on rows it was not fitted on: each fold, and all pooled, with intervals.

    \b
    Examples:  socml validate source-classifier demo
               socml validate source-classifier demo --mode group --set folds=3
               socml validate source-forest demo --mode cut-off --set cut_off=2026-03-04T00:00:00Z
               socml validate source-forest office --judged-by analysts -m recall_at_40 -m detection_rate_at_0.01
    """
    from socml.evaluate import validate as judge_model

    project = find_project()
    validation = _validation(model, mode, set_ or [], metrics=metric, judged_by=judged_by)
    result = judge_model(model, dataset, validation=validation, seed=seed, project=project, step=step)
    if json_:
        as_json(result.to_dict())
        return
    _say_validation(result)


def errors(
    validation: Annotated[str, typer.Option(help="id of a validation; the newest if not given")] = "",
    kind: Annotated[str, typer.Option(help="false-positives or false-negatives")] = "false-positives",
    row: Annotated[str, typer.Option(help="show the features and events of this row")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="errors to list")] = 20,
    json_: Json = False,
) -> None:
    """List what a validated model got wrong, the worst first; with --row, down to the events behind one.

    \b
    Examples:  socml errors      socml errors --kind false-negatives -n 5      socml errors --row 3f0c…
    """
    from socml.evaluate import list_errors, load_validation

    project = find_project()
    result = load_validation(validation, project=project)
    if row:
        _show_row(result, row, project, json_=json_)
        return
    found = list_errors(result, kind, limit=limit)
    if json_:
        as_json(records(found))
        return
    say(f"{len(found)} {kind.replace('-', ' ')} of {result.about['model']}, validation {result.validation_id}")
    table(["row", "fold", "entity", "time", "family", "probability"], [_error_line(e) for e in records(found)])
    note("Next: socml errors --row ROW")


def search(
    model: Annotated[str, typer.Argument(help="recipe in models/ with a [search]")],
    dataset: Annotated[str, typer.Argument(help="ingested dataset whose truth is known")],
    nested: Annotated[
        int,
        typer.Option(min=0, help="outer folds: judge the search on rows it did not choose on, instead of searching"),
    ] = 0,
    mode: Mode = "",
    set_: Setting = None,
    judged_by: By = "",
    json_: Json = False,
) -> None:
    """Search the parameters that a recipe's [search] lists, by halving over its validation folds.

    What wins is printed as the sections to put into the recipe; nothing is changed.

    \b
    Examples:  socml search source-classifier demo
               socml search source-classifier demo --nested 5 --mode group
    """
    has_options = mode or set_ or judged_by
    validation = _validation(model, mode, set_ or [], judged_by=judged_by) if has_options else None
    if nested:
        _search_nested(model, dataset, nested, validation, json_=json_)
        return
    from socml.evaluate import search as search_parameters

    with step(f"searching parameters of {model}"):
        result = search_parameters(model, dataset, validation=validation)
    tried = records(result.tried)
    if json_:
        as_json({"best": result.best, "metric": result.metric, "score": result.score, "tried": tried})
        return
    table(list(result.tried.columns), [[figure(v) for v in line.values()] for line in tried])
    say(f"\nBest {result.metric.replace('_', ' ')}: {result.score:.3f} (of the rows it was chosen on)\n")
    say(result.to_toml())


def _search_nested(model: str, dataset: str, folds: int, validation: Validation | None, *, json_: bool) -> None:
    from socml.evaluate import nested_search

    found = nested_search(model, dataset, folds=folds, validation=validation, step=step)
    if json_:
        as_json(found.to_dict())
        return
    table(list(found.folds.columns), [[figure(v) for v in line.values()] for line in records(found.folds)])
    ends = f", 95 % of {found.interval[0]:.3f} to {found.interval[1]:.3f}" if found.interval else ""
    say(f"\n{found.metric.replace('_', ' ').capitalize()} of rows that were not chosen on: {found.score:.3f}{ends}")
    say(
        f"The searches themselves said {abs(found.optimism):.3f} {'more' if found.optimism > 0 else 'less'}, on average."
    )
    for text in found.notices:
        note(text)


def compare(
    a: Annotated[str, typer.Argument(help="scoring run")],
    b: Annotated[str, typer.Argument(help="another, over the same rows")],
    moved: Annotated[int, typer.Option(min=0, help="rows that moved most to show")] = 10,
    metric: Metrics = None,
    judged_by: By = "truth",
    json_: Json = False,
) -> None:
    """Put two scoring runs side by side: metrics with the difference's interval, order, and what moved most.

    \b
    Examples:  socml compare 2cfc896a31d5f1ec 82e451c0fbcf49e4      socml compare A B --json
    """
    from socml.evaluate import compare as compare_runs
    from socml.project import Validation

    by = Validation.model_validate({"judged_by": judged_by}).judged_by if judged_by in ("truth", "analysts") else None
    if by is None:
        raise ConfigurationError(f"--judged-by is truth or analysts, not {judged_by!r}.")
    found = compare_runs(a, b, moved=moved, metrics=metric or [], judged_by=by)
    if json_:
        as_json(found.to_dict())
        return
    say(f"a: {found.a['run_id']} {found.a['model_version']}   b: {found.b['run_id']} {found.b['model_version']}")
    say(f"{found.rows:,} rows of {found.a['dataset']}; rank correlation {found.rank_correlation:.3f}")
    say(
        "; ".join(
            f"of the first {k:,}, {share:.0%} are in both".replace("%", " %") for k, share in found.overlap.items()
        )
    )
    columns = ["metric", "a", "b", "difference", "low", "high"]
    table(columns, [[figure(m[c]) for c in columns] for m in found.metrics], numbers=columns[1:])
    shown = ["row_id", "entity", "time", "rank_a", "rank_b", "malicious"]
    table(shown, [[figure(r[c]) for c in shown] for r in records(found.moved)], numbers=["rank_a", "rank_b"])
    for text in found.notices:
        note(text)


def run_sweep(experiment: str, *, paths: list[Path] | None, json_: bool) -> None:
    """Run a sweep and print how its methods stand."""
    from socml.evaluate import run_sweep as run_cells

    if paths:
        raise ConfigurationError(
            f"{experiment} is a sweep: its datasets are ingested by their recipes, not from paths."
        )
    with progress_bar("measuring") as progress:
        result = run_cells(experiment, step=step, report=progress)
    if json_:
        as_json(result.to_dict())
        return
    say(f"\n{result.question}")
    say(f"{result.computed} cells measured, {result.kept} were there; by {result.metric.replace('_', ' ')}\n")
    columns = ["method", *result.table.columns]
    lines = [
        [name, *(figure(v) for v in line)]
        for name, line in zip(result.table.index, result.table.to_numpy(), strict=True)
    ]
    table(columns, lines, numbers=columns[1:])
    for pair in result.comparison.get("pairs", []):
        say(f"  {' and '.join(pair['methods'])}: p = {pair['p']:.3f} (Wilcoxon, Holm)")
    for text in result.notices:
        note(text)
    if result.diagram:
        say(f"\n{result.diagram}")


def _validation(
    model: str, mode: str, settings: list[str], *, metrics: list[str] | None = None, judged_by: str = ""
) -> Validation:
    """Return the recipe's [validation] with what the command line says instead."""
    import tomllib

    from socml.project import Validation, checked, load_model_recipe

    declared = load_model_recipe(model, find_project()).validation or Validation()
    validation: dict[str, object] = {"mode": mode} if mode else {}
    validation |= {"metrics": metrics} if metrics else {}
    validation |= {"judged_by": judged_by} if judged_by else {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in Validation.model_fields:
            known = did_you_mean(key, Validation.model_fields)
            raise ConfigurationError(f"--set takes KEY=VALUE of a [validation], not {setting!r}.{known}")
        try:
            validation[key] = tomllib.loads(f"value = {value}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            validation[key] = value
    return checked(Validation, {**declared.model_dump(), **validation}, "The [validation]")


def _say_validation(result: ValidationResult) -> None:
    from socml.evaluate import absent_of, intervals_of

    say(f"{result.about['model']} on {', '.join(result.about['datasets'])}, {result.about['validation']['mode']}")
    columns = ["fold", "fitted on", "rows", "malicious", "average precision", "AUROC", "FDR", "recall", "cost"]
    keys = ["name", "train_rows", *("rows malicious average_precision auroc false_discovery_rate recall cost".split())]
    lines = [[figure(fold.get(key)) for key in keys] for fold in result.folds]
    pooled = {**result.pooled, "name": "pooled", "train_rows": None}
    table(columns, [*lines, [figure(pooled.get(key)) for key in keys]], numbers=columns[1:])
    intervals = intervals_of(result.pooled)
    say("\nPooled, with 95 % intervals (of rankings: entities resampled; of shares: Wilson's, rows as independent):")
    for name, value in result.pooled.items():
        if name in intervals:
            low, high = intervals[name]
            say(f"  {name.replace('_', ' ')}: {value:.3f} ({low:.3f}–{high:.3f})")
        elif name.endswith("_s") or name.startswith("cost"):
            say(f"  {name.replace('_', ' ')}: {figure(value)}")
    for name, why in absent_of(result.pooled).items():
        say(f"  {name.replace('_', ' ')}: not measured, {why}")
    if result.clusters:
        say("\nGroups among the alerts:")
        shown = ["alerts", "malicious", "set apart by (standard deviations)", "for example"]
        table(shown, [_cluster_line(c) for c in result.clusters[:GROUPS]], numbers=shown[:2])
        if len(result.clusters) > GROUPS:
            note(f"{len(result.clusters) - GROUPS} smaller groups: --json has them")
    for text in result.notices:
        note(text)
    say(f"\nvalidation {result.validation_id}")
    note("Next: socml errors, or socml errors --kind false-negatives")


def _cluster_line(cluster: Cluster) -> list[str]:
    apart = ", ".join(f"{name} {value:+.1f}" for name, value in cluster["apart"].items())
    share = f"{cluster['malicious_share']:.0%}".replace("%", " %") if "malicious_share" in cluster else "?"
    return [f"{cluster['alerts']:,}", share, apart, cluster["row_id"][:12]]


def _show_row(result: ValidationResult, start: str, project: Project, *, json_: bool) -> None:
    from socml.evaluate import error_events, error_features

    found = sorted({str(r) for r in result.rows["row_id"] if str(r).startswith(start)})
    if len(found) != 1:
        raise ConfigurationError(
            f"{len(found) or 'No'} rows of validation {result.validation_id} start with {start!r}."
        )
    features = error_features(result, found[0], project=project)
    events = error_events(result, found[0], project=project)
    if json_:
        named = features.rename_axis("feature").reset_index()
        as_json({"row_id": found[0], "features": records(named), "events": records(events)})
        return
    table(
        ["feature", "value", "10 %", "90 %", "meaning"],
        [[n, *map(figure, v)] for n, v in zip(features.index, features.to_numpy(), strict=True)],
    )
    say(f"\n{len(events)} events:")
    for event in records(events):
        say(f"  {event['source_file']}:{event['source_line']} {str(event['raw'])[:160]}")


def _error_line(error: dict[str, object]) -> list[str]:
    names = ("fold", "entity", "time", "family", "probability")
    return [str(error["row_id"])[:12], *(figure(error[name]) for name in names)]
