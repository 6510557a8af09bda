"""Verbs of reading: formats, peek, fetch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from socml.cli._options import Json
from socml.cli._output import as_json, note, progress_bar, say, table, without_pandas
from socml.project import ConfigurationError, DataError, find_project, visible_line

if TYPE_CHECKING:
    from socml.formats import Format
    from socml.ingestion import Peek
    from socml.project import Project

_WIDTH = 150  # characters of an example, a value or a bad record


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (formats, peek, fetch):
        app.command()(verb)


def formats(
    name: Annotated[str, typer.Argument(help="show this one, and what its example becomes")] = "", json_: Json = False
) -> None:
    """List the log formats that are read: what each is, an example, and its specification.

    \b
    Examples:  socml formats      socml formats suricata-eve      socml formats --json
    """
    without_pandas()
    from socml.ingestion import format_names, open_format

    names = [name] if name else format_names()
    found = [_about(open_format(one)) for one in names]
    if json_:
        as_json(found)
        return
    for one in found:
        say(f"{one['name']}  {one['about']}")
        for example in one["examples"][: None if name else 1]:
            say(f"    {example if name else _short(example)}")
        say(f"    {one['specification']}\n")
    if name:
        _say_example(name)
    else:
        note(f"{len(found)} formats. Next: socml peek FILE, or socml formats NAME")


def peek(
    file: Annotated[Path, typer.Argument(help="plain, gz, zst or zip")],
    format_: Annotated[
        str, typer.Option("--format", "-f", help="read as this format instead of detecting it")
    ] = "auto",
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="read as this recipe says")] = "",
    events: Annotated[int, typer.Option("--events", "-n", min=0, help="events and bad records to show")] = 3,
    write_map: Annotated[
        bool, typer.Option("--write-map", help="write what its fields were taken for to the project's formats/")
    ] = False,
    json_: Json = False,
) -> None:
    """Show how a file would be read: its format, its first events, and what does not parse. Nothing is stored.

    Only the head of a large file is read. The exit code is 3 where `ingest` would refuse what was seen.

    \b
    Examples:  socml peek conn.log.gz      socml peek export.csv --dataset nsl-kdd      socml peek odd.log -f syslog
    """
    without_pandas()
    from socml.ingestion import peek as peek_into
    from socml.project import load_dataset_recipe

    if not file.is_file():
        there = "is no file" if os.path.lexists(file) else "does not exist"
        raise DataError(f"{file} {'is a folder: give a file of it' if file.is_dir() else there}.")
    if write_map:
        _write_map(file)
        return
    recipe = load_dataset_recipe(dataset, find_project()) if dataset else None
    found = peek_into(file, format=format_, limit=events, recipe=recipe)
    if json_:
        as_json(found.to_dict())
    else:
        _say_peek(found)
    if found.problem:
        note(f"socml: {found.problem}")
        raise typer.Exit(DataError.exit_code)


def _write_map(file: Path) -> None:
    from socml.ingestion import write_map

    target = write_map(file)
    say(target.read_text(encoding="utf-8"))
    note(f"Written to {target}. Correct it; then: socml peek {file}")


def fetch(
    name: Annotated[str, typer.Argument(help="dataset recipe; none lists them")] = "",
    source: Annotated[str, typer.Option("--from", help="take the files from this file or folder instead")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="you have read the terms and accept them")] = False,
    json_: Json = False,
) -> None:
    """Get a public dataset: its terms are shown first, and its files are checked against their SHA-256.

    \b
    Examples:  socml fetch      socml fetch nsl-kdd      socml fetch nsl-kdd --from KDDTrain+.txt --yes
    """
    from socml.ingestion import fetch as get
    from socml.ingestion import terms_of
    from socml.project import load_dataset_recipe

    project = find_project()
    if not name:
        _list_datasets(project, json_=json_)
        return
    note(terms_of(load_dataset_recipe(name, project)))
    if not yes:
        _ask_for_consent(name)
    with progress_bar(f"getting {name}") as progress:
        found = get(name, source=source or None, project=project, progress=progress)
    if json_:
        as_json([file.to_dict() for file in found])
        return
    for file in found:
        checked = "verified" if file.verified else "not verified: the recipe does not know it"
        there = ", was there already" if file.was_there else ""
        say(f"{file.file}: {file.bytes:,} bytes, SHA-256 {file.sha256} ({checked}){there}")
    note(f"Next: socml ingest --dataset {name}")


def _ask_for_consent(name: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(f"Read the terms above; if you accept them: socml fetch {name} --yes")
    if not typer.confirm("Do you accept these terms?"):
        raise typer.Exit(0)


def _list_datasets(project: Project, *, json_: bool) -> None:
    from socml.project import load_dataset_recipe, recipe_names

    recipes = [load_dataset_recipe(name, project) for name in recipe_names("datasets", project)]
    rows = [(r.name, "download" if r.download else "by hand" if r.by_hand else "", r.licence, r.about) for r in recipes]
    if json_:
        as_json([dict(zip(("name", "how", "licence", "about"), row, strict=True)) for row in rows])
    else:
        table(["dataset", "how", "licence", "about"], rows)


def _say_peek(found: Peek) -> None:
    sure = "as named" if found.confidence is None else f"{found.confidence:.2f} sure"
    after = f"; next {found.runner_up[0]}, {found.runner_up[1]:.2f}" if found.runner_up else ""
    say(f"{_short(found.file)}: {found.format} ({sure}{after})")
    whole = "the whole file" if found.is_whole else "its head alone"
    skipped = "".join(f", {count:,} skipped ({_short(why)})" for why, count in found.skipped.items())
    records = "1 record" if found.records == 1 else f"{found.records:,} records"
    say(f"{records} in {whole}: {found.parsed:,} parsed, {found.rejected:,} did not{skipped}")
    for event in found.events:
        say()
        for name, value in event.items():
            say(f"  {name}: {_short(value)}")
    if found.mapping:
        say("\nA guess, by what tools usually call things:")
    for column, fields in found.mapping.items():
        say(f"  {column} = {', '.join(map(_short, fields))}")
    if found.rejects:
        say("\nDid not parse:")
    for reject in found.rejects:
        say(f"  line {reject['line']:,}: {_short(reject['reason'])}")
        say(f"    {_short(reject['raw'])}")
    for warning in found.warnings:
        note(_short(warning, 400))
    if found.mapping:
        note("To correct it: socml peek FILE --write-map")
    if not found.problem:
        note("Next: socml ingest FILE --dataset NAME")


class _About(TypedDict):
    """What `formats` tells of a format."""

    name: str
    about: str
    examples: list[str]
    specification: str
    one_a_line: bool


def _about(opened: Format) -> _About:
    examples = [example if isinstance(example, str) else _bytes(example) for example in opened.examples]
    return {
        "name": opened.name,
        "about": opened.about,
        "examples": examples,
        "specification": opened.specification,
        "one_a_line": getattr(opened, "one_a_line", True),
    }


def _bytes(example: bytes) -> str:
    shown = example[:24].hex(" ")
    return f"(binary) {shown}{' …' if len(example) > 24 else ''}"


def _say_example(name: str) -> None:
    from socml.ingestion import open_format
    from socml.ingestion import peek as peek_into
    from socml.project import ScratchFolder

    parts = [e if isinstance(e, bytes) else f"{e}\n".encode() for e in open_format(name).examples]
    with ScratchFolder("example") as folder:
        file = Path(folder) / "example"
        file.write_bytes(b"".join(parts))
        try:
            found = peek_into(file, format=name, limit=1)
        except DataError:
            return  # an example that is only the beginning of a file
    for event in found.events:
        say("becomes")
        for column, value in event.items():
            if column not in ("raw", "source_line"):
                say(f"    {column}: {_short(value)}")


def _short(value: object, width: int = _WIDTH) -> str:
    text = visible_line(value if not hasattr(value, "isoformat") else value.isoformat())
    return text if len(text) <= width else f"{text[: width - 1]}…"
