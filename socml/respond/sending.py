"""A request that was shown → the answer of another system: bounded in time and size, never redirected, TLS verified."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from socml.project import DataError, TryLater, visible_line

WAIT_S = 15
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body as JSON, or as text under the key `text`."""

    status: int
    body: dict[str, object]


class _Stay(HTTPRedirectHandler):
    """A target that sends elsewhere is not followed: what was shown is where it goes."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def send(
    url: str, body: bytes | None, *, headers: dict[str, str], method: str = "POST", accept: tuple[int, ...] = ()
) -> Answer:
    """Send one request and return the answer.

    Parameters
    ----------
    accept : statuses beside 200 to 299 that are an answer too

    Raises
    ------
    TryLater
        If the other side is away or busy (no connection, 429, 5xx).
    DataError
        If it refuses; its own words are in the message.
    """
    request = Request(url, data=body, method=method, headers={"User-Agent": "socml", **headers})  # noqa: S310  checked by the settings
    opener = build_opener(_Stay, ProxyHandler({}))
    host = request.host
    try:
        with opener.open(request, timeout=WAIT_S) as answer:
            return Answer(int(answer.status), _body(answer.read(MOST_BYTES)))
    except HTTPError as error:
        answer_text = _body(error.read(4_000))
        if error.code in accept:
            return Answer(error.code, answer_text)
        if error.code == 429 or error.code >= 500:
            raise TryLater(f"{host} is busy: it answered {error.code}.") from None
        raise DataError(f"{host} refused with {error.code}: {visible_line(json.dumps(answer_text))[:300]}") from None
    except (URLError, HTTPException, OSError) as error:
        raise TryLater(f"{host} does not answer: {visible_line(getattr(error, 'reason', error))}") from None


def _body(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {"text": data[:4_000].decode("utf-8", "replace")}
    return found if isinstance(found, dict) else {"value": found}
