"""Verbs of the label store: labels export, import, report, check, and labels family rename, merge, split, swap, undo."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import Json, Run
from socml.cli._output import as_json, project_words, say, table
from socml.project import ConfigurationError, UnknownName, find_project

if TYPE_CHECKING:
    from socml.labels import FamilyEdit, ImportResult, LabelStore

By = Annotated[str, typer.Option(help="analyst; the login name if not given")]
Dataset = Annotated[str, typer.Option(help="only labels of this dataset")]
Family = Annotated[str, typer.Argument(help="family as it is named now")]

labels = typer.Typer(name="labels", help="Labels in and out, families, and how far labels can be trusted.")
family = typer.Typer(name="family", help="Rename, merge, split or swap families; each edit can be taken back.")
labels.add_typer(family)
for group in (labels, family):
    group.info.no_args_is_help = True


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    app.add_typer(labels)


@labels.command("export")
def export_(
    path: Annotated[Path, typer.Argument(help="file to write: .csv, .parquet or .jsonl")],
    dataset: Dataset = "",
    history: Annotated[bool, typer.Option("--history", help="everything ever recorded, undone labels too")] = False,
) -> None:
    """Write labels to a file, with who, when and why: the present one of each row and analyst.

    \b
    Examples:  socml labels export labels.csv      socml labels export all.jsonl --history
    """
    from socml.labels import read_analyst_labels, read_label_events, write_labels

    found = read_label_events(dataset=dataset) if history else read_analyst_labels(dataset=dataset)
    write_labels(found, path)
    say(project_words()("campaign.exported", n=len(found), path=path))


@labels.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="labels of socml, SecuML, TheHive, Elastic, or any table")],
    dataset: Annotated[str, typer.Option(help="dataset the labels are about")] = "",
    kind: Annotated[str, typer.Option(help="socml, secuml, table, thehive or elastic")] = "auto",
    rows: Annotated[str, typer.Option(help="row_id, or number: the event's place in the dataset, from 0")] = "auto",
    map_: Annotated[list[str] | None, typer.Option("--map", help="what a word stands for: WORD=VERDICT")] = None,
    row_column: Annotated[str, typer.Option(help="column that names the row")] = "",
    label_column: Annotated[str, typer.Option(help="column that holds the label")] = "",
    by: Annotated[str, typer.Option(help="who gave them, where the file does not say")] = "import",
    json_: Json = False,
) -> None:
    """Read labels from a file; reading it again adds nothing, and what is not understood is counted and kept.

    \b
    Examples:  socml labels import annotations.csv --dataset spam
               socml labels import kdd.csv --map neptune=malicious
    """
    from socml.labels import import_labels, open_labels

    project = find_project()
    with open_labels(project) as store:
        imported = import_labels(
            path.absolute(),
            project=project,
            store=store,
            dataset=dataset,
            kind=kind,
            by=by,
            rows=rows,
            words=_mapped(map_ or []),
            row_column=row_column,
            label_column=label_column,
        )
    if json_:
        as_json(imported.to_dict())
    else:
        _say_imported(imported)


def _say_imported(imported: ImportResult) -> None:
    words, known = project_words(), imported.known_before
    say(words("campaign.imported", n=imported.imported, known=known, records=imported.records, kind=imported.kind))
    parts = {
        "without_verdict": imported.without_verdict,
        "unknown_words": imported.unknown,
        "refused": imported.refused,
    }
    for key, counted in parts.items():
        if counted:
            say(words(f"campaign.{key}", counts=", ".join(f"{word or '—'} ({n})" for word, n in counted.items())))
    if imported.kept:
        say(words("campaign.kept", path=imported.kept))


@labels.command()
def report(run: Run = "", json_: Json = False) -> None:
    """Say how far the labels can be trusted: what is left, precision, agreement, families, each with an interval.

    \b
    Examples:  socml labels report      socml labels report --json
    """
    from socml.review import overview, report_lines
    from socml.review import report as report_on

    summary = report_on(run)
    if json_:
        as_json(summary.to_dict())
        return
    words = project_words()
    say(overview(summary, words))
    names = [words(f"app.labels.report.column.{name}") for name in ("name", "value", "interval", "labels", "about")]
    lines = [(line.name, line.value, line.interval, line.labels, line.about) for line in report_lines(summary, words)]
    table(names, lines, numbers=names[1:4])


@labels.command()
def check(
    run: Run = "",
    queue: Annotated[bool, typer.Option("--queue", help="put them into the queue for a second look")] = False,
    by: By = "",
    json_: Json = False,
) -> None:
    """Find labels that are probably wrong, by what a forest would say of each row without its label.

    \b
    Examples:  socml labels check      socml labels check --queue
    """
    from socml.review import ask_again, likely_errors

    found = likely_errors(run)
    wrong = found[found["is_error"]]
    queued = ask_again(found, run_id=run, by=by or getpass.getuser()) if queue else 0
    if json_:
        as_json({"labels": len(found), "errors": wrong.reset_index().to_dict("records"), "asked": queued})
        return
    words = project_words()
    say(words("campaign.errors.found", n=len(wrong)) if len(wrong) else words("campaign.errors.none", n=len(found)))
    for row_id, line in wrong.iterrows():
        given, likely = (words(f"verdict.{line[side]}") for side in ("given", "likely"))
        values = {"row": str(row_id)[:12], "given": given, "likely": likely}
        say("  " + words("campaign.errors.line", probability=round(100 * line["probability"]), **values))
    if queue:
        say(words("campaign.errors.asked", n=queued))


@family.command("list")
def list_(dataset: Dataset = "", json_: Json = False) -> None:
    """List the families that labels name now, and how many rows each has.

    \b
    Example:  socml labels family list
    """
    with _store() as store:
        counts = store.families.counts(dataset=dataset)
    if json_:
        as_json(counts)
        return
    words = project_words()
    rows = [(name, ", ".join(f"{words(f'verdict.{v}')}: {n}" for v, n in its.items())) for name, its in counts.items()]
    table([words("app.labels.families.column.family"), words("app.labels.families.column.rows")], rows)


@family.command()
def rename(name: Family, into: Annotated[str, typer.Argument()], by: By = "", dataset: Dataset = "") -> None:
    """Give a family a new name.

    \b
    Example:  socml labels family rename scan "port scan"
    """
    with _store() as store:
        _done(store.families.rename(name, into, by=by or getpass.getuser(), dataset=dataset))


@family.command()
def merge(name: Family, into: Annotated[str, typer.Argument()], by: By = "", dataset: Dataset = "") -> None:
    """Let a family become part of another.

    \b
    Example:  socml labels family merge probe scan
    """
    with _store() as store:
        _done(store.families.merge(name, into, by=by or getpass.getuser(), dataset=dataset))


@family.command()
def split(
    name: Family,
    into: Annotated[str, typer.Argument(help="name of the new family")],
    rows: Annotated[list[str], typer.Argument(help="rows to take out, or the starts of their ids")],
    by: By = "",
    dataset: Dataset = "",
) -> None:
    """Take some rows of a family out into a new one.

    \b
    Example:  socml labels family split scan "slow scan" 3f0c12ab 91bc
    """
    with _store() as store:
        current = store.current(dataset=dataset)
        members = [str(row_id) for row_id in current.index[current["family"] == name]]
        chosen = [row_id for start in rows for row_id in _starting(start, members, name)]
        _done(store.families.split(name, into, chosen, by=by or getpass.getuser(), dataset=dataset))


@family.command()
def swap(name: Family, by: By = "", dataset: Dataset = "") -> None:
    """Change a family's side: what was malicious in it becomes benign, and the other way round.

    \b
    Example:  socml labels family swap backup
    """
    with _store() as store:
        _done(store.families.swap(name, by=by or getpass.getuser(), dataset=dataset))


@family.command()
def undo(
    edit: Annotated[int | None, typer.Argument(help="number of the edit; the last if not given")] = None,
    by: By = "",
    dataset: Dataset = "",
) -> None:
    """Take an edit of a family back.

    \b
    Example:  socml labels family undo
    """
    with _store() as store:
        done = store.families.undo(edit, by=by or getpass.getuser(), dataset=dataset)
    say(f"{done.undo_of}: {project_words()('app.labels.families.undone')}")


def _done(edit: FamilyEdit) -> None:
    say(f"{edit.id}: " + project_words()(f"app.labels.families.edit.{edit.kind}", family=edit.family, into=edit.into))


def _starting(start: str, members: list[str], name: str) -> list[str]:
    found = [row_id for row_id in members if row_id.startswith(start)]
    if len(found) != 1:
        raise ConfigurationError(f"{len(found) or 'No'} rows of family {name!r} start with {start!r}.")
    return found


def _mapped(pairs: list[str]) -> Mapping[str, str]:
    from socml.labels import VERDICTS

    mapped = {}
    for pair in pairs:
        word, equals, verdict = pair.rpartition("=")
        if not equals:
            raise ConfigurationError(f"--map is {pair!r}; write WORD=VERDICT.")
        if verdict not in VERDICTS:
            raise UnknownName("verdict", verdict, VERDICTS)
        mapped[word] = verdict
    return mapped


def _store() -> LabelStore:
    from socml.labels import open_labels

    return open_labels()
