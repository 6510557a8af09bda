"""A request with a key → the JSON that a service answers, or why there is none, in the key of a sentence.

Bounded in time and size, TLS verified, and nothing is sent on to another host. The key is in a header and nowhere else.
A service is reached at a public address only, unless the project says otherwise: what its name stands for is looked at
when the connection is made, so that neither a redirect nor a changed entry in the DNS leads into the inner network.
Blind to this behind a proxy of the environment (HTTPS_PROXY): there the proxy finds the address.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    BaseHandler,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from socml.project import first_bytes, is_loopback, is_public, within

MOST_BYTES = 1 << 20
_LONGEST_PAUSE = timedelta(days=1)
_OF_THE_INDICATOR = (400, 413, 414, 422)  # the next one may fare better


class NoAnswer(Exception):
    """Why a service gave no answer: the key of a sentence under `tools.online.failure`, and its values.

    `is_final` says that asking the same service again at once makes no sense; `until` when it wants to be asked again.
    """

    def __init__(self, reason: str, *, is_final: bool = True, until: datetime | None = None, **values: object) -> None:
        super().__init__(reason)
        self.reason, self.is_final, self.until = reason, is_final, until
        self.values = {name: str(value) for name, value in values.items()}


def usable_key(key: str) -> bool:
    """Return whether a key can stand in a header; one that cannot would come back in an error message.

    Examples
    --------
    >>> usable_key("0123abcd"), usable_key("0123 abcd"), usable_key("")
    (True, False, False)
    """
    return bool(key) and key.isascii() and key.isprintable() and " " not in key


def ask(
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    limit_s: float,
    silent: bool = False,
    private_address: bool = False,
) -> dict[str, object] | None:
    """Return what a service answers; None if that is HTTP 404 with JSON, and `silent` says that this means: nothing.

    Parameters
    ----------
    private_address : whether it may be on this machine, or in an inner network

    Raises
    ------
    NoAnswer
        If there is no answer in time, or none that can be read.
    """
    request = Request(url, data=body, headers={"User-Agent": "socml", "Accept": "application/json", **headers})  # noqa: S310  https, or this machine
    try:
        return within(limit_s, lambda gone: _answer(request, limit_s, silent, gone, private_address))
    except TimeoutError:
        raise NoAnswer("slow", seconds=f"{limit_s:g}") from None


def _answer(
    request: Request, limit_s: float, silent: bool, gone: threading.Event, private_address: bool
) -> dict[str, object] | None:
    try:
        return _exchanged(request, limit_s, silent, gone, private_address)
    except TimeoutError:
        raise NoAnswer("slow", seconds=f"{limit_s:g}") from None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise NoAnswer("slow", seconds=f"{limit_s:g}") from None
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise NoAnswer("not_trusted", why=error.reason.verify_message) from None
        raise NoAnswer("unreachable", why=getattr(error.reason, "strerror", None) or error.reason) from None
    except (OSError, HTTPException, ValueError) as error:
        # The class alone: a message may repeat what was sent.
        raise NoAnswer("unreachable", why=type(error).__name__) from None


def _exchanged(
    request: Request, limit_s: float, silent: bool, gone: threading.Event, private_address: bool
) -> dict[str, object] | None:
    handlers: list[BaseHandler] = [_SameHost()]
    if private_address:
        handlers.append(HTTPSHandler(context=ssl.create_default_context()))
    else:
        handlers += [_PublicHttps(context=ssl.create_default_context()), _PublicHttp()]
    if is_loopback(urlsplit(request.full_url).hostname or ""):
        handlers.append(ProxyHandler({}))  # what is meant for this machine goes to no proxy
    try:
        with build_opener(*handlers).open(request, timeout=limit_s) as answer:
            return _decoded(_read(answer, gone))
    except HTTPError as error:
        try:
            if silent and error.code == 404:
                _decoded(_read(error, gone), status=404)
                return None
            raise _of_status(error.code, str(error.headers.get("Retry-After") or "")) from None
        finally:
            error.close()


def _connect_in_public(
    address: tuple[str, int], timeout: float | None, source_address: tuple[str, int] | None
) -> socket.socket:
    """Connect to a host if all that its name stands for is public; the address that was looked at is the one that is used."""
    host, port = address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        if not is_public(ipaddress.ip_address(place[0])):
            raise NoAnswer("private_address", host=host)
    failure: OSError | None = None
    for *_, place in found:
        try:
            return socket.create_connection((str(place[0]), port), timeout, source_address)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{host} has no address")


class _PublicHttpsConnection(HTTPSConnection):
    def connect(self) -> None:
        if not getattr(self, "_tunnel_host", None):  # else this is the way to the environment's proxy
            self._create_connection = _connect_in_public
        super().connect()


class _PublicHttpConnection(HTTPConnection):
    def connect(self) -> None:
        self._create_connection = _connect_in_public
        super().connect()


class _PublicHttps(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_PublicHttpsConnection, req, context=self._context)  # type: ignore[attr-defined]  # the standard library has no type for it


class _PublicHttp(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_PublicHttpConnection, req)


class _SameHost(HTTPRedirectHandler):
    """Follow a redirect only where the key may go: to the same scheme, host and port."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request, or refuse to make it."""
        fp.close()  # else its body is read to the end, however long
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc) or req.data is not None:
            raise NoAnswer("elsewhere", host=after.hostname or "")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read(answer: HTTPResponse | HTTPError, gone: threading.Event) -> bytes:
    found = first_bytes(answer, MOST_BYTES + 1, gone)
    if len(found) > MOST_BYTES:
        raise NoAnswer("too_large", is_final=False, most=f"{MOST_BYTES >> 20} MB")
    return found


def _decoded(body: bytes, status: int = 200) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NoAnswer("status", status=status) if status != 200 else NoAnswer("not_json")
    return found


def _of_status(status: int, retry_after: str) -> NoAnswer:
    if status in (401, 403):
        return NoAnswer("key_refused", status=status)
    if status == 429:
        until = _until(retry_after)
        return NoAnswer("pause", until=until) if until else NoAnswer("too_often")
    return NoAnswer("status", is_final=status not in _OF_THE_INDICATOR, status=status)


def _until(retry_after: str) -> datetime | None:
    """Return when a service wants to be asked again, which it says in seconds or as a date."""
    now = datetime.now(UTC)
    try:
        if retry_after.strip().isdecimal():
            until = now + timedelta(seconds=min(int(retry_after[:9]), _LONGEST_PAUSE.total_seconds()))
        else:
            until = parsedate_to_datetime(retry_after)
            until = until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(until, now), now + _LONGEST_PAUSE)
