"""A body → an HTTP server, and its answer. TLS is verified, and no redirect is followed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from socml.jobs.sinks._sink import Undelivered
from socml.project import first_line, visible_line

__all__ = ["post"]

MOST_BYTES = 8 << 20  # of an answer
_NEVER_AS_IT_IS = (400, 413, 415, 422)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Follow nothing: alerts go where the configuration says, and nowhere else."""
        return None


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
        opener = build_opener(_NoRedirect, HTTPSHandler(context=context))
        request = Request(url, data=body, headers={"User-Agent": "socml", **headers}, method="POST")  # noqa: S310  http or https: checked with the options
        with opener.open(request, timeout=timeout_s) as answer:
            return bytes(answer.read(MOST_BYTES))
    except HTTPError as error:
        text = visible_line(error.read(300).decode("utf-8", "replace"))
        refused = range(n) if error.code in _NEVER_AS_IT_IS else ()
        raise Undelivered(f"HTTP {error.code}: {text}", refused=tuple(refused)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise Undelivered(visible_line(first_line(error))) from None
