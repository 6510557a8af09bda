"""Results → a terminal, a pipe or JSON. Text from logs is made visible, never interpreted."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from socml.project import Words, find_project, keep_pandas_out, visible, visible_line, words

if TYPE_CHECKING:
    import pandas as pd

# Set by `main`: nothing but one command runs in this process; Ctrl-C was pressed
process = {"alone": False, "pressed": False}


def without_pandas() -> None:
    """Keep pyarrow from importing pandas, which it does at the first array and takes a second; for verbs without it."""
    if process["alone"]:
        keep_pandas_out()


def say(text: str = "") -> None:
    """Print a line of result to standard output."""
    sys.stdout.write(visible(text) + "\n")


def project_words() -> Words:
    """Return the words of the project's language."""
    return words(find_project().language)


def note(text: str) -> None:
    """Print a line about what is going on to standard error, so that pipes stay clean."""
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()


def as_json(value: object) -> None:
    """Print a result for a script."""
    is_unicode = (sys.stdout.encoding or "utf").lower().startswith("utf")  # a text buffer has none
    sys.stdout.write(json.dumps(value, indent=1, default=_plain, ensure_ascii=not is_unicode) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[str] = ()) -> None:
    """Print rows under their columns; those named in `numbers` stand to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = None if sys.stdout.isatty() else 200
    grid = Table(box=None, pad_edge=False, header_style="bold")
    right = set(numbers)
    for name in columns:
        grid.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if cell is None else visible_line(cell)) for cell in row))
    Console(width=width, highlight=False).print(grid)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what begins, and how long it took when it is done; a spinner turns on a terminal."""
    started = time.perf_counter()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(what)):
            yield
    else:
        note(f"{what} …")
        yield
    note(f"{what}: {time.perf_counter() - started:.1f} s")


class Report(Protocol):
    """What a long step calls as it goes on."""

    def __call__(self, done: int, total: int | None = None, text: str = "", /) -> None:
        """Say how much is done, of how much if that is known, and of what."""


@contextmanager
def progress_bar(what: str) -> Iterator[Report]:
    """Yield a function `(done, total, text)`: a bar on a terminal, a plain line every ten seconds elsewhere."""
    if not sys.stderr.isatty():
        yield _plain_lines(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int | None = None, text: str = "") -> None:
            bar.update(task, completed=done, total=total, description=visible_line(text or what))

        yield report


def _plain_lines(what: str) -> Report:
    last = time.monotonic()

    def report(done: int, total: int | None = None, text: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= 10:
            last = time.monotonic()
            share = f" {100 * done / total:.0f} %" if total else f" {done:,}"
            note(f"{text or what}{share}")

    return report


def _plain(value: object) -> object:
    for attribute in ("item", "isoformat", "to_dict"):
        if hasattr(value, attribute):
            return getattr(value, attribute)()
    return str(value)


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Return the lines of a table as plain values; a missing one is None."""
    return [
        {str(k): v for k, v in line.items()}
        for line in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]


def figure(value: object) -> str:
    """Return a cell of a table: three decimals, thousands apart, empty where there is nothing."""
    if value is None or value != value:  # noqa: PLR0124  NaN
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value)
    return f"{value:,.3f}" if isinstance(value, float) and value != int(value) else f"{int(value):,}"
