"""Files to be read → what became of each, in their order, read by several processes at once.

Processes and not threads, since most readers are Python; started anew and not forked, so that neither threads nor locks of
this process get into them. What they read is taken in the order of the files, as one process would read them, so the
dataset has the same bytes whatever their number. A file whose reader kills its process stops no other.

Each process holds a block of a file and up to 256 MB of rows; what it has read waits on disk.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait

from socml.ingestion.file_reading import Outcome
from socml.ingestion.own_columns import OwnColumns
from socml.ingestion.reading_worker import Answer, Order, Progress, Ready, Setup
from socml.ingestion.run import FileJob
from socml.project import DataError, has_registered

__all__ = ["ReadingPool", "as_planned", "workers_for"]

PAYS_FROM = 8 << 20  # bytes of files a process: one takes half a second to start
MOST_MEMORY = 1 << 30  # bytes of a process
AHEAD = 64  # files that may be read before it is their turn: what they hold waits on disk,
MOST_HELD = 1 << 30  # as long as it is less than so many bytes
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from socml.ingestion.reading_worker import serve; serve(int(sys.argv[1]))"


@dataclass
class _Process:
    """A worker, the file that it reads, and how much of it."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    is_ready: bool = False
    number: int | None = None
    read_bytes: int = 0


def workers_for(jobs: Sequence[FileJob], asked: int, *, cores: int, memory: int) -> int:
    """Return how many processes are to read the files: `asked`, or as many as pay.

    Parameters
    ----------
    asked : 0 for as many as there are cores, memory for them, and files that are large enough together
    memory : bytes that all may take
    """
    if has_registered("formats") or not sys.executable:
        return 1  # a notebook's readers are in this process alone; a program that embeds Python starts no other
    if asked:
        return min(asked, len(jobs))
    size = sum(job.match.file.source.size for job in jobs)
    return max(1, min(cores, len(jobs), size // PAYS_FROM, memory // MOST_MEMORY))


def as_planned(outcome: Outcome | None, planned: FileJob, job: FileJob) -> Outcome | None:
    """Return what became of a file that was read ahead; None if it was to become another segment then.

    A file before it, of the same name, was not kept.
    """
    if outcome is None or planned == job:
        return outcome
    if outcome.shipped:
        outcome.shipped.drop()
    return None


class ReadingPool:
    """Processes that read files ahead of their turn.

    Parameters
    ----------
    setups : makes what a process needs to know first; each has a folder of its own
    jobs : the files, in their order
    count : how many processes
    report : called with the bytes that were read of files whose turn has not come, the file that was read last, and its events
    """

    def __init__(
        self,
        setups: Callable[[], Setup],
        jobs: Sequence[FileJob],
        count: int,
        report: Callable[[int, FileJob, int], None],
    ) -> None:
        self._setups, self._jobs, self._report = setups, jobs, report
        self._numbers = {str(job.match.file.path): number for number, job in enumerate(jobs)}
        self._next = self._turn = 0
        self._done: dict[int, Outcome | None] = {}
        self._failed = False
        self._processes = [self._start() for _ in range(min(count, len(jobs)))]

    def outcome(self, job: FileJob, columns: OwnColumns) -> Outcome | None:
        """Return what became of the next file; None if it has to be read by this process.

        `columns` are those of all files before it.

        Raises
        ------
        OSError
            If a process cannot write to the workspace.
        """
        number = self._numbers.get(str(job.match.file.path))
        if number is None:
            return None
        self._turn = number
        while number not in self._done:
            if self._failed and number not in [one.number for one in self._processes]:
                self._next = max(self._next, number + 1)
                self._done[number] = None
                break
            self._feed(columns)
            self._receive()
        self._turn = number + 1
        self._feed(columns)
        return as_planned(self._done.pop(number), self._jobs[number], job)

    def close(self) -> None:
        """End all processes."""
        for one in self._processes:
            one.pipe.close()
            one.process.kill()
            one.process.wait()
        self._processes = []

    def _start(self) -> _Process:
        ours, theirs = Pipe()
        with theirs:
            arguments = [sys.executable, "-c", _START, str(theirs.fileno()), json.dumps(sys.path)]
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        started = _Process(process, ours)
        with suppress(BrokenPipeError):  # it ended at once: `_receive` sees that
            ours.send(self._setups())
        return started

    def _feed(self, columns: OwnColumns) -> None:
        """Give each process that waits the next file, if it is not too far ahead."""
        for one in self._processes:
            if not one.is_ready or one.number is not None or self._failed:
                continue
            if self._next >= len(self._jobs) or (self._next > self._turn and self._is_far_ahead()):
                return
            one.number, self._next = self._next, self._next + 1
            in_turn = one.number == self._turn
            with suppress(BrokenPipeError):
                one.pipe.send(Order(self._jobs[one.number].afresh(), columns.added if in_turn else None))

    def _is_far_ahead(self) -> bool:
        held = sum(outcome.shipped.bytes for outcome in self._done.values() if outcome and outcome.shipped)
        return self._next >= self._turn + AHEAD or held >= MOST_HELD

    def _receive(self) -> None:
        """Wait until a process says something."""
        ready = wait([one.pipe for one in self._processes])
        for one in [one for one in self._processes if one.pipe in ready]:
            try:
                said = one.pipe.recv()
            except (EOFError, OSError):
                self._take_ended(one)
                continue
            if isinstance(said, Ready):
                one.is_ready = True
            elif isinstance(said, Progress) and one.number is not None:
                one.read_bytes = said.read_bytes
                read = sum(other.read_bytes for other in self._processes)
                self._report(read + self._waiting_bytes(), self._jobs[one.number], said.events)
            elif isinstance(said, Answer) and one.number is not None:
                if said.fault:
                    raise said.fault
                self._done[one.number] = said.outcome
                one.number, one.read_bytes = None, 0

    def _waiting_bytes(self) -> int:
        return sum(self._jobs[number].match.file.source.size for number in self._done)

    def _take_ended(self, one: _Process) -> None:
        """Note that a process ended by itself; its file is to blame, unless it never began."""
        code = one.process.wait()
        one.pipe.close()
        self._processes.remove(one)
        if not one.is_ready or one.number is None:
            self._failed = True
            return
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        name = self._jobs[one.number].match.file.source.name
        self._done[one.number] = Outcome(
            error=DataError(
                f"{name}: the process that read it was {how}. Read it alone, with --workers 1, to see why; if memory was "
                "short, with fewer workers."
            )
        )
        self._processes.append(self._start())
