"""Alerts → Splunk's HTTP Event Collector.

https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
Splunk keeps what it is sent twice twice: search with `dedup key`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from pydantic import field_validator

from socml.jobs.alerts import Alert
from socml.jobs.sinks._http import parsed, post
from socml.jobs.sinks._sink import Sink, Undelivered, secret_of
from socml.jobs.sinks._socket import checked_address
from socml.project import visible_line

__all__ = ["SplunkHec"]


class SplunkHec(Sink):
    """Send an event an alert to `/services/collector/event`.

    Parameters
    ----------
    token_variable : environment variable with the collector's token
    """

    url: str
    token_variable: str
    index: str = ""
    sourcetype: str = "socml:alert"
    ca_file: str = ""

    _checked = field_validator("url")(lambda url: checked_address(url, ("https", "http")))

    def send(self, alerts: Sequence[Alert], batch_id: str) -> None:
        """Deliver some alerts."""
        about = {"source": "socml", "sourcetype": self.sourcetype, **({"index": self.index} if self.index else {})}
        events = [{**about, "time": alert.seconds, "event": {"key": alert.key, **alert.to_dict()}} for alert in alerts]
        body = b"\n".join(json.dumps(event, ensure_ascii=False).encode() for event in events)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Splunk {secret_of(self.token_variable)}",
            "X-Splunk-Request-Channel": str(uuid.uuid5(uuid.NAMESPACE_OID, batch_id)),
        }
        url = self.url.rstrip("/") + "/services/collector/event"
        answer = post(url, body, headers, timeout_s=self.timeout_s, ca_file=self.ca_file, n=len(alerts))
        try:
            code = parsed(answer, "an event collector")["code"]
        except (KeyError, TypeError):
            raise Undelivered("the answer is not that of an event collector") from None
        if code != 0:
            raise Undelivered(visible_line(answer.decode("utf-8", "replace"))[:300])
