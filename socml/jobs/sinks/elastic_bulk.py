"""Alerts → Elasticsearch or OpenSearch, by `_bulk`, in Elastic Common Schema.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
`create` with the alert's key as `_id`: one that is there already answers 409, and is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import field_validator

from socml.jobs.alerts import Alert
from socml.jobs.sinks._http import NEVER_AS_IT_IS, parsed, post
from socml.jobs.sinks._sink import Sink, Undelivered, secret_of
from socml.jobs.sinks._socket import checked_address
from socml.project import visible_line

__all__ = ["ElasticBulk"]

_THERE = (200, 201, 409)


class ElasticBulk(Sink):
    """Create a document an alert.

    Parameters
    ----------
    url : of the cluster, without `/_bulk`
    index : index or data stream
    key_variable : environment variable with an API key, as Elastic encodes it
    """

    url: str
    index: str = "socml-alerts"
    key_variable: str = ""
    ca_file: str = ""

    _checked = field_validator("url")(lambda url: checked_address(url, ("https", "http")))

    def send(self, alerts: Sequence[Alert], batch_id: str) -> None:
        """Deliver some alerts."""
        lines: list[object] = []
        for alert in alerts:
            lines += [{"create": {"_index": self.index, "_id": alert.key}}, _document(alert)]
        body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson", "X-Opaque-Id": batch_id}
        if key := secret_of(self.key_variable):
            headers["Authorization"] = f"ApiKey {key}"
        url = self.url.rstrip("/") + "/_bulk"
        answer = post(url, body, headers, timeout_s=self.timeout_s, ca_file=self.ca_file, n=len(alerts))
        _check(answer, len(alerts))


def _check(answer: bytes, n: int) -> None:
    try:
        items = [next(iter(item.values())) for item in parsed(answer, "_bulk")["items"]]
        states = [item["status"] for item in items]
    except (KeyError, TypeError, AttributeError, StopIteration):
        raise Undelivered("the answer is not that of _bulk") from None
    if len(states) != n:
        raise Undelivered(f"{len(states)} answers to {n} alerts")
    wrong = [i for i, state in enumerate(states) if state not in _THERE]
    if wrong:
        why = visible_line(str(items[wrong[0]].get("error", states[wrong[0]])))[:300]
        raise Undelivered(why, refused=wrong if all(states[i] in NEVER_AS_IT_IS for i in wrong) else ())


def _document(alert: Alert) -> dict[str, object]:
    return {
        "@timestamp": f"{alert.day}T00:00:00Z",
        "event": {
            "kind": "alert",
            "module": "socml",
            "dataset": alert.dataset,
            "id": alert.key,
            "severity": alert.severity,
            "risk_score": alert.score,
            "reason": alert.headline(),
            "url": alert.link or None,
        },
        "rule": {"name": alert.family, "version": alert.model_version},
        "message": alert.headline(),
        "related": {"hosts": [alert.entity]},
        "socml": alert.to_dict(),
    }
