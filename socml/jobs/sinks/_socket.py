"""Messages → a UDP or TCP address, with TLS if asked for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from socml.jobs.sinks._sink import Undelivered
from socml.project import first_line

__all__ = ["checked_address", "send_datagrams", "send_stream"]

SCHEMES = ("udp", "tcp", "tls")


def checked_address(address: str, schemes: Sequence[str] = SCHEMES) -> str:
    """Return an address such as `tcp://10.0.0.5:514` if it is one; a ValueError says what is wrong."""
    parts = urlsplit(address)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{address!r} is no address: write {' or '.join(f'{one}://host:port' for one in schemes)}")
    if parts.scheme in SCHEMES and parts.port is None:
        raise ValueError(f"{address!r} names no port")
    if parts.username or parts.password:
        raise ValueError("an address holds no user and no password")
    return address


def send_datagrams(address: str, messages: Sequence[bytes]) -> None:
    """Send each message as a datagram. UDP never says whether it arrived.

    Raises
    ------
    Undelivered
    """
    host, port = _place(address)
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as connection:
            for message in messages:
                connection.sendto(message, where)
    except OSError as error:
        raise Undelivered(first_line(error)) from None


def send_stream(address: str, messages: Sequence[bytes], *, timeout_s: float, ca_file: str = "") -> None:
    """Send framed messages over one connection, and wait until the other side has taken all and closed.

    Raises
    ------
    Undelivered
        If the connection broke before that. A receiver that never closes counts as having taken all.
    """
    host, port = _place(address)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as plain:
            connection = _with_tls(plain, host, ca_file) if urlsplit(address).scheme == "tls" else plain
            with connection:
                connection.sendall(b"".join(messages))
                if connection is plain:
                    connection.shutdown(socket.SHUT_WR)
                connection.settimeout(min(timeout_s, 2.0))
                with suppress(TimeoutError):
                    while connection.recv(4096):
                        pass
    except (OSError, ssl.SSLError) as error:
        raise Undelivered(first_line(error)) from None


def _with_tls(plain: socket.socket, host: str, ca_file: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context.wrap_socket(plain, server_hostname=host)


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return str(parts.hostname), int(parts.port or 0)
