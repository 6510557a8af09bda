"""A socket of syslog messages → a bounded queue of lines, one a message."""

from __future__ import annotations

import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from socml.ingestion.clients import Client, Clients
from socml.ingestion.detection import open_format
from socml.ingestion.kernel_drops import drops_in_ancillary, drops_so_far, tell_drops
from socml.ingestion.octet_framing import one_line
from socml.project import ConfigurationError

__all__ = ["Listened", "Receiver", "bound_socket"]

_DATAGRAM = 65_535
_DATAGRAMS_AT_ONCE = 100
_TICK_S = 0.1
_LAST_ROUNDS = 1000
_LEAST = 0.3  # what `syslog` says of a line with a header, another format's message behind it or not
_LONGEST_WAIT_S = 60.0  # for room in the queue; only a disk that is full, or gone, takes longer


@dataclass
class Listened:
    """What a listener did, in messages."""

    received: int = 0
    dropped: int = 0  # datagrams that found the queue full
    dropped_by_kernel: int = 0  # datagrams that found the kernel's buffer full
    ended: int = 0  # connections that were ended: idle, slow, or too many
    shortened: int = 0
    headed: int = 0  # without a header of their own
    stored: int = 0
    quarantined: int = 0
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in one line."""
        more = "".join(
            f", {count:,} {what}"
            for count, what in (
                (self.quarantined, "in quarantine"),
                (self.dropped, "dropped: the queue was full"),
                (self.dropped_by_kernel, "dropped by the kernel: its buffer was full"),
                (self.shortened, "shortened"),
                (self.headed, "without a header"),
            )
            if count
        )
        ended = f"; {self.ended:,} idle or slow connections ended" if self.ended else ""
        return f"{self.received:,} messages received, {self.stored:,} stored{more}{ended}"


class Receiver:
    """Reads the sockets, and puts each message into the queue as one line."""

    def __init__(
        self,
        server: socket.socket,
        kind: str,
        waiting: queue.Queue[bytes],
        done: Listened,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server, self.kind, self.waiting, self.done, self.clock = server, kind, waiting, done, clock
        self.selector = selectors.DefaultSelector()
        self.clients = Clients()
        self.failure: Exception | None = None
        self._ancillary = tell_drops(server) if kind == "udp" else 0
        self._syslog = open_format("syslog")

    def run(self, stop: threading.Event) -> None:
        """Receive until `stop` is set, and what has come by then. A failure is kept in `failure`, and sets `stop`."""
        self.selector.register(self.server, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                self._once(_TICK_S)
                self._end_silent()
            for _ in range(_LAST_ROUNDS):
                if not self._once(0):
                    break
        except Exception as error:  # nobody would see it in this thread
            self.failure = error
            stop.set()
        finally:
            for client in list(self.clients.of.values()):
                self._close(client)
            if self.kind == "udp":
                self.done.dropped_by_kernel = max(self.done.dropped_by_kernel, drops_so_far(self.server) or 0)
            self.selector.close()

    def _once(self, timeout: float) -> bool:
        ready = self.selector.select(timeout)
        for key, _ in ready:
            if key.fileobj is not self.server:
                client = self.clients.of.get(cast("socket.socket", key.fileobj))
                if client is not None:  # else it was ended for a newcomer of this round
                    self._read(client)
            elif self.kind == "udp":
                self._datagrams()
            else:
                self._accept()
        return bool(ready)

    def _datagrams(self) -> None:
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                data, ancillary, _flags, sender = self.server.recvmsg(_DATAGRAM, self._ancillary)
            except BlockingIOError:
                return
            self.done.dropped_by_kernel = max(self.done.dropped_by_kernel, drops_in_ancillary(ancillary))
            self._take(data, str(sender[0]), wait=False)

    def _accept(self) -> None:
        try:
            connection, sender = self.server.accept()
        except (BlockingIOError, ConnectionError):  # it is gone again
            return
        except OSError:  # the process has no files left
            if not len(self.clients):
                raise
            self._end(self.clients.one_too_many())
            return
        connection.setblocking(False)
        for victim in self.clients.add(connection, str(sender[0]), self.clock()):
            self._end(victim)
        self.selector.register(connection, selectors.EVENT_READ)

    def _read(self, client: Client) -> None:
        try:
            data = client.connection.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(client)
            return
        for message in client.take(data, self.clock()):
            self._take(message, client.sender, wait=True)

    def _end_silent(self) -> None:
        now = self.clock()
        for client in self.clients.over(now):
            self._read(client)  # it may have spoken while the queue was full, and nobody listened
            if client.connection in self.clients.of and client.is_over(now):
                self._end(client)

    def _end(self, client: Client) -> None:
        self.done.ended += 1
        self._close(client)

    def _close(self, client: Client) -> None:
        """Close a connection; what it had sent of a message is one."""
        del self.clients.of[client.connection]
        with suppress(KeyError):
            self.selector.unregister(client.connection)
        client.connection.close()
        for message in client.frames.close():
            self._take(message, client.sender, wait=True)
        self.done.shortened += client.frames.shortened

    def _take(self, message: bytes, sender: str, *, wait: bool) -> None:
        line = one_line(message)
        if not line:
            return
        if line.startswith(b"#") or self._syslog.sniff(line, "") < _LEAST:
            self.done.headed += 1
            came = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = f"<13>{came} {sender} ".encode() + line
        try:
            self.waiting.put(line, block=wait, timeout=_LONGEST_WAIT_S)
        except queue.Full:
            self.done.dropped += 1
        else:
            self.done.received += 1


def bound_socket(kind: str, host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ConfigurationError if it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    try:
        if kind == "udp":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        else:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        if kind == "tcp":
            server.listen(64)
    except OSError as error:
        server.close()
        raise ConfigurationError(f"Cannot listen on {kind}://{host}:{port}: {error.strerror}.") from None
    server.setblocking(False)
    return server
