"""A case → an incident of IBM QRadar SOAR (Resilient): https://www.ibm.com/docs/en/qradar-soar (REST API, incidents)."""

from __future__ import annotations

import base64

from socml.project import ConfigurationError, Project, html_text, visible_line
from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import short_text
from socml.respond.senders import Sender, part
from socml.respond.settings import RespondSettings, Target

__all__ = ["SoarIncident"]

_SEVERITY = {1: "Low", 2: "Medium", 3: "High", 4: "High"}


class SoarIncident(Sender):
    """Create an incident with artifacts. The key is `id:secret` of an API key; `organisation` its organisation's number."""

    name = "soar-incident"
    undo_key = "closed"

    def path_of(self, target: Target) -> str:
        """Return the path of the organisation's incidents."""
        organisation = target.option("organisation")
        if not organisation.isdigit():
            raise ConfigurationError("respond.toml: [soar-incident]: organisation is the number of your organisation.")
        return f"/rest/orgs/{organisation}/incidents"

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the key as HTTP basic authentication has it."""
        return {"Authorization": f"Basic {base64.b64encode(target.key().encode()).decode()}"}

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the incident; its description is HTML there, so text is escaped."""
        found = observables(case, settings)
        artifacts = [("IP Address", str(one)) for one in found.addresses] + [("DNS Name", one) for one in found.domains]
        artifacts += [("System Name", visible_line(one)) for one in found.hosts]
        content = "<br>".join(html_text(line) for line in short_text(case).splitlines())
        return {
            "name": visible_line(f"{case.id}: {case.title}"),
            "description": {"format": "html", "content": content},
            "discovered_date": int(case.opened.timestamp() * 1000),
            "severity_code": {"name": _SEVERITY[case.severity]},
            "artifacts": [
                {"type": {"name": kind}, "value": value, "description": "socml"} for kind, value in artifacts
            ],
        }

    def undo(self, reference: str, case: Case, settings: RespondSettings, project: Project) -> str:
        """Delete the incident there."""
        target = settings.target(self.name)
        self.call(f"{target.url}{self.path_of(target)}/{part(reference)}", "", settings, "DELETE", accept=(404,))
        return reference

    def state(self, reference: str, settings: RespondSettings) -> str:
        """Return the verdict of an incident that is closed there."""
        target = settings.target(self.name)
        answer = self.call(f"{target.url}{self.path_of(target)}/{part(reference)}", "", settings, "GET")
        if answer.body.get("plan_status") != "C":
            return ""
        resolution = answer.body.get("resolution_id")
        name = str(resolution.get("name")) if isinstance(resolution, dict) else str(resolution)
        return {"Resolved": "malicious", "Not an Issue": "false_alarm", "Unresolved": "unsure"}.get(name, "")
