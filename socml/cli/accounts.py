"""Verbs of who may use the app: people add, list, close. A password is asked for, never given on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from socml.cli._options import Who
from socml.cli._output import as_json, say, table
from socml.project import DataError

Name = Annotated[str, typer.Argument(help="the account's name")]

people = typer.Typer(name="people", help="Accounts of the app: add, list, close.")
people.info.no_args_is_help = True


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    app.add_typer(people)


@people.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer looks, analyst judges, lead is asked by the others")] = "analyst",
    password_file: Annotated[
        typer.FileText | None, typer.Option("--password-file", help="read the password from it; - is standard input")
    ] = None,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="no password: an identity provider vouches for this e-mail address")
    ] = False,
    by: Who = "setup",
) -> None:
    """Make an account, or give one that exists another role and password; its sessions end.

    As soon as there is one, everybody signs in.

    \b
    Example:  socml people add ana --role lead
    """
    from socml.labels import open_labels

    if elsewhere:
        with open_labels() as store:
            made = store.accounts.make_elsewhere(name, role, by=by)
        say(f"{made.name}: {made.role}, signs in elsewhere")
        return
    if password_file is not None:
        password = password_file.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with open_labels() as store:
        made = store.accounts.make(name, role, password, by=by)
    say(f"{made.name}: {made.role}")


@people.command("list")
def list_(json_: Annotated[bool, typer.Option("--json", help="for a script")] = False) -> None:
    """List accounts."""
    from socml.labels import open_labels

    with open_labels() as store:
        found = store.accounts.all()
    if json_:
        as_json([vars(account) for account in found])
    elif not found:
        say("No account: whoever reaches this machine's app may write. Make one: socml people add NAME --role lead")
    else:
        table(["name", "role", ""], [(one.name, one.role, "closed" if one.closed else "") for one in found])


@people.command("close")
def close(name: Name, by: Who = "setup") -> None:
    """Let an account sign in no more. What it said stays."""
    from socml.labels import open_labels

    with open_labels() as store:
        if sum(not account.closed for account in store.accounts.all()) == 1 and name in {
            account.name for account in store.accounts.all() if not account.closed
        }:
            raise DataError(
                f"{name} is the last account: without any, nobody is asked who they are. Make another first."
            )
        store.accounts.close(name, by=by)
    say(f"{name}: closed")
