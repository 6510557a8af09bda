"""Verbs of models over time: retrain, shadow, promote, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import Json
from socml.cli._output import as_json, say, step, table
from socml.project import find_project

if TYPE_CHECKING:
    from socml.jobs import Beside

Model = Annotated[str, typer.Argument(help="fitted model")]


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (retrain, shadow, promote, rollback):
        app.command()(verb)


def retrain(
    model: Model,
    dataset: Annotated[str, typer.Argument(help="ingested dataset to fit on")],
    if_: Annotated[
        list[str] | None, typer.Option("--if", help="always, drift, age>30d or labels>=50; any will do")
    ] = None,
    json_: Json = False,
) -> None:
    """Fit a model again if it is time; the new version becomes the shadow beside the champion, and is never promoted here.

    \b
    Examples:  socml retrain source-forest office
               socml retrain source-forest office --if "age>30d" --if drift
    """
    from socml.jobs import retrain as fit_again

    with step(f"looking whether {model} is to be fitted again"):
        done = fit_again(model, dataset, conditions=if_ or (), project=find_project())
    if json_:
        as_json(
            {"model": model, "fitted": done.fitted, "why": done.why, "beside": done.beside and done.beside.to_dict()}
        )
        return
    say(f"{model}: {'fitted again' if done.fitted else 'stays as it is'} ({done.why})")
    if done.beside:
        _say(done.beside)


def shadow(model: Model, dataset: Annotated[str, typer.Argument(help="ingested dataset")], json_: Json = False) -> None:
    """Say how the shadow ranks the rows of a dataset beside the champion: churn, and labelled rows that flipped.

    \b
    Example:  socml shadow source-forest office
    """
    from socml.jobs import compare_shadow

    found = compare_shadow(model, dataset, project=find_project())
    if json_:
        as_json(found.to_dict())
    else:
        _say(found)


def promote(model: Model, version: Annotated[str, typer.Argument(help="number, or an alias")] = "shadow") -> None:
    """Make a version the champion: it scores from now on. The one so far can be put back: socml rollback

    \b
    Examples:  socml promote source-forest      socml promote source-forest 3
    """
    from socml.jobs import promote_version

    say(f"{model}/{promote_version(model, version, project=find_project())} is the champion")


def rollback(model: Model) -> None:
    """Make the champion of before the champion again; once more takes that back.

    \b
    Example:  socml rollback source-forest
    """
    from socml.jobs import roll_back

    say(f"{model}/{roll_back(model, project=find_project())} is the champion again")


def _say(beside: Beside) -> None:
    say(
        f"{beside.shadow} beside {beside.champion}, {beside.rows:,} rows: {beside.churn:.0%} of the first {beside.top:,} are "
        f"others, rank correlation {beside.correlation:.3f}, {len(beside.flipped):,} labelled rows flipped"
    )
    if beside.flipped:
        table(["row", "verdict", "place", "place now"], beside.flipped[:20], numbers=["place", "place now"])
