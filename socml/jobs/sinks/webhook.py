"""Alerts → any HTTP server, as JSON.

The header `Idempotency-Key` holds the batch's id (draft-ietf-httpapi-idempotency-key-header), and each alert its key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence

from pydantic import field_validator

from socml.jobs.alerts import Alert
from socml.jobs.sinks._http import post
from socml.jobs.sinks._sink import Sink, secret_of
from socml.jobs.sinks._socket import checked_address

__all__ = ["Webhook"]


class Webhook(Sink):
    """POST `{"batch": …, "alerts": […]}`; 2xx is delivered.

    Parameters
    ----------
    token_variable : environment variable with a bearer token
    signing_variable : environment variable with a secret; `X-Socml-Signature` is then HMAC-SHA256 of the body, in hex
    """

    url: str
    token_variable: str = ""
    signing_variable: str = ""
    ca_file: str = ""

    _checked = field_validator("url")(lambda url: checked_address(url, ("https", "http")))

    def send(self, alerts: Sequence[Alert], batch_id: str) -> None:
        """Deliver some alerts."""
        payload = {"batch": batch_id, "alerts": [{"key": alert.key, **alert.to_dict()} for alert in alerts]}
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": batch_id}
        if token := secret_of(self.token_variable):
            headers["Authorization"] = f"Bearer {token}"
        if signing := secret_of(self.signing_variable):
            headers["X-Socml-Signature"] = hmac.new(signing.encode(), body, hashlib.sha256).hexdigest()
        post(self.url, body, headers, timeout_s=self.timeout_s, ca_file=self.ca_file, n=len(alerts))
