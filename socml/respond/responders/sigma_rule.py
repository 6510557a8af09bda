"""A case → a Sigma rule over its public addresses and domains: https://sigmahq.io/docs/basics/rules.html."""

from __future__ import annotations

import json
import uuid

from socml.respond.cases import Case
from socml.respond.guard import observables
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["SigmaRule"]

_OWN = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_LEVELS = {1: "low", 2: "medium", 3: "high", 4: "critical"}


class SigmaRule(FileResponder):
    """Write one rule: connections to the addresses, look-ups of the domains. Text stands in it as JSON strings alone."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return a rule for each log source; JSON strings are YAML strings too, so nothing can end one."""
        found = observables(case, settings)
        kinds = (
            ("network_connection", "DestinationIp", [str(one) for one in found.blockable]),
            ("dns_query", "QueryName|endswith", list(found.blockable_domains)),
        )
        rules = [_rule(case, source, field, values) for source, field, values in kinds if values]
        files = {f"{case.id}.sigma.yml": "---\n".join(rules)}
        return Draft("file", files=files, held=found.held, undo="removed")


def _rule(case: Case, source: str, field: str, values: list[str]) -> str:
    tags = [f"    - attack.{technique.lower()}" for technique in case.techniques]
    lines = [
        f"title: {json.dumps(f'socml case {case.id}, {source}')}",
        f"id: {uuid.uuid5(_OWN, f'sigma/{source}/{case.id}/{case.opened.isoformat()}')}",
        "status: experimental",
        "description: Made from what analysts called malicious",
        "author: socml",
        f"date: {case.opened:%Y-%m-%d}",
        *(["tags:", *tags] if tags else []),
        "logsource:",
        f"    category: {source}",
        "detection:",
        "    selection:",
        f"        {field}:",
        *(f"            - {json.dumps(value)}" for value in values),
        "    condition: selection",
        "falsepositives:",
        "    - unknown",
        f"level: {_LEVELS[case.severity]}",
    ]
    return "\n".join(lines) + "\n"
