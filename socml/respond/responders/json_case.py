"""A case → JSON."""

from __future__ import annotations

import json

from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import plain_case
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["JsonCase"]


class JsonCase(FileResponder):
    """Write the whole case for another program."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the JSON."""
        text = json.dumps(plain_case(case, observables(case, settings)), indent=1, ensure_ascii=False)
        return Draft("file", files={f"{case.id}.json": text + "\n"}, undo="removed")
