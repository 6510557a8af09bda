"""A case → an event of Splunk's HTTP Event Collector: POST /services/collector/event."""

from __future__ import annotations

from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import plain_case
from socml.respond.senders import Sender
from socml.respond.settings import RespondSettings, Target

__all__ = ["Splunk"]


class Splunk(Sender):
    """Send the case back beside the logs; an index of Splunk keeps what it has, so this cannot be taken back."""

    name = "splunk"
    path = "/services/collector/event"

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the collector's token."""
        return {"Authorization": f"Splunk {target.key()}"}

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the event."""
        target = settings.target(self.name)
        index = {"index": target.option("index")} if target.option("index") else {}
        event = plain_case(case, observables(case, settings))
        return {"time": case.opened.timestamp(), "source": "socml", "sourcetype": "socml:case", **index, "event": event}
