"""A case → a finding a host of PatrowlManager: POST /findings/api/v1/add."""

from __future__ import annotations

import hashlib

from socml.project import visible_line
from socml.respond.cases import Case
from socml.respond.report import short_text
from socml.respond.senders import Sender
from socml.respond.settings import RespondSettings, Target

__all__ = ["PatrowlFinding"]

_SEVERITY = {1: "low", 2: "medium", 3: "high", 4: "critical"}


class PatrowlFinding(Sender):
    """Send one finding on the case's first entity; its hash is of asset and title, so sending twice makes one."""

    name = "patrowl-finding"
    path = "/findings/api/v1/add"

    def headers(self, target: Target, body: bytes) -> dict[str, str]:
        """Return the key as Django's token has it."""
        return {"Authorization": f"Token {target.key()}"}

    def body(self, case: Case, settings: RespondSettings) -> dict[str, object]:
        """Return the finding."""
        asset = visible_line(case.entities[0]) if case.entities else "socml"
        title = visible_line(f"{case.id}: {case.title}")
        return {
            "asset_name": asset,
            "title": title,
            "type": "socml_case",
            "hash": hashlib.sha1((asset + title).encode(), usedforsecurity=False).hexdigest(),
            "confidence": "firm",
            "severity": _SEVERITY[case.severity],
            "description": short_text(case) or title,
            "solution": "",
            "tags": ["socml", *case.techniques],
            "status": "new",
            "engine_type": "socml",
            "found_at": case.opened.isoformat(),
        }
