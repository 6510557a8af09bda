"""Syslog over the network → the event table, through files in the workspace and the reader of syslog files.

UDP (one message a datagram) and TCP (messages as lines, or behind their lengths). Only addresses of this machine are
listened on, unless asked otherwise: syslog has neither a secret nor a signature, so anyone who reaches the port can
write to the dataset. Messages wait in a bounded queue: when it is full, TCP senders are made to wait, and datagrams are
dropped and counted. A message without a header gets one, with its sender and the time it came (RFC 3164, 4.3.3).
Datagrams that the kernel drops are counted too. A connection that is silent or slow for too long is ended (`clients`).
SIGTERM and Ctrl-C store what has come and end. A killed process loses what was in the queue and what the kernel held,
and no line that it had written.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from socml.ingestion.buffer import Spool
from socml.ingestion.ingestion import ingest_files
from socml.ingestion.receiver import Listened, Receiver, bound_socket
from socml.project import ConfigurationError, DataError, Project, SocmlError, TryLater, find_project, safe_name

__all__ = ["listen"]

QUEUED = 20_000  # places; a message takes one, and one more for each PLACE_BYTES
PLACE_BYTES = 4096  # so 80 MB at most wait, whatever is sent
_AT_ONCE = 1000  # places of what is written in one go
_TICK_S = 0.1


def listen(
    address: str,
    *,
    dataset: str,
    format: str = "syslog",  # noqa: A002
    project: Project | None = None,
    seconds: float | None = None,
    every: float = 10.0,
    any_address: bool = False,
    stop: threading.Event | None = None,
    on_ready: Callable[[str, int], None] | None = None,
) -> Listened:
    """Receive syslog messages until `seconds` have passed, `stop` is set, SIGTERM or Ctrl-C; then store what is left.

    Parameters
    ----------
    address : as udp://127.0.0.1:5514 or tcp://[::1]:5514; port 0 is any free one
    every : seconds between two ingests
    any_address : allow an address that other machines reach
    on_ready : called with the address and the port, once messages can be sent

    Raises
    ------
    ConfigurationError
        If the address is none, or other machines reach it, or the port is taken.
    DataError, TryLater
        If messages could not be written, or what was written could not be stored; what was written is kept, and the
        next listener stores it.
    """
    safe_name(dataset)
    project = project or find_project()
    kind, host, port = _address(address, any_address=any_address)
    done, stop = Listened(), stop or threading.Event()
    with Spool(project.folder("spool", dataset)) as spool, bound_socket(kind, host, port) as server:
        flow = _Flow(spool, stop)
        receiver = Receiver(server, kind, flow.waiting, done)
        receiving = threading.Thread(target=receiver.run, args=(stop,), daemon=True)
        writing = threading.Thread(target=flow.run, daemon=True)
        receiving.start()
        writing.start()
        try:
            with suppress(KeyboardInterrupt), _stopped_by_signals(stop):
                if on_ready:
                    on_ready(*server.getsockname()[:2])
                _wait(seconds, every, stop, lambda: _store(spool, dataset, format, project, done))
        finally:
            stop.set()
            receiving.join()
            flow.ended.set()
            writing.join()
        problem = _store(spool, dataset, format, project, done)
        waiting = [path for path in spool.finished() if path.stat().st_size]
    _raise_what_failed(spool.folder, receiver.failure, problem if waiting else None, flow.failure)
    return done


def _raise_what_failed(
    folder: Path, receiving: Exception | None, storing: Exception | None, writing: OSError | None
) -> None:
    if receiving:
        raise DataError(f"Receiving ended early: {receiving}. The messages that had come are stored.")
    if storing:
        error = TryLater if isinstance(storing, TryLater) else DataError
        raise error(f"{storing} The messages are kept in {folder}; the next listener stores them.")
    if writing:
        raise DataError(f"The messages could not be written to {folder}: {writing}. Those before are stored.")


class _Waiting(queue.Queue[bytes]):
    """A queue whose size is in places: what its messages take of memory is bounded, not only their number."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._taken = 0

    def _qsize(self) -> int:
        return self._taken

    def _put(self, item: bytes) -> None:
        super()._put(item)
        self._taken += places(item)

    def _get(self) -> bytes:
        item = super()._get()
        self._taken -= places(item)
        return item


def places(message: bytes) -> int:
    """Return how many places of the queue a message takes.

    Examples
    --------
    >>> places(b"short"), places(b"a" * (64 << 10))
    (1, 17)
    """
    return 1 + len(message) // PLACE_BYTES


class _Flow:
    """The queue, and the thread that writes what waits in it."""

    def __init__(self, spool: Spool, stop: threading.Event) -> None:
        self.waiting = _Waiting(QUEUED)
        self.ended = threading.Event()  # nothing more is put into the queue
        self.failure: OSError | None = None
        self._spool, self._stop = spool, stop

    def run(self) -> None:
        """Write until nothing more comes."""
        while not (self.ended.is_set() and self.waiting.empty()):
            try:
                lines = [self.waiting.get(timeout=_TICK_S)]
            except queue.Empty:
                continue
            taken = places(lines[0])
            while taken < _AT_ONCE and not self.waiting.empty():
                lines.append(self.waiting.get_nowait())
                taken += places(lines[-1])
            try:
                self._spool.write(lines)
            except OSError as error:  # the disk is full, or gone: go on taking, so that nobody waits for ever
                self.failure = self.failure or error
                self._stop.set()


def _wait(seconds: float | None, every: float, stop: threading.Event, store: Callable[[], object]) -> None:
    begun = time.monotonic()
    following = begun + every
    while not stop.is_set() and (seconds is None or time.monotonic() - begun < seconds):
        stop.wait(_TICK_S)
        if time.monotonic() >= following:
            store()
            following = time.monotonic() + every


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and the end of the terminal set `stop`; only a program's main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _store(spool: Spool, dataset: str, format_name: str, project: Project, done: Listened) -> Exception | None:
    """Ingest the files that are finished, and remove each that is stored; return why one was not.

    Nothing of them is lost: bad records are in quarantine, and a file that is not stored waits for the next round.
    """
    for path in spool.finished():
        if path.stat().st_size:
            try:
                result = ingest_files(
                    path,
                    dataset=dataset,
                    format=format_name,
                    project=project,
                    max_bad_share=1.0,
                    final=True,
                    by_path_alone=True,
                )
            except (SocmlError, OSError) as error:  # such as another ingest of the dataset, or a full disk
                return error
            done.stored += result.added
            done.quarantined += result.quarantined
            done.warnings += [w for w in result.warnings if w not in done.warnings]
        path.unlink()
    return None


def _address(text: str, *, any_address: bool) -> tuple[str, str, int]:
    """Return kind, address and port.

    Examples
    --------
    >>> _address("tcp://[::1]:6514", any_address=False)
    ('tcp', '::1', 6514)
    >>> _address("udp://192.0.2.1:514", any_address=False)
    Traceback (most recent call last):
    ...
    socml.project.errors.ConfigurationError: 192.0.2.1 is an address that other machines reach. Allow it on purpose if meant.
    """
    try:
        parts = urlsplit(text)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        found, port = ip_address(host), parts.port
    except ValueError:
        port = None
    if port is None or parts.scheme not in ("udp", "tcp"):
        raise ConfigurationError(f"{text!r} is not an address to listen on, such as udp://127.0.0.1:5514.") from None
    if not found.is_loopback and not any_address:
        raise ConfigurationError(f"{host} is an address that other machines reach. Allow it on purpose if meant.")
    return parts.scheme, host, port
