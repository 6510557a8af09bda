"""What the last nights did → http://127.0.0.1:9469/metrics, which Prometheus asks while `socml watch` runs.

It answers GET of /metrics and nothing else, with what the text file has: counts, and no text from logs.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from socml.jobs.night_metrics import metrics_text
from socml.project import ConfigurationError, Project, SocmlError, is_loopback

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SLOWEST_S = 10.0  # that a client may take for its next byte
AT_ONCE = 20  # connections


@contextmanager
def serve_metrics(address: str, project: Project, *, any_address: bool = False) -> Iterator[int]:
    """Answer Prometheus in a thread of its own, and yield the port.

    Parameters
    ----------
    address : as 127.0.0.1:9469 or [::1]:9469; port 0 is any free one
    any_address : allow an address that other machines reach; there is no password

    Raises
    ------
    ConfigurationError
        If the address is none, or other machines reach it, or the port is taken.
    """
    host, port = _host_and_port(address)
    if not any_address and not is_loopback(host):
        raise ConfigurationError(f"{host} is an address that other machines reach. If that is meant: --any-address")

    try:
        server = _Server((host, port), _answering(project))
    except OSError as error:
        raise ConfigurationError(f"{address}: {error.strerror or error}. Name another port.") from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """A thread a connection, and a few at once: the oldest is ended for a newcomer, whoever drips or says nothing."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: list[socket.socket] = []
        super().__init__(address, handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Answer in a thread of its own."""
        assert isinstance(request, socket.socket)  # the other is of UDP
        self._connections = [one for one in self._connections if one.fileno() >= 0]
        if len(self._connections) >= AT_ONCE:
            with suppress(OSError):
                self._connections.pop(0).shutdown(socket.SHUT_RDWR)
        self._connections.append(request)
        super().process_request(request, client_address)


def _answering(project: Project) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SLOWEST_S

        def do_GET(self) -> None:
            if urlsplit(self.path).path != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND, "only /metrics is here")
                return
            try:
                body = metrics_text(project).encode()
            except SocmlError:  # a report is damaged: `socml status` says which
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "a report cannot be read")
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the class it overrides
            """Say nothing: a question every few seconds is no news."""

    return Handler


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None:
        raise ConfigurationError(f"{address!r} is not an address to answer on, such as 127.0.0.1:9469.")
    return host, port
