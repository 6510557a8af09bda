"""Verbs of the line: simulate, ingest, features, fit, score, explain."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import SEEDS, AnyAddress, Engine, Final, Json, Master, Workers, given_path, project_on
from socml.cli._output import as_json, note, progress_bar, say, step, table, without_pandas
from socml.project import ConfigurationError, DataError, Period, Run, find_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from socml.project import Project


Format = Annotated[str, typer.Option("--format", "-f", help="read as this format instead of detecting it")]
BadShare = Annotated[
    float | None, typer.Option(min=0, max=1, help="share of a file's records that may be bad; the recipe's, or 0.05")
]
Anew = Annotated[
    bool, typer.Option("--anew", help="what the dataset holds gives way to what is read now, once all is read")
]
From = Annotated[str, typer.Option("--from", help="only rows from this day or moment on, UTC")]
Until = Annotated[str, typer.Option("--until", help="only rows until this day, or before this moment, UTC")]


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (simulate, ingest, features, fit, score, explain):
        app.command()(verb)


def simulate(
    folder: Annotated[Path, typer.Argument(parser=given_path, metavar="path", help="where the logs are written")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="days of activity")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same bytes")] = 7,
    json_: Json = False,
) -> None:
    """Write the logs of a small organisation, with attacks of known truth in them.

    Zeek TSV, Suricata EVE and auth.log, as sensors write them, and truth.parquet beside them.

    \b
    Examples:  socml simulate logs      socml simulate logs --days 7 --seed 3
    """
    from socml.simulator import simulate as simulate_logs

    with step(f"simulating {days} days"):
        logs = simulate_logs(folder, days=days, seed=seed)
    if json_:
        as_json({"folder": str(logs.folder), "files": [str(f) for f in logs.files]})
    else:
        say(str(logs))


def ingest(
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="dataset recipe, or a new name")],
    paths: Annotated[list[str] | None, typer.Argument(help="files, folders or patterns; plain, gz, zst or zip")] = None,
    format_: Format = "auto",
    listen: Annotated[str, typer.Option(help="receive syslog instead: udp://127.0.0.1:5514 or tcp://…")] = "",
    seconds: Annotated[float | None, typer.Option(help="listen this long; else until Ctrl-C")] = None,
    any_address: AnyAddress = False,
    max_bad_share: BadShare = None,
    final: Final = False,
    anew: Anew = False,
    workers: Workers = 0,
    engine: Engine = "",
    master: Master = "",
    json_: Json = False,
) -> None:
    """Read logs into the event table. Reading the same files again adds nothing, renamed, rotated or packed.

    What does not parse is kept in quarantine with file, line and reason: socml quarantine. A file that cannot be
    read stops no other; the exit code is 3 then.

    \b
    Examples:  socml ingest conn.log.gz --dataset office
               socml ingest /var/log/zeek --dataset office --format zeek-tsv
               socml ingest --listen udp://127.0.0.1:5514 --dataset office --seconds 60
    """
    from socml.ingestion import ingest_files

    if listen:
        _listen(listen, dataset, format_, seconds, any_address, json_=json_)
        return
    without_pandas()
    with progress_bar("reading") as progress:
        result = ingest_files(
            paths,
            dataset=dataset,
            format=format_,
            project=project_on(engine, master),
            progress=progress,
            max_bad_share=max_bad_share,
            final=final,
            anew=anew,
            workers=workers,
        )
    if json_:
        as_json(result.to_dict())
    else:
        say(str(result))
    if result.failed:
        raise typer.Exit(DataError.exit_code)


def _listen(address: str, dataset: str, format_: str, seconds: float | None, any_address: bool, *, json_: bool) -> None:
    from socml.ingestion import listen

    done = listen(
        address,
        dataset=dataset,
        format="syslog" if format_ == "auto" else format_,
        seconds=seconds,
        any_address=any_address,
        on_ready=lambda host, port: note(f"Listening on {host} port {port}. Ctrl-C stores the rest and ends."),
    )
    if json_:
        as_json(asdict(done))
        return
    say(str(done))
    for warning in done.warnings:
        note(warning)


def features(
    feature_set: Annotated[str, typer.Argument(help="recipe in features/")],
    dataset: Annotated[str, typer.Argument(help="ingested dataset")],
    engine: Engine = "",
    master: Master = "",
    json_: Json = False,
) -> None:
    """Build a feature table from the events of a dataset.

    \b
    Examples:  socml features source-5min office
               socml features source-5min office --engine spark --master "local[2]"
    """
    project = project_on(engine, master)
    if project.engine != "spark":
        without_pandas()
    import pyarrow.parquet as pq

    from socml.features import build_feature_file
    from socml.project import read_metadata

    with step(f"building {feature_set}"):
        path = build_feature_file(feature_set, dataset, project=project)
    metadata, rows = read_metadata(path), pq.read_metadata(path).num_rows
    if json_:
        as_json({"path": str(path), "rows": rows, **metadata})
        return
    say(f"{path}: {rows:,} rows, {len(metadata['features'])} features")
    table(["feature", "meaning"], metadata["columns"].items())


def fit(
    model: Annotated[str, typer.Argument(help="recipe in models/")],
    dataset: Annotated[str, typer.Argument(help="ingested dataset")],
    promote: Annotated[bool, typer.Option("--promote", help="make it the champion")] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=SEEDS, help="instead of the recipe's")] = None,
    from_: From = "",
    until: Until = "",
    force: Annotated[bool, typer.Option("--force", help="learn from a column even if it is the label")] = False,
    json_: Json = False,
) -> None:
    """Fit a model on a dataset and register the version. The first version becomes the champion.

    A supervised model learns from the ground truth, or from the analysts' labels if its [training] says so.

    \b
    Examples:  socml fit source-forest office      socml fit source-forest office --promote
               socml fit source-forest office --from 2026-03-02 --until 2026-03-03   (days known to be clean)
    """
    from socml.features import build_feature_file, load_learning_rows, load_row_truth
    from socml.models import fit as fit_model
    from socml.models import teaching_labels
    from socml.project import load_model_recipe

    project = find_project()
    recipe = load_model_recipe(model, project)
    period = Period.of(from_, until) if from_ or until else recipe.period
    if seed is not None:
        recipe = recipe.model_copy(update={"seed": seed})
    with step(f"building {recipe.features}"):
        path = build_feature_file(recipe.features, dataset, project=project)
        truth = load_row_truth(dataset, recipe.features, project=project)
        labels = teaching_labels(recipe, dataset, project=project)
        keep = () if labels is None else labels.index
        table_ = load_learning_rows(path, project=project, seed=recipe.seed, period=period, keep=keep)
    with step(f"fitting {model} on {len(table_):,} rows"):
        version = fit_model(
            recipe, table_, project=project, truth=truth, labels=labels, promote=promote, period=period, force=force
        )
    if json_:
        as_json({"name": version.name, "version": version.version, **version.metadata})
    else:
        say(f"{version.name}/{version.version}")
        _say_metrics(version.metadata.get("metrics") or {})


def score(
    model: Annotated[str, typer.Argument(help="registered model")],
    dataset: Annotated[str, typer.Argument(help="ingested dataset")],
    version: Annotated[str, typer.Option(help="version or alias")] = "champion",
    top: Annotated[int, typer.Option(min=0, help="rows to explain at once")] = 200,
    online: Annotated[
        bool, typer.Option("--online", help="an online model: score and learn what is new, row by row")
    ] = False,
    from_: From = "",
    until: Until = "",
    engine: Engine = "",
    master: Master = "",
    json_: Json = False,
) -> None:
    """Score a dataset with a registered model and explain the most anomalous rows.

    The same model over the same events gives the same run, byte for byte.

    \b
    Examples:  socml score source-forest office      socml score source-forest office --version 3 --json
               socml score source-forest office --from 2026-03-04
               socml score online-gaussian office --online
    """
    period = Period.of(from_, until)
    if online and not period.is_open:
        raise ConfigurationError("--online goes on from where it stopped: it takes no --from and no --until.")
    if online:
        run = _score_online(model, dataset, top)
    else:
        run = _score_batch(model, dataset, version, top, period, project=project_on(engine, master))
    if json_:
        as_json(run)
        return
    say(f"run {run['run_id']}: {run['rows']:,} rows of {dataset} scored by {run['model_version']}")
    _say_metrics(run.get("metrics") or {})
    note("Next: socml queue, or socml app")


def _score_batch(model: str, dataset: str, version: str, top: int, period: Period, *, project: Project) -> Run:
    from socml.explanations import explain_run
    from socml.features import build_feature_file, features_of_period, load_row_truth
    from socml.models import has_seen_truth, load_model, score_run, write_families

    fitted = load_model(model, version, project=project)
    feature_set = str(fitted.metadata["feature_set"])
    with step(f"building {feature_set}"):
        path = features_of_period(build_feature_file(feature_set, dataset, project=project), period)
        truth = load_row_truth(dataset, feature_set, project=project)
    if has_seen_truth(fitted, dataset):
        note(f"{fitted.label} was taught with the truth of {dataset}: no metrics against it. See: socml validate")
        truth = truth.iloc[:0]
    with step("scoring"):
        run = score_run(fitted, path, project=project, truth=truth)
        write_families(fitted, path, run["run_id"], project=project)
    with step(f"explaining {top}"):
        explain_run(run["run_id"], project=project, top=top)
    return run


def _score_online(model: str, dataset: str, top: int) -> Run:
    from socml.explanations import explain_online
    from socml.features import build_feature_file, load_row_truth
    from socml.models import score_online
    from socml.project import load_model_recipe

    project = find_project()
    recipe = load_model_recipe(model, project)
    if recipe.mode != "online":
        by_hour = f" Its list by the hour: socml run daily {dataset} --hours" if recipe.mode == "daily" else ""
        raise ConfigurationError(
            f"{model!r} is of mode {recipe.mode!r}, and --online is for those of mode 'online'.{by_hour}"
        )
    feature_set = recipe.features
    with step(f"building {feature_set}"):
        path = build_feature_file(feature_set, dataset, project=project)
        truth = load_row_truth(dataset, feature_set, project=project)
    with step("scoring and learning"):
        run = score_online(model, path, project=project, start="latest", truth=truth)
    with step(f"explaining {top}"):
        explain_online(run["run_id"], top=top, project=project)
    return run


def explain(
    row_id: Annotated[str, typer.Argument(help="row of a scoring run; see socml queue")],
    run: Annotated[str, typer.Option(help="scoring run; the newest if not given")] = "",
    language: Annotated[str, typer.Option(help="en or fr; the project's if not given")] = "",
    json_: Json = False,
) -> None:
    """Say in words why a row is unusual: its values, the usual ones, and what would make it normal.

    \b
    Examples:  socml explain 3f0c…      socml explain 3f0c… --language fr
    """
    from socml.explanations import explanation_in_words
    from socml.project import read_run

    project = find_project()
    about = read_run(project, run)
    if about.get("online"):
        from socml.explanations import explain_online

        explain_online(about["run_id"], [row_id], project=project)
    explanation = explanation_in_words(about["run_id"], row_id, project=project, language=language or project.language)
    if json_:
        as_json(explanation.to_dict())
        return
    say(explanation.headline)
    table(list(explanation.why.columns), explanation.why.itertuples(index=False))
    if explanation.estimated:
        say(explanation.estimated)
    say(explanation.would_be_normal)


def _say_metrics(metrics: Mapping[str, object]) -> None:
    for name, value in metrics.items():
        say(
            f"  {name.replace('_', ' ')}: {value:.3f}"
            if isinstance(value, float)
            else f"  {name.replace('_', ' ')}: {value}"
        )
