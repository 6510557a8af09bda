"""A case → a document of Elasticsearch or OpenSearch in the words of the Elastic Common Schema: PUT /INDEX/_doc/ID."""

from __future__ import annotations

import re

from socml.project import ConfigurationError, Project, visible_line
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import plain_case, short_text
from socml.respond.responder import Draft
from socml.respond.senders import Sender, part
from socml.respond.settings import RespondSettings, Target

__all__ = ["Elastic"]

_INDEX = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")


class Elastic(Sender):
    """Index the case back beside the logs; its id is the case's, so sending again replaces it."""

    name = "elastic"
    undo_key = "deleted"

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the key as an API key of Elasticsearch."""
        return {"Authorization": f"ApiKey {target.key()}"}

    def path_of(self, target: Target) -> str:
        """Return the path of the index."""
        index = target.option("index", "socml-cases")
        if not _INDEX.fullmatch(index):
            raise ConfigurationError("respond.toml: [elastic]: index is a name in lower case.")
        return f"/{index}/_doc"

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the document."""
        found = observables(case, settings)
        return {
            "@timestamp": case.opened.isoformat(),
            "event": {"kind": "alert", "category": ["threat"], "dataset": "socml.case", "severity": 25 * case.severity},
            "message": visible_line(case.title),
            "related": {"ip": [str(one) for one in found.addresses], "hosts": [visible_line(h) for h in found.hosts]},
            "threat": {"technique": {"id": list(case.techniques)}},
            "rule": {"description": short_text(case)},
            "socml": {"case": plain_case(case, found)},
        }

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Index the document under the case's id."""
        self.call(f"{draft.target}/{part(_id(case))}", draft.body, settings, "PUT")
        return _id(case)

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Delete the document."""
        target = settings.target(self.name)
        self.call(f"{target.url}{self.path_of(target)}/{part(reference)}", "", settings, "DELETE", accept=(404,))
        return reference


def _id(case: Case) -> str:
    return f"socml-{case.id}-{case.opened:%Y%m%d%H%M%S}"
