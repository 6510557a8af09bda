"""Files to be read, from a pipe → what became of each, back through it: the process that reads for another.

It ends when the other side of the pipe does, in the middle of a file too, so that a killed ingest leaves no process behind.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa

from socml.ingestion.file_reading import Outcome, read_file
from socml.ingestion.own_columns import OutOfTurn, OwnColumns
from socml.ingestion.parts import PartWriter
from socml.ingestion.run import FileJob, Run
from socml.ingestion.sources import FileSource
from socml.ingestion.staged_file import StagedFile, staging_writers
from socml.ingestion.truth_file import TruthFile
from socml.project import Notice, keep_pandas_out, open_components

__all__ = ["Answer", "Order", "Progress", "Ready", "Setup", "answer", "serve"]


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know first.

    Parameters
    ----------
    folder : where it stages rows; nobody else writes there
    parts : the files that the dataset consists of
    opened : the project whose readers are found
    """

    run: Run
    folder: Path
    parts: tuple[Path, ...]
    opened: Path | None


@dataclass(frozen=True)
class Order:
    """A file to be read. `own_columns` are those of the files before it, None as long as some of these are being read."""

    job: FileJob
    own_columns: Mapping[str, pa.DataType] | None


@dataclass(frozen=True)
class Ready:
    """The worker waits for files."""


@dataclass(frozen=True)
class Progress:
    """Bytes of the file that are read, and its events so far."""

    read_bytes: int
    events: int


@dataclass(frozen=True)
class Answer:
    """What became of the file.

    Without an outcome, it has to wait for the files before it, or the workspace has the `fault`.
    """

    outcome: Outcome | None = None
    fault: OSError | None = None


def serve(handle: int) -> None:
    """Read files until the other side of the pipe, a file descriptor, is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    keep_pandas_out()
    pa.set_cpu_count(1)  # each core has a worker
    pipe = Connection(handle)
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    try:
        setup: Setup = pipe.recv()
    except (EOFError, OSError):  # who asks was stopped before it asked
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # the asking process said it
        open_components(setup.opened)
    threading.Thread(target=_receive, args=(pipe, orders), daemon=True).start()
    pipe.send(Ready())
    writers = staging_writers(setup.folder)
    while True:
        order = orders.get()
        source = order.job.match.file.source
        pipe.send(answer(setup, order, writers, partial(_tell, pipe, source)))


def _tell(pipe: Connection, source: FileSource, events: int) -> None:
    pipe.send(Progress(source.read_bytes, events))


def _receive(pipe: Connection, orders: queue.SimpleQueue[Order]) -> None:
    while True:
        try:
            orders.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(0)  # nobody waits for what is being read


def answer(
    setup: Setup, order: Order, writers: dict[str, PartWriter], report: Callable[[int], None] = lambda events: None
) -> Answer:
    """Read a file and return what became of it; what it holds waits where `writers` put it."""
    columns = OwnColumns(setup.parts, order.own_columns, complete=order.own_columns is not None)
    staged, truth = StagedFile(writers), setup.run.truth
    if isinstance(truth, TruthFile):
        truth.found = 0
    try:
        outcome = read_file(setup.run, order.job, staged=staged, column_types=columns, report=report)
        listed = truth.found if isinstance(truth, TruthFile) else 0
        return Answer(replace(outcome, own_columns=columns.added, listed=listed, shipped=staged.shipped()))
    except OutOfTurn:
        return Answer()
    except OSError as fault:
        return Answer(fault=fault)
