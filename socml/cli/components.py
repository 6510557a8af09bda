"""Verbs of adding one's own: new, check."""

from __future__ import annotations

from typing import Annotated

import typer

from socml.cli._output import as_json, note, say, table
from socml.project import find_project


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (new, check):
        app.command()(verb)


def new(
    kind: Annotated[
        str, typer.Argument(help="detector, online, strategy, format, explainer, responder, sink, features or model")
    ],
    name: Annotated[str, typer.Argument(help="small letters, digits and -: my-own")],
) -> None:
    """Write the first file of a component of your own into this project: it works as it is, and is there to be changed.

    \b
    Examples:  socml new detector far-out      socml new strategy oldest-first      socml new features by-port
    """
    from socml.project import new_component

    path = new_component(kind, name, find_project())
    say(str(path))
    note(f"Next: change it, then socml check {name}" if kind != "model" else f"Next: socml fit {name} DATASET")


def check(
    name: Annotated[
        str,
        typer.Argument(
            help="a component or feature set of this project, or of socml; none: socml.toml and all recipes"
        ),
    ] = "",
    kind: Annotated[str, typer.Option(help="detector, strategy, …: where two kinds have the name")] = "",
    json_: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """Say whether socml.toml and the recipes can be used; with a name, try that component. Exits with 1 if it is broken.

    A component is tried against each promise of its kind. No data is read, and nobody is contacted.

    \b
    Examples:  socml check      socml check far-out      socml check robust-z      socml check by-port --kind features
    """
    from socml.jobs import check_component, check_configuration

    if not name:
        lines = check_configuration(find_project())
        if json_:
            as_json(lines)
        else:
            table(["what", "found"], lines.items())
        return
    found_kind, found = check_component(name, kind=kind)
    if json_:
        as_json([{"kind": found_kind, "promise": one.promise, "ok": one.ok, "problem": one.problem} for one in found])
    else:
        table(["", "promise", "what was seen"], [("ok" if c.ok else "!!", c.promise, c.problem) for c in found])
    broken = sum(not one.ok for one in found)
    if not found:
        note(f"{name} is found and imported; {found_kind} has no promises that are tried here.")
    elif not json_:
        kept = len(found) - broken
        say(f"\n{name} ({found_kind}) keeps {kept} of {len(found)} promises{'.' if not broken else '; see !! above.'}")
    if broken:
        raise typer.Exit(1)
