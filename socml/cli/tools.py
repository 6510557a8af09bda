"""Verbs of the pocket tools: tools defang, refang, decode, hash, iocs, mail, lookup. Offline, but for lookup --online."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socml.cli._options import Json
from socml.cli._output import as_json, note, project_words, say, table
from socml.project import ConfigurationError, DataError, visible_line

if TYPE_CHECKING:
    from socml.tools import Indicator, OnlineLookup

Texts = Annotated[list[str] | None, typer.Argument(help="text, or - (or nothing) for standard input")]
File = Annotated[Path | None, typer.Option("--file", help="read this file instead")]

tools = typer.Typer(
    name="tools",
    help="An analyst's pocket tools: defang, decode, hash, indicators, mail, look-ups. Offline, unless told.",
)
tools.info.no_args_is_help = True


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    app.add_typer(tools)


@tools.command("defang")
def defang_(texts: Texts = None, file: File = None) -> None:
    """Break addresses so that nothing makes links of them.

    \b
    Examples:  socml tools defang https://evil.example/x      socml tools defang --file report.md
    """
    from socml.tools import defang

    say(defang(_text(texts, file)))


@tools.command("refang")
def refang_(texts: Texts = None, file: File = None) -> None:
    """Make broken addresses whole again.

    \b
    Example:  socml tools refang hxxps://evil[.]example/x
    """
    from socml.tools import refang

    say(refang(_text(texts, file)))


@tools.command("decode")
def decode_(texts: Texts = None, file: File = None, json_: Json = False) -> None:
    """Take off the layers of a text: SafeLinks, Proofpoint v1 to v3, Base64, percent signs, Cisco's type 7, hexadecimal.

    \b
    Examples:  socml tools decode dwBoAG8AYQBtAGkA      socml tools decode "password 7 02050D480809"
    """
    from socml.tools import decode

    steps = decode(_text(texts, file))
    if json_:
        as_json([{"kind": step.kind, "text": step.text} for step in steps])
        return
    for step in steps:
        say(f"{step.kind}: {step.text}")
    if not steps:
        say(project_words()("tools.not_encoded"))


@tools.command("hash")
def hash_(
    texts: Texts = None,
    file: Annotated[list[Path] | None, typer.Option("--file", help="hash these files instead")] = None,
    json_: Json = False,
) -> None:
    """Hash a text, or files: MD5, SHA-1, SHA-256, SHA-512.

    \b
    Examples:  socml tools hash hello      socml tools hash --file sample.bin
    """
    from socml.tools import hash_bytes, hash_file

    named: dict[str, dict[str, str]] = {}
    for path in file or []:
        if not path.is_file():
            raise DataError(f"{path} is no file.")
        named[str(path)] = hash_file(path)
    if not file:
        named[""] = hash_bytes(_text(texts, None).encode())
    if json_:
        as_json(named if file else named[""])
        return
    for name, hashes in named.items():
        for kind, digest in hashes.items():
            say(f"{kind:7} {digest}  {name}".rstrip())


@tools.command("iocs")
def iocs(texts: Texts = None, file: File = None, json_: Json = False) -> None:
    """List the indicators of a text, whole or defanged: addresses, names, URLs, hashes, CVEs, techniques.

    \b
    Examples:  socml tools iocs --file report.txt      curl -s … | socml tools iocs --json
    """
    from socml.tools import find_indicators

    found = find_indicators(_text(texts, file))
    if json_:
        as_json([{"kind": one.kind, "value": one.value} for one in found])
        return
    for one in found:
        say(f"{one.kind:10} {one.value}")


@tools.command("lookup")
def lookup(
    texts: Texts = None,
    file: File = None,
    list_: Annotated[
        list[Path] | None, typer.Option("--list", "-l", help="file or folder of entries, one a line")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="ask the services that socml.toml names")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="indicators sent at a time, with --online")] = 20,
    json_: Json = False,
) -> None:
    """Look the indicators of a text up in local lists; with --online, at the services in socml.toml, and nowhere else.

    \b
    Examples:  socml tools lookup --file report.txt --list blocklists/      socml tools lookup 9.9.9.9 --online
    """
    from socml.tools import find_indicators, look_up

    if not list_ and not online:
        raise ConfigurationError(
            "Which lists? Name files or folders: socml tools lookup TEXT --list PATH. Or --online, for services."
        )
    found = find_indicators(_text(texts, file))
    answers = _asked_online(found, most) if online else None
    hits = look_up(found, list_) if list_ else []
    if json_:
        listed = [{"kind": h.indicator.kind, "value": h.indicator.value, "list": h.list, "line": h.line} for h in hits]
        as_json({"lists": listed, **_plain(answers)} if answers else listed)
        return
    for hit in hits:
        say(f"{hit.indicator.kind:10} {hit.indicator.value}  {hit.list}:{hit.line} {hit.entry}")
    if list_ and not hits:
        say(project_words()("tools.not_listed"))
    if answers:
        _show_online(answers, most)


def _asked_online(found: list[Indicator], most: int) -> OnlineLookup:
    from socml.tools import lines_of_plan, look_up_online, plan_lookup

    for line in lines_of_plan(plan_lookup(found, most=most), project_words()):
        note(visible_line(line))
    return look_up_online(found, most=most)


def _plain(answers: OnlineLookup) -> dict[str, object]:
    return {
        "answers": [answer.to_dict() for answer in answers.answers],
        "held": [{"kind": h.indicator.kind, "value": h.indicator.value, "reason": h.reason} for h in answers.held],
        "failures": [asdict(failure) for failure in answers.failures],
    }


def _show_online(answers: OnlineLookup, most: int) -> None:
    from socml.tools import answer_rows, lines_of

    words = project_words()
    rows = answer_rows(answers.answers, words)
    if rows:
        table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        say(words("tools.online.no_answer"))
    for line in lines_of(answers.failures, answers.held, words, most=most):
        say(visible_line(line))


@tools.command("mail")
def mail(file: Annotated[Path, typer.Argument(help="a message as it came, .eml")], json_: Json = False) -> None:
    """Show who wrote a message, by which way, its links and attachments, and what is odd about it.

    \b
    Example:  socml tools mail suspicious.eml
    """
    from socml.tools import triage_mail

    if not file.is_file():
        raise DataError(f"{file} is no file.")
    found = triage_mail(file.read_bytes())
    if json_:
        as_json(found.to_dict())
        return
    words = project_words()
    for key, value in (("from", f"{found.sender_name} <{found.sender}>"), ("to", ", ".join(found.to)),
                       ("subject", found.subject), ("date", found.date),
                       ("results", ", ".join(f"{k}={v}" for k, v in found.results.items()))):  # fmt: skip
        say(f"{words(f'tools.mail.{key}')}: {visible_line(value)}")
    for hop in found.hops:
        say(f"  {visible_line(hop)}")
    if found.links:
        table([words("tools.mail.link"), words("tools.mail.leads_to")], [_link(one) for one in found.links])
    if found.attachments:
        names = ("name", "type", "bytes", "sha256")
        table([words(f"tools.mail.{name}") for name in names], [[one[n] for n in names] for one in found.attachments])
    say()
    for key, values in found.findings:
        say(f"! {visible_line(words(f'tools.mail.finding.{key}', **values))}")
    if not found.findings:
        say(words("tools.mail.nothing"))


def _link(one: dict[str, str]) -> list[str]:
    from socml.tools import defang

    return [defang(one["url"]), defang(one.get("leads_to", ""))]


def _text(texts: list[str] | None, file: Path | None) -> str:
    """Return the text that a verb works on: of a file, the command line or standard input."""
    if file is not None:
        if not file.is_file():
            raise DataError(f"{file} is no file.")
        return file.read_text(encoding="utf-8", errors="backslashreplace")
    if texts and texts != ["-"]:
        return " ".join(texts)
    return sys.stdin.read()
