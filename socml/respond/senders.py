"""What responders that send have in common: JSON to an address with a key, and no undo or state where there is none.

A request is bounded in time and size, never redirected, and TLS is verified.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from socml.project import DataError, NoRedirect, Project, Sentence, TryLater, first_bytes, visible_line, within
from socml.respond.cases import Case
from socml.respond.responder import Draft
from socml.respond.settings import RespondSettings, Target

WAIT_S = 15  # for one answer
MOST_S = 4 * WAIT_S  # for all of an exchange
MOST_BYTES = 1 << 20


class MayHaveLeft(TryLater):
    """What was sent was not answered: it may have been taken, so that sending it again may make two of it."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body as JSON, or as text under the key `text`."""

    status: int
    body: dict[str, object]


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
        If the other side is away or busy (no connection, 429, 503).
    MayHaveLeft
        If it does not answer, or with another 5xx: nobody knows what it did.
    DataError
        If it refuses; its own words are in the message.
    """
    request = Request(url, data=body, method=method, headers={"User-Agent": "socml", **headers})  # noqa: S310  checked by the settings
    host = request.host
    try:
        answer = within(MOST_S, lambda gone: _exchanged(request, gone))
    except (URLError, InvalidURL, ValueError) as error:
        raise TryLater(
            Sentence("error.respond.away", host=host, why=visible_line(getattr(error, "reason", error)))
        ) from None
    except (HTTPException, OSError) as error:
        raise MayHaveLeft(Sentence("error.respond.unanswered", host=host, why=visible_line(error))) from None
    if 200 <= answer.status < 300 or answer.status in accept:
        return answer
    if answer.status in {429, 503}:
        raise TryLater(Sentence("error.respond.busy", host=host, status=answer.status))
    if answer.status >= 500:
        raise MayHaveLeft(Sentence("error.respond.failed", host=host, status=answer.status))
    said = visible_line(json.dumps(answer.body)[:4_000])[:300]
    raise DataError(Sentence("error.respond.refused", host=host, status=answer.status, said=said))


def _exchanged(request: Request, gone: threading.Event) -> Answer:
    try:
        found = build_opener(NoRedirect, ProxyHandler({})).open(request, timeout=WAIT_S)
    except HTTPError as error:
        found = error
    with found:
        return Answer(int(found.status), _body(first_bytes(found, MOST_BYTES, gone)))


def _body(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {"text": data[:4_000].decode("utf-8", "replace")}
    return found if isinstance(found, dict) else {"value": found}


class Sender:
    """A responder whose draft is one JSON body, sent to `path` of its target."""

    sends = True
    blocks = False
    name = ""  # of its section in respond.toml
    path = ""
    undo_key = ""  # of the sentence that says how it is taken back

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return what is sent."""
        raise NotImplementedError

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the headers that carry the key."""
        return {"Authorization": f"Bearer {target.key()}"}

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the request's body as it will be sent."""
        target = settings.target(self.name)
        text = json.dumps(self.body(case, settings), indent=1, ensure_ascii=False)
        return Draft(f"{target.url}{self.path_of(target)}", body=text, undo=self.undo_key)

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Send it, and return the id that the other side gave."""
        return self.reference(self.call(draft.target, draft.body, settings))

    def call(
        self, url: str, body: str, settings: RespondSettings, method: str = "POST", accept: tuple[int, ...] = ()
    ) -> Answer:
        """Send one request with the target's key."""
        data = body.encode() if body else None
        target = settings.target(self.name)
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            **self.headers(target, data or b""),
        }
        return send(url, data, headers=headers, method=method, accept=accept)

    def path_of(self, target: Target) -> str:
        """Return the path below the target's address."""
        return self.path

    def reference(self, answer: Answer) -> str:
        """Return what the other side calls it."""
        return str(answer.body.get("id") or answer.body.get("_id") or answer.status)

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Say that it cannot be taken back."""
        raise DataError(Sentence("error.respond.stays", responder=self.name, reference=reference))

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return nothing: the other side is not asked."""
        return ""


def part(reference: str) -> str:
    """Return a reference fit to be one part of a path."""
    return quote(reference, safe="")
