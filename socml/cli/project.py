"""Verbs of the place: init, doctor, demo, app."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from socml.cli._options import given_path
from socml.cli._output import as_json, note, say, table
from socml.project import ConfigurationError, find_project, init_project, is_loopback, starter_root

PORT = 8501
# What a server of many threads gave back goes to others and to the machine: glibc keeps it for the thread, Arrow's own pool
# for Arrow. Large columns are each a piece of memory of their own. What the environment says goes first.
MEMORY = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_MMAP_THRESHOLD_": str(16 << 20)}


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (init, demo, doctor):
        app.command()(verb)
    app.command(name="app")(serve)


def init(
    folder: Annotated[Path, typer.Argument(parser=given_path, metavar="path", help="a new or existing folder")] = Path(
        "lab"
    ),
) -> None:
    """Make a project: a copy of the recipes and notebooks that come with socml.

    Files that are there already are left as they are.

    \b
    Example:  socml init lab && cd lab && socml run first-look
    """
    written = init_project(folder)
    say(f"{folder}: {len(written)} files written" if written else f"{folder} is a project already; nothing changed")
    if written:
        say(f"Next: cd {folder} && socml run first-look")


def demo(
    no_app: Annotated[bool, typer.Option("--no-app", help="stop after the findings")] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="port of the app")] = PORT,
) -> None:
    """Simulate a small organisation with attacks in its logs, list whom to look at, then open the app on that list.

    \b
    Examples:  socml demo      socml demo --no-app
    """
    from socml.cli.daily import run_daily

    stored = run_daily("daily", None)
    if no_app:
        say("\nLabel them: socml app")
        return
    _serve(port, query=f"?dataset={stored['dataset']}")


def serve(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="port to listen on")] = PORT,
    address: Annotated[
        str, typer.Option(help="listen here instead of on this machine only; needs accounts: socml people add")
    ] = "127.0.0.1",
    run: Annotated[str, typer.Option(help="scoring run to open; the newest if not given")] = "",
) -> None:
    """Serve the app in which analysts see and label what is unusual.

    \b
    Examples:  socml app      socml app --port 8080
    """
    _serve(port, query=f"hunt?run={run}" if run else "", address=address)


def doctor(
    repair_: Annotated[bool, typer.Option("--repair", help="make anew what can be, and say what cannot")] = False,
    json_: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """Say how all that socml stands on is: versions, recipes, labels, events, features, runs, models, space, times.

    Each line says ok, or what is wrong and what to do. Exits with 1 if anything is wrong, after a repair if it still is.

    \b
    Examples:  socml doctor      socml doctor --json      socml doctor --repair
    """
    from socml.jobs import check_up, repair

    project = find_project()
    findings = check_up(project)
    if repair_:
        for sentence in repair(findings):
            note(sentence)
        findings = check_up(project)
    if json_:
        as_json([finding.to_dict() for finding in findings])
    else:
        rows = [("ok" if f.ok else "!!", f.what, f.found, "" if f.ok else f.remedy) for f in findings]
        table(["", "what", "found", "what to do"], rows)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _serve(port: int, *, query: str, address: str = "127.0.0.1") -> None:
    import socket
    from importlib.util import find_spec

    if find_spec("streamlit") is None:
        raise ModuleNotFoundError(name="streamlit")  # told with the extra that brings it
    if not is_loopback(address):
        _need_accounts(address)

    page = starter_root() / "app" / "server.py"
    with socket.socket() as probe:
        if probe.connect_ex((address if is_loopback(address) else "127.0.0.1", port)) == 0:
            raise ConfigurationError(f"Port {port} is in use. Choose another: socml app --port {port + 1}")
    project = find_project()
    marked = (project.root / "socml.toml").is_file()
    environment = {**MEMORY, **os.environ, **({"SOCML_PROJECT": str(project.root)} if marked else {})}
    settings = {
        "server.port": port,
        "server.address": address,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "runner.postScriptGC": "false",
    }
    options = [f"--{key}={value}" for key, value in settings.items()]
    say(f"\nsocml app: http://{address}:{port}/{query}")
    say("Stop it with Ctrl+C")
    sys.stdout.flush()
    command = [sys.executable, "-m", "streamlit", "run", str(page), *options]
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own interpreter and page


def _need_accounts(address: str) -> None:
    from socml.labels import open_labels

    with open_labels() as store:
        if not store.accounts.exist():
            raise ConfigurationError(
                f"{address} can be reached from other machines, and there is no account. "
                "Make one first: socml people add NAME --role lead"
            )
