"""Verbs of an incident: case open, list, show, add, note, set, check; respond with a preview, a confirmation and an undo."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import Json, Who
from socml.cli._output import as_json, note, say, table
from socml.project import DataError, UnknownName, find_project, words

if TYPE_CHECKING:
    from socml.project import Sentence
    from socml.respond import Case, Draft, Outcome

CaseId = Annotated[str, typer.Argument(help="a case, as C1")]

case = typer.Typer(name="case", help="Cases: open, list, show, add, note, set, check.")
case.info.no_args_is_help = True


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    app.add_typer(case)
    app.command("respond")(respond_)


@case.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="what it is about")],
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="of its rows")] = "",
    severity: Annotated[int, typer.Option(min=1, max=4, help="1 low to 4 critical")] = 2,
    tlp: Annotated[str, typer.Option(help="clear, green, amber, amber+strict or red")] = "amber",
    entity: Annotated[list[str] | None, typer.Option("--entity", "-e", help="address, host, account or domain")] = None,
    by: Who = "analyst",
    json_: Json = False,
) -> None:
    """Open a case.

    \b
    Example:  socml case open "Scan of the servers" -e 203.0.113.9 --severity 3
    """
    from socml.labels import open_labels
    from socml.respond import Cases

    with open_labels() as store:
        cases = Cases(store)
        made = cases.open(title, by=by, dataset=dataset, severity=severity, tlp=tlp)
        for one in entity or []:
            made = cases.add_entity(made.id, one, by=by)
    _show(made, json_=json_)


@case.command("list")
def list_(all_: Annotated[bool, typer.Option("--all", help="closed ones too")] = False, json_: Json = False) -> None:
    """List cases, the one that changed last first."""
    from socml.labels import open_labels
    from socml.respond import Cases

    with open_labels() as store:
        found = [one for one in Cases(store).all() if all_ or one.state != "closed"]
    if json_:
        as_json([_plain(one) for one in found])
    elif not found:
        say('No case yet. Open one: socml case open "what it is about"')
    else:
        rows = [
            (
                c.id,
                c.state,
                c.owner,
                c.severity,
                f"TLP:{c.tlp.upper()}",
                len(c.rows),
                f"{c.changed:%Y-%m-%d %H:%M}",
                c.title,
            )
            for c in found
        ]
        table(["case", "state", "owner", "severity", "tlp", "rows", "changed (UTC)", "title"], rows, numbers=["rows"])


@case.command("show")
def show(case_id: CaseId, json_: Json = False) -> None:
    """Show a case with its time line and the cases that are like it."""
    from socml.labels import open_labels
    from socml.respond import Cases

    with open_labels() as store:
        cases = Cases(store)
        found = cases.get(case_id)
        similar = cases.similar(found)
    _show(found, json_=json_)
    if not json_:
        for other, share in similar:
            say(f"like {other.id} ({100 * share:.0f} %): {other.title}")


@case.command("note")
def note_(
    case_id: CaseId, text: Annotated[str, typer.Argument(help="what to write down")], by: Who = "analyst"
) -> None:
    """Write a note."""
    from socml.labels import open_labels
    from socml.respond import Cases

    with open_labels() as store:
        Cases(store).note(case_id, text, by=by)
    say(f"{case_id}: noted")


@case.command("set")
def set_(
    case_id: CaseId,
    state: Annotated[str, typer.Option(help="open, working, contained or closed")] = "",
    owner: Annotated[str, typer.Option(help="who has it")] = "",
    outcome: Annotated[str, typer.Option(help="malicious, benign, false_alarm or unsure")] = "",
    severity: Annotated[int | None, typer.Option(min=1, max=4)] = None,
    tlp: Annotated[str, typer.Option()] = "",
    technique: Annotated[list[str] | None, typer.Option(help="ATT&CK id; give each")] = None,
    entity: Annotated[list[str] | None, typer.Option("--entity", "-e", help="add it")] = None,
    done: Annotated[list[str] | None, typer.Option(help="item of the checklist that is done")] = None,
    by: Who = "analyst",
) -> None:
    """Change a case.

    \b
    Example:  socml case set C1 --state contained --technique T1046 --done contain
    """
    from socml.labels import open_labels
    from socml.respond import Cases

    given = {
        "state": state,
        "owner": owner,
        "outcome": outcome,
        "severity": severity,
        "tlp": tlp,
        "techniques": technique,
    }
    changes: dict[str, object] = {name: value for name, value in given.items() if value}
    with open_labels() as store:
        cases = Cases(store)
        found = cases.change(case_id, by=by, **changes) if changes else cases.get(case_id)
        for one in entity or []:
            found = cases.add_entity(case_id, one, by=by)
        for item in done or []:
            found = cases.check(case_id, item, done=True, by=by)
    _show(found, json_=False)


@case.command("read-back")
def read_back_(case_id: CaseId, by: Who = "analyst") -> None:
    """Ask where a case was sent to what it turned out to be there."""
    from socml.labels import open_labels
    from socml.respond import read_back

    with open_labels() as store:
        found = read_back(case_id, store=store, project=find_project(), by=by)
    say(f"{found.id}: {found.outcome or 'nothing is said of it there yet'}")


def respond_(
    responder: Annotated[str, typer.Argument(help="a file in socml/respond/responders; empty lists them")] = "",
    case_id: Annotated[str, typer.Argument(help="a case, as C1")] = "",
    confirm: Annotated[str, typer.Option(help="the digest that the preview showed")] = "",
    undo: Annotated[str, typer.Option(help="take back the response of this id")] = "",
    by: Who = "analyst",
    json_: Json = False,
) -> None:
    """Show exactly what would leave of a case; with the digest that was shown, let it leave.

    Where to is said in respond.toml; files are written to the workspace. Own, private and allow-listed addresses are
    never blocked.

    \b
    Examples:  socml respond
               socml respond suricata-rules C1
               socml respond suricata-rules C1 --confirm 1f0c2d3e4b5a6978
               socml respond suricata-rules C1 --undo ID
    """
    from socml.labels import open_labels
    from socml.respond import Cases, preview, respond, responder_names, undo_response, why_not_yet

    if not responder:
        say("\n".join(responder_names()))
        return
    if responder not in responder_names():
        raise UnknownName("responder", responder, responder_names())
    if not case_id:
        raise DataError(f"Name a case: socml respond {responder} C1")
    project = find_project()
    with open_labels(project) as store:
        if undo:
            undone = undo_response(undo, case_id, store=store, project=project, by=by)
            say(f"{case_id}: {responder}: taken back. {undone.reference}")
            return
        if confirm:
            done = respond(responder, case_id, store=store, project=project, by=by, confirmed=confirm)
            _say_sent(done, responder, json_=json_)
            return
        case = Cases(store).get(case_id)
        draft = preview(responder, case, project=project)
    if json_:
        as_json(_plain_draft(draft))
    else:
        _show_draft(draft, why_not_yet(responder, case), f"socml respond {responder} {case_id}", project.language)


def _say_sent(done: Outcome, responder: str, *, json_: bool) -> None:
    case = done.case
    sent = next(one for one in reversed(case.sent) if one.responder == responder and not one.undone)
    if json_:
        as_json({"case": case.id, "reference": done.reference, "id": sent.id, "sent_before": done.sent_before})
        return
    say(f"{case.id}: {responder}: {done.reference}")
    say(f"Take it back: socml respond {responder} {case.id} --undo {sent.id}")


def _plain_draft(draft: Draft) -> dict[str, object]:
    return {
        "target": draft.target,
        "files": dict(draft.files),
        "body": draft.body,
        "digest": draft.digest,
        "held": [list(one) for one in draft.held],
        "begun": [{"time": one.time.isoformat(), "by": one.by, "target": one.target} for one in draft.begun],
    }


def _show_draft(draft: Draft, why_not: Sentence | None, command: str, language: str) -> None:
    phrases = words(language)
    say(f"to: {draft.target}")
    for name, text in draft.files.items():
        say(f"\n--- {name}\n{text}")
    if draft.body:
        say(draft.body)
    sys.stdout.flush()
    for value, why in draft.held:
        note(f"left out: {value}: {phrases(f'respond.held.{why}')}")
    for one in draft.begun:
        note(phrases("respond.begun", by=one.by, target=one.target, time=f"{one.time:%Y-%m-%d %H:%M} UTC"))
    if draft.empty:
        note("Nothing is left to send.")
    elif why_not is not None:
        note(str(DataError(why_not)))
    else:
        note(f"Nothing has left. To let it: {command} --confirm {draft.digest}")


def _plain(found: Case) -> dict[str, object]:
    from socml.respond import observables, plain_case, read_settings

    project = find_project()
    return plain_case(found.in_language(project.language), observables(found, read_settings(project)))


def _show(found: Case, *, json_: bool) -> None:
    if json_:
        as_json(_plain(found))
        return
    from socml.project import find_project

    say(f"{found.id}: {found.title}")
    say(f"  {found.state}, owner {found.owner}, severity {found.severity} of 4, TLP:{found.tlp.upper()}")
    if found.techniques:
        say(f"  {', '.join(found.techniques)}")
    for row in found.in_language(find_project().language).rows:
        say(f"  {row.day} {row.entity} ({row.role}): {row.line}")
    for entity in found.entities:
        say(f"  {entity}")
    for entry in found.timeline:
        say(f"  {entry.time:%Y-%m-%d %H:%M} UTC  {entry.by}  {entry.kind.replace('_', ' ')}")
    for sent in found.sent:
        state = (
            " (taken back)" if sent.undone else " (whether it was taken back is not known)" if sent.undo_begun else ""
        )
        say(f"  sent {sent.id}: {sent.responder} {sent.reference}{state}")
