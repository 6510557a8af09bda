"""A case → JSON to any address that takes it, signed: X-Socml-Signature is sha256= and the HMAC of the body."""

from __future__ import annotations

import hashlib
import hmac

from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.report import plain_case
from socml.respond.senders import Sender
from socml.respond.settings import RespondSettings, Target

__all__ = ["Webhook"]


class Webhook(Sender):
    """Send the whole case; a key_variable makes a signature of its body that the other side can check."""

    name = "webhook"

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the case."""
        return {"kind": "socml.case", "case": plain_case(case, observables(case, settings))}

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the signature."""
        if not target.key_variable:
            return {}
        digest = hmac.new(target.key().encode(), body, hashlib.sha256).hexdigest()
        return {"X-Socml-Signature": f"sha256={digest}"}
