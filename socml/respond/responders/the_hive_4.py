"""A case → an alert of TheHive 4 (and 3), promoted to a case: https://github.com/TheHive-Project/TheHiveDocs."""

from __future__ import annotations

from typing import cast

from socml.project import Project
from socml.respond.cases import Case
from socml.respond.responder import Draft
from socml.respond.responders.the_hive import VERDICTS, TheHive
from socml.respond.senders import part
from socml.respond.settings import RespondSettings

__all__ = ["TheHive4"]


class TheHive4(TheHive):
    """Send to the older interface: `artifacts` instead of observables, TLP up to 3, `createCase` to promote."""

    name = "the-hive-4"
    path = "/api/alert"

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the alert."""
        body = super().body(case, settings)
        artifacts = [
            {"dataType": one["dataType"], "data": one["data"], "ioc": one["ioc"], "message": "socml"}
            for one in cast("list[dict[str, object]]", body.pop("observables"))
        ]
        return body | {"artifacts": artifacts, "tlp": min(3, cast("int", body["tlp"]))}

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Send the alert and promote it; return the ids of both."""
        url = settings.target(self.name).url
        alert = self.reference(self.call(draft.target, draft.body, settings))
        made = self.call(f"{url}{self.path}/{part(alert)}/createCase", "{}", settings)
        return f"{alert} {self.reference(made)}"

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Delete the case there, then the alert."""
        url = settings.target(self.name).url
        alert, _, made = reference.partition(" ")
        self.call(f"{url}/api/case/{part(made)}/force", "", settings, "DELETE", accept=(404,))
        self.call(f"{url}{self.path}/{part(alert)}", "", settings, "DELETE", accept=(404,))
        return reference

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return the verdict of a case that is resolved there."""
        made = reference.partition(" ")[2]
        answer = self.call(f"{settings.target(self.name).url}/api/case/{part(made)}", "", settings, "GET")
        return VERDICTS.get(str(answer.body.get("resolutionStatus")), "")
