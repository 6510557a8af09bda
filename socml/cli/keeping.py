"""Verbs of keeping: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from socml.cli._options import Json
from socml.cli._output import as_json, note, say
from socml.project import find_project


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (backup, restore):
        app.command()(verb)


def backup(
    file: Annotated[Path, typer.Argument(help="archive to write, such as socml-2026-03-02.tar.gz")],
    events: Annotated[bool, typer.Option("--events", help="the events too: where log files do not stay")] = False,
    json_: Json = False,
) -> None:
    """Write what cannot be made again into one file: recipes, labels, models, what nights know, alerts, the audit.

    \b
    Examples:  socml backup /backup/socml.tar.gz      socml backup socml.tar.gz --events
    """
    from socml.jobs import make_backup

    made = make_backup(file.absolute(), project=find_project(), with_events=events)
    if json_:
        as_json({**vars(made), "path": str(made.path)})
        return
    say(f"{made.path}: {made.files:,} files, {made.bytes / 1e6:,.1f} MB before packing")
    if made.left_out:
        note(f"Not in it: {made.left_out}")


def restore(
    file: Annotated[Path, typer.Argument(help="archive that socml backup wrote")],
    replace: Annotated[
        bool, typer.Option("--replace", help="files that are there give way, and are kept aside")
    ] = False,
    code: Annotated[
        bool, typer.Option("--code", help="the project's own detectors, formats, … too: code that socml runs")
    ] = False,
    json_: Json = False,
) -> None:
    """Put a backup in its place, in the project here. The next night makes the rest anew from the log files.

    \b
    Example:  socml init lab && cd lab && socml restore /backup/socml.tar.gz --replace
    """
    from socml.jobs import restore_backup

    done = restore_backup(file.absolute(), project=find_project(), replace=replace, with_code=code)
    if json_:
        as_json({**vars(done), "path": str(done.path)})
        return
    say(f"{done.files:,} files of {done.made} are in their place. Next: socml check, socml nightly, socml status")
    if done.left_out:
        note(f"Not in their place: {done.left_out}")
