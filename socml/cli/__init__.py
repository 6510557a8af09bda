"""Typed commands → the line, one verb a step. `socml --help` imports nothing heavy.

Exit codes: 0 ok, 1 unhealthy, 2 configuration, 3 data, 4 model, 75 try later.
"""

from __future__ import annotations

import sys

import typer

from socml.cli import judge, lab, line, people, pocket, quarantine, reading, team
from socml.cli._output import process
from socml.errors import SocmlError

app = typer.Typer(
    name="socml",
    help="Find what is unusual in security logs, say why, and learn from every answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start with: socml demo   ·   raw → events → features → scores → explanations → queue → labels",
)
for verbs in (lab, line, reading, quarantine, people, judge, team, pocket):
    verbs.add_to(app)


def main() -> None:
    """Run one command: an error of socml is one message and an exit code, never a traceback."""
    process["alone"] = True
    try:
        app(standalone_mode=True)
    except SocmlError as error:
        sys.stderr.write(f"socml: {error}\n")
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        sys.stderr.write("\nsocml: stopped; what was finished is kept, and the same command goes on from there\n")
        raise SystemExit(130) from None
