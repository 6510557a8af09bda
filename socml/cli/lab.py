"""Verbs of the place: init, doctor, demo, app."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from socml.cli._output import as_json, note, say, table
from socml.errors import ConfigurationError

PORT = 8501


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs to the command line."""
    for verb in (init, demo, doctor):
        app.command()(verb)
    app.command(name="app")(serve)


def init(folder: Annotated[Path, typer.Argument(help="a new or existing folder")] = Path("lab")) -> None:
    """Make a project: a copy of the recipes and notebooks that come with socml.

    Files that are there already are left as they are.

    \b
    Example:  socml init lab && cd lab && socml run first-look
    """
    from socml.project import init_project

    written = init_project(folder)
    say(f"{folder}: {len(written)} files written" if written else f"{folder} is a project already; nothing changed")
    if written:
        say(f"Next: cd {folder} && socml run first-look")


def demo(
    no_app: Annotated[bool, typer.Option("--no-app", help="stop after the findings")] = False,
    port: Annotated[int, typer.Option(help="port of the app")] = PORT,
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
    _serve(port, query=f"?run={stored['run_id']}")


def serve(
    port: Annotated[int, typer.Option(help="port to listen on, on this machine only")] = PORT,
    run: Annotated[str, typer.Option(help="scoring run to open; the newest if not given")] = "",
) -> None:
    """Serve the app in which analysts see and label what is unusual.

    \b
    Examples:  socml app      socml app --port 8080
    """
    _serve(port, query=f"?run={run}" if run else "")


def doctor(json_: Annotated[bool, typer.Option("--json", help="for a script")] = False) -> None:
    """Say what socml finds here: project, workspace, versions, and what does not fit together.

    Exits with 1 if something is wrong.

    \b
    Examples:  socml doctor      socml doctor --json
    """
    findings = _findings()
    if json_:
        as_json(findings)
    else:
        table(["", "what", "found"], [("ok" if f["ok"] else "!!", f["what"], f["found"]) for f in findings])
    if not all(f["ok"] for f in findings):
        raise typer.Exit(1)


def _serve(port: int, *, query: str) -> None:
    import socket

    from socml.project import find_project, starter_root

    page = starter_root() / "app" / "triage.py"
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigurationError(f"Port {port} is in use. Choose another: socml app --port {port + 1}")
    project = find_project()
    marked = (project.root / "socml.toml").is_file()
    environment = {**os.environ, **({"SOCML_PROJECT": str(project.root)} if marked else {})}
    settings = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
    }
    options = [f"--{key}={value}" for key, value in settings.items()]
    say(f"\nsocml app: http://127.0.0.1:{port}/{query}")
    say("Stop it with Ctrl+C")
    sys.stdout.flush()
    command = [sys.executable, "-m", "streamlit", "run", str(page), *options]
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own interpreter and page


def _findings() -> list[dict[str, Any]]:
    from importlib.metadata import PackageNotFoundError, version

    from socml.project import find_project
    from socml.workspace import dataset_names, list_runs

    project = find_project()
    found = [_finding("Python", sys.version.split()[0], ok=sys.version_info >= (3, 11))]
    for package in ("socml", "scikit-learn", "pandas", "pyarrow", "duckdb", "mlflow", "streamlit", "river", "shap"):
        try:
            found.append(_finding(package, version(package)))
        except PackageNotFoundError:
            found.append(_finding(package, "not installed", ok=False))
    found.append(_finding("project", project.root))
    found.append(_finding("workspace", project.workspace, ok=_writable(project.workspace)))
    found.append(_finding("datasets with events", ", ".join(dataset_names(project)) or "none yet"))
    runs = list_runs(project)
    found.append(_finding("scoring runs", f"{len(runs)}, newest {runs[0]['run_id']}" if runs else "none yet"))
    found.extend(_recipe_findings(project))
    return found


def _recipe_findings(project: Any) -> list[dict[str, Any]]:
    from socml import recipes
    from socml.errors import SocmlError

    loaders = {
        "datasets": recipes.load_dataset_recipe,
        "features": recipes.load_feature_recipe,
        "models": recipes.load_model_recipe,
        "experiments": recipes.load_experiment_recipe,
    }
    found = []
    for kind, load in loaders.items():
        names = recipes.recipe_names(kind, project)
        broken = []
        for name in names:
            try:
                load(name, project)
            except SocmlError as error:
                broken.append(str(error))
        found.append(_finding(f"{kind} recipes", "; ".join(broken) or len(names), ok=not broken))
    return found


def _finding(what: str, found: object, *, ok: bool = True) -> dict[str, Any]:
    return {"what": what, "found": str(found), "ok": ok}


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        note(f"{folder} cannot be written to")
        return False
    return True
