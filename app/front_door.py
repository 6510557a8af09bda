"""A request → the app, unless it is an upload of nobody who is signed in; and an answer → one that no other site's page frames.

Streamlit draws nothing for who is not signed in, but keeps in memory whatever is uploaded to a page that is open, the
sign-in's too. In a frame of another site, a click that is meant for that site would be one in the app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from people import may_enter
from session_cookie import COOKIE
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response

from socml.project import SocmlError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UPLOAD = "/_stcore/upload_file/"
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
}


class FrontDoor:
    """Stands before all routes of the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        uploads = _UPLOAD in scope["path"] and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if uploads and not await run_in_threadpool(_may_enter, HTTPConnection(scope)):
            await Response("Sign in first.", status_code=403)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _may_enter(asking: HTTPConnection) -> bool:
    address = asking.client.host if asking.client else None
    try:
        return may_enter(asking.cookies.get(COOKIE, ""), asking.headers, address)
    except SocmlError:  # the store is away: the page says so
        return False
