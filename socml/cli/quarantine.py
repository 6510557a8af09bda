"""The verb `quarantine`: what did not parse, listed, shown, read again, or given up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._output import as_json, note, say, table
from socml.project import ConfigurationError, DataError

if TYPE_CHECKING:
    from socml.ingestion import Quarantined

_SHOWN = 150  # characters of a record


def add_to(app: typer.Typer) -> None:
    """Add this file's verb to the command line."""
    app.command()(quarantine)


def quarantine(
    dataset: Annotated[str, typer.Argument(help="ingested dataset")],
    file: Annotated[str, typer.Option(help="only of files with this in their path; * and ? stand for anything")] = "",
    reason: Annotated[str, typer.Option(help="only with this in the reason")] = "",
    since: Annotated[str, typer.Option(help="only put there at this time or later: 2026-03-02, or with a time")] = "",
    until: Annotated[str, typer.Option(help="only put there before")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="records to show", min=0)] = 20,
    retry: Annotated[bool, typer.Option("--retry", help="read their files again")] = False,
    format_: Annotated[str, typer.Option("--format", "-f", help="with --retry: read them as this format")] = "auto",
    clear: Annotated[bool, typer.Option("--clear", help="give these records up")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="with --clear: do not ask")] = False,
    json_: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """List the records that did not parse: file, line, reason and bytes. They leave by themselves once they read.

    \b
    Examples:  socml quarantine office      socml quarantine office --reason 'not valid JSON' --json
               socml quarantine office --file conn.log --retry      socml quarantine office --clear
    """
    from socml.ingestion import Chosen, clear_quarantine, list_quarantine, retry_quarantine

    chosen = Chosen(file, reason, _moment("since", since), _moment("until", until))
    if retry and clear:
        raise ConfigurationError("--retry and --clear exclude each other: give one.")
    if retry:
        result = retry_quarantine(dataset, chosen, format=format_)
        as_json(result.to_dict()) if json_ else say(str(result))
        if result.failed:
            raise typer.Exit(DataError.exit_code)
        return
    found = list_quarantine(dataset, chosen)
    if clear:
        if not yes and found and not typer.confirm(f"Give up {len(found):,} records of {dataset}?"):
            raise typer.Exit(0)
        cleared = clear_quarantine(dataset, chosen) if found else 0
        as_json({"cleared": cleared}) if json_ else say(f"{cleared:,} records given up")
    elif json_:
        as_json({"records": len(found), "shown": [record.to_dict() for record in found[:limit]]})
    else:
        _say(dataset, found, limit)


def _say(dataset: str, found: list[Quarantined], limit: int) -> None:
    say(f"{len(found):,} {'record' if len(found) == 1 else 'records'} of {dataset} in quarantine")
    if not found:
        return
    counts = Counter((record.file, record.reason) for record in found)
    table(["records", "file", "reason"], ((n, *what) for what, n in counts.most_common(limit)), numbers=["records"])
    if limit:
        say()
    for record in found[:limit]:
        text = record.raw[: 4 * _SHOWN].decode("utf-8", "backslashreplace")
        say(f"{record.file}:{record.line}: {record.reason}")
        say(f"    {text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}")
    note(f"Next: socml quarantine {dataset} --retry, once a reader or the recipe is mended")


def _moment(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--{option} {text!r} is no time: write 2026-03-02 or 2026-03-02T10:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
