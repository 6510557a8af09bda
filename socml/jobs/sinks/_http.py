"""A body → an HTTP server, and its answer. TLS is verified, no redirect is followed, and it ends whatever the server does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, OpenerDirector, Request, build_opener

from socml.jobs.sinks._sink import ANSWERS, Undelivered
from socml.project import NoRedirect, first_bytes, first_line, visible_line, within

MOST_BYTES = 8 << 20  # of an answer
NEVER_AS_IT_IS = (400, 413, 415, 422)


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, ca_file: str = "", n: int = 1
) -> bytes:
    """Send a body and return the answer.

    Parameters
    ----------
    ca_file : certificates that are trusted beside the system's
    n : alerts in the body: which are refused if the server says that the body is wrong

    Raises
    ------
    Undelivered
    """
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
        opener = build_opener(NoRedirect, HTTPSHandler(context=context))
        request = Request(url, data=body, headers={"User-Agent": "socml", **headers}, method="POST")  # noqa: S310  http or https: checked with the options
        return within(timeout_s * ANSWERS, lambda gone: _exchanged(opener, request, timeout_s, n, gone))
    except (OSError, HTTPException, ValueError) as error:
        raise Undelivered(visible_line(first_line(error))) from None


def _exchanged(opener: OpenerDirector, request: Request, timeout_s: float, n: int, gone: threading.Event) -> bytes:
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return first_bytes(answer, MOST_BYTES, gone)
    except HTTPError as error:
        with error:
            text = visible_line(first_bytes(error, 300, gone).decode("utf-8", "replace"))
        raise Undelivered(
            f"HTTP {error.code}: {text}", refused=range(n) if error.code in NEVER_AS_IT_IS else ()
        ) from None


def parsed(answer: bytes, what: str) -> Any:
    """Return an answer's JSON.

    Raises
    ------
    Undelivered
        If it is none; `what` says what it should be.
    """
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        raise Undelivered(f"the answer is not that of {what}") from None
