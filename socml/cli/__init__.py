"""Typed commands → the line, one verb a step. `socml --help` imports nothing heavy.

Exit codes: 0 ok, 1 unhealthy, 2 configuration, 3 data, 4 model, 75 try later.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn, TextIO

import typer

from socml import __version__
from socml.cli import (
    accounts,
    components,
    evaluate,
    ingest,
    keeping,
    labels,
    line,
    models,
    nightly,
    project,
    quarantine,
    respond,
    review,
    tools,
)
from socml.cli._output import note, process, say
from socml.project import Notice, as_socml_error, first_line, interrupt_queries

app = typer.Typer(
    name="socml",
    help="Find what is unusual in security logs, say why, and learn from every answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start with: socml demo   ·   raw → events → features → scores → explanations → queue → labels",
)
for verbs in (
    project, line, ingest, quarantine, nightly, keeping, models, review, evaluate, labels, components, tools, respond, accounts,
):  # fmt: skip
    verbs.add_to(app)


def _say_version(asked: bool) -> None:
    if asked:
        say(f"socml {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run one command: an error is one message and an exit code, never a traceback.

    What socml did not foresee is told with the line it came from; with SOCML_DEBUG set it is raised as it is.
    """
    process["alone"] = True
    _open_outputs()
    process["pressed"] = False
    with _hearing_ctrl_c(), warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        warnings.showwarning = _show_warning
        try:
            _run()
        except BrokenPipeError:
            sys.stderr.close()
            raise SystemExit(0) from None
        except KeyboardInterrupt:
            _stop()
        except Exception as error:
            if os.environ.get("SOCML_DEBUG"):
                raise
            if _was_stopped(error):
                _stop()
            failure = as_socml_error(error)
            note(f"socml: {failure or _unforeseen(error)}")
            raise SystemExit(failure.exit_code if failure else 1) from None


def _stop() -> NoReturn:
    sys.stderr.write("\nsocml: stopped; what was finished is kept, and the same command goes on from there\n")
    raise SystemExit(130) from None


@contextmanager
def _hearing_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end a query at once: Python hears of it only when DuckDB looks, which a query of one task never does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)

    def listen() -> None:
        while signals := os.read(ear, 64):
            # who has a handler of their own, as `watch`, ends in their own time
            if signal.SIGINT in signals and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                process["pressed"] = True
                interrupt_queries()
        os.close(ear)

    threading.Thread(target=listen, daemon=True, name="socml-ctrl-c").start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(mouth)


def _was_stopped(error: BaseException | None) -> bool:
    """Say whether an error, or what it came from, is a person's Ctrl-C: within a query DuckDB has errors of its own for it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or (type(error) is RuntimeError and str(error) == "Query interrupted"):
            return True
        if process["pressed"] and type(error).__name__ == "InterruptException":
            return True
        error = error.__cause__ or error.__context__
    return False


def _open_outputs() -> None:
    """Let a process that was started without outputs write nowhere, and write as escapes what an output's encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run() -> None:
    """Run the command to its end: its last output has left the process too, or the error is told."""
    try:
        app(standalone_mode=True)
    except SystemExit as ended:
        sys.stdout.flush()
        if ended.code == 130:  # so typer ends when Ctrl-C is pressed between two queries
            raise KeyboardInterrupt from None
        raise


def _unforeseen(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"
    return (
        f"This was not foreseen, and is a fault of socml: {type(error).__name__} at {where}: {first_line(error)}. "
        "Set SOCML_DEBUG=1 for the whole trace, and report it."
    )


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a notice as one line; other warnings are of libraries, and are for developers."""
    if issubclass(category, Notice):
        note(f"socml: {message}")
    elif os.environ.get("SOCML_DEBUG"):
        note(warnings.formatwarning(message, category, filename, lineno).rstrip())
