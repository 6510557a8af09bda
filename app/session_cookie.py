"""A session's token → a cookie that no script reads (HttpOnly): set by a route of the app's own server, for a ticket.

A page can set no such cookie, and a script must not see the token. So the page hands the browser a ticket that counts
once and for a minute, and the browser exchanges it at the route.
"""

from __future__ import annotations

import secrets
import threading
import time
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "socml_session"
ROUTE = "/session"
LASTS_S = 60.0
_LONGEST = 200  # bytes of what is read of a request
_TICKETS: dict[str, tuple[str, float]] = {}
_LOCK = threading.Lock()


def ticket_for(token: str) -> str:
    """Return a ticket for a cookie with this token; for one that takes the cookie away, if the token is empty."""
    ticket, until = secrets.token_urlsafe(32), time.monotonic() + LASTS_S
    with _LOCK:
        for old in [one for one, (_, end) in _TICKETS.items() if end < time.monotonic()]:
            del _TICKETS[old]
        _TICKETS[ticket] = (token, until)
    return ticket


def token_of(ticket: str) -> str | None:
    """Return what a ticket is for, once; None if it is none, was used, or is too old."""
    with _LOCK:
        token, until = _TICKETS.pop(ticket, ("", 0.0))
    return token if time.monotonic() < until else None


async def keep(request: Request) -> Response:
    """Answer a ticket with its cookie; a page of another site gets none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            return Response(status_code=413)
    if urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host"):
        return Response(status_code=403)
    token = token_of(body.decode("ascii", "replace"))
    if token is None:
        return Response(status_code=403)
    response = Response(status_code=204)
    is_https = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    if token:
        response.set_cookie(COOKIE, token, path="/", httponly=True, samesite="strict", secure=is_https)
    else:
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=is_https)
    return response
