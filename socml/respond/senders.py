"""What responders that send have in common: JSON to an address with a key, and no undo or state where there is none."""

from __future__ import annotations

import json
from urllib.parse import quote

from socml.project import DataError, Project, Sentence
from socml.respond.cases import Case
from socml.respond.responder import Draft
from socml.respond.sending import Answer, send
from socml.respond.settings import RespondSettings, Target


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
