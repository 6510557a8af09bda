"""A socket of syslog messages → a bounded queue of lines, one a message."""

from __future__ import annotations

import queue
import selectors
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from socml.datasets.detection import open_format
from socml.datasets.framing import Frames, one_line
from socml.errors import ConfigurationError

__all__ = ["Listened", "Receiver", "bound_socket"]

_DATAGRAM = 65_535
_CONNECTIONS = 200
_TICK_S = 0.1
_LAST_ROUNDS = 1000
_LEAST = 0.3  # what `syslog` says of a line with a header, another format's message behind it or not
_LONGEST_WAIT_S = 60.0  # for room in the queue; only a disk that is full, or gone, takes longer


@dataclass
class Listened:
    """What a listener did, in messages."""

    received: int = 0
    dropped: int = 0  # datagrams that found the queue full
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
                (self.shortened, "shortened"),
                (self.headed, "without a header"),
            )
            if count
        )
        return f"{self.received:,} messages received, {self.stored:,} stored{more}"


class Receiver:
    """Reads the sockets, and puts each message into the queue as one line."""

    def __init__(self, server: socket.socket, kind: str, waiting: queue.Queue[bytes], done: Listened) -> None:
        self.server, self.kind, self.waiting, self.done = server, kind, waiting, done
        self.selector = selectors.DefaultSelector()
        self.frames: dict[socket.socket, tuple[Frames, str]] = {}
        self._syslog = open_format("syslog")

    def run(self, stop: threading.Event) -> None:
        """Receive until `stop` is set, and what has come by then."""
        self.selector.register(self.server, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                self._once(_TICK_S)
            for _ in range(_LAST_ROUNDS):
                if not self._once(0):
                    break
        finally:
            for connection in list(self.frames):
                self._close(connection)
            self.selector.close()

    def _once(self, timeout: float) -> bool:
        ready = self.selector.select(timeout)
        for key, _ in ready:
            if key.fileobj is not self.server:
                self._read(key.fileobj)  # type: ignore[arg-type]
            elif self.kind == "udp":
                data, sender = self.server.recvfrom(_DATAGRAM)
                self._take(data, str(sender[0]), wait=False)
            else:
                self._accept()
        return bool(ready)

    def _accept(self) -> None:
        connection, sender = self.server.accept()
        if len(self.frames) >= _CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        self.frames[connection] = (Frames(), str(sender[0]))
        self.selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        frames, sender = self.frames[connection]
        try:
            data = connection.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        for message in frames.feed(data):
            self._take(message, sender, wait=True)

    def _close(self, connection: socket.socket) -> None:
        frames, sender = self.frames.pop(connection)
        self.selector.unregister(connection)
        connection.close()
        for message in frames.close():
            self._take(message, sender, wait=True)
        self.done.shortened += frames.shortened

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
