"""A case → an alert of TheHive 5, promoted to a case: https://docs.strangebee.com/thehive/api-docs/."""

from __future__ import annotations

import json

from socml.project import DataError, Project, visible_line
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import markdown
from socml.respond.responder import Draft
from socml.respond.senders import Answer, Sender, part
from socml.respond.settings import RespondSettings

__all__ = ["TheHive"]

_TLP = {"clear": 0, "green": 1, "amber": 2, "amber+strict": 3, "red": 4}  # of TheHive 5.3 and later
VERDICTS = {"TruePositive": "malicious", "FalsePositive": "false_alarm", "Indeterminate": "unsure", "Other": "benign"}


class TheHive(Sender):
    """Send an alert with observables and promote it to a case; what it turns out to be there comes back."""

    name = "the-hive"
    path = "/api/v1/alert"
    undo_key = "deleted"

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the alert: `sourceRef` is the case, so that sending twice makes one."""
        found = observables(case, settings)
        seen = [("ip", str(one)) for one in found.addresses] + [("domain", one) for one in found.domains]
        seen += [("hostname", visible_line(one)) for one in found.hosts]
        blockable = {str(one) for one in found.blockable} | set(found.blockable_domains)
        return {
            "type": "socml",
            "source": "socml",
            "sourceRef": f"socml-{case.id}-{case.opened:%Y%m%d%H%M%S}",
            "title": visible_line(f"{case.id}: {case.title}"),
            "description": markdown(case, found, settings.language),  # shown as Markdown there
            "severity": case.severity,
            "date": int(case.opened.timestamp() * 1000),
            "tags": ["socml", *case.techniques],
            "tlp": _TLP[case.tlp],
            "pap": 2,
            "observables": [{"dataType": kind, "data": value, "ioc": value in blockable} for kind, value in seen],
        }

    def apply(self, draft: Draft, case: Case, settings: RespondSettings, project: Project) -> str:
        """Send the alert and promote it; return the ids of both. An alert that is there already is the same one."""
        url = settings.target(self.name).url
        answer = self.call(draft.target, draft.body, settings, accept=(400,))
        alert = self.reference(answer) if answer.status < 400 else self._there(answer, draft, url, settings)
        made = self.call(f"{url}{self.path}/{part(alert)}/case", "{}", settings)
        return f"{alert} {self.reference(made)}"

    def _there(self, answer: Answer, draft: Draft, url: str, settings: RespondSettings) -> str:
        """Return the id of the alert that has this `sourceRef` already.

        Raises
        ------
        DataError
            If it was refused for another reason.
        """
        if "exist" not in json.dumps(answer.body).lower():
            raise DataError(f"TheHive refused with {answer.status}: {visible_line(json.dumps(answer.body))[:300]}")
        wanted = {"_field": "sourceRef", "_value": json.loads(draft.body)["sourceRef"]}
        query = {"query": [{"_name": "listAlert"}, {"_name": "filter", "_eq": wanted}]}
        found = self.call(f"{url}/api/v1/query", json.dumps(query), settings).body.get("value")
        if not isinstance(found, list) or not found:
            raise DataError("TheHive says that the alert is there already, and does not find it.")
        return str(found[0].get("_id") or found[0].get("id"))

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Delete the case there, then the alert."""
        url = settings.target(self.name).url
        alert, _, made = reference.partition(" ")
        if made:
            self.call(f"{url}/api/v1/case/{part(made)}", "", settings, "DELETE", accept=(404,))
        self.call(f"{url}{self.path}/{part(alert)}", "", settings, "DELETE", accept=(404,))
        return reference

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return the verdict that the case has there; empty while it is open."""
        made = reference.partition(" ")[2]
        answer = self.call(f"{settings.target(self.name).url}/api/v1/case/{part(made)}", "", settings, "GET")
        return VERDICTS.get(str(answer.body.get("status")), "")
