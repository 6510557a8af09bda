"""Messages → a UDP or TCP address, with TLS if asked for."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from socml.jobs.sinks._sink import ANSWERS, Undelivered
from socml.project import first_line, within

SCHEMES = ("udp", "tcp", "tls")
CLOSES_S = 2.0  # that a receiver may take to close


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


def send_datagrams(address: str, messages: Sequence[Sequence[bytes]]) -> None:
    """Send each message as its datagrams. UDP never says whether it arrived.

    Raises
    ------
    Undelivered
        Those are refused that are longer than a datagram may be, or have none at all; the others were sent.
    """
    host, port = _place(address)
    too_long: list[int] = []
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as connection:
            for i, datagrams in enumerate(messages):
                if not datagrams or not all(_is_sent(connection, one, where) for one in datagrams):
                    too_long.append(i)
    except (OSError, ValueError) as error:
        raise Undelivered(first_line(error)) from None
    if too_long:
        raise Undelivered("it is longer than a datagram may be", refused=too_long)


def send_stream(address: str, messages: Sequence[bytes], *, timeout_s: float, ca_file: str = "") -> None:
    """Send framed messages over one connection, and wait until the other side has taken all and closed.

    Raises
    ------
    Undelivered
        If the connection broke before that. A receiver that never closes counts as having taken all.
    """
    try:
        within(timeout_s * ANSWERS, lambda _: _stream(address, messages, timeout_s, ca_file))
    except (OSError, ValueError) as error:
        raise Undelivered(first_line(error)) from None


def _stream(address: str, messages: Sequence[bytes], timeout_s: float, ca_file: str) -> None:
    host, port = _place(address)
    with socket.create_connection((host, port), timeout=timeout_s) as plain:
        connection = _with_tls(plain, host, ca_file) if urlsplit(address).scheme == "tls" else plain
        with connection:
            connection.sendall(b"".join(messages))
            if connection is plain:
                connection.shutdown(socket.SHUT_WR)
            end = time.monotonic() + min(timeout_s, CLOSES_S)
            with suppress(TimeoutError):
                while (left := end - time.monotonic()) > 0:
                    connection.settimeout(left)
                    if not connection.recv(4096):
                        break


def _is_sent(connection: socket.socket, datagram: bytes, where: tuple[object, ...]) -> bool:
    try:
        connection.sendto(datagram, where)
    except OSError as error:
        if error.errno != errno.EMSGSIZE:
            raise
        return False
    return True


def _with_tls(plain: socket.socket, host: str, ca_file: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context.wrap_socket(plain, server_hostname=host)


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return str(parts.hostname), int(parts.port or 0)
