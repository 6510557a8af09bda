"""A language → the component's sentences, and the reasons and families an analyst can choose."""

from __future__ import annotations

from labelling.exchange import Choices
from socml.labels import VERDICTS
from socml.project import Words

REASONS = ("attack", "policy", "planned", "service", "scanner", "new_use", "model", "data")
FAMILIES = {
    "scan": "T1046",
    "brute_force": "T1110",
    "password_spraying": "T1110.003",
    "beaconing": "T1071",
    "dns_tunnel": "T1071.004",
    "exfiltration": "T1048",
    "lateral_movement": "T1021",
    "denial_of_service": "T1498",
    "other": "",
}
"""Behaviours with their ATT&CK technique, where one fits the whole family."""

_PREFIX = "app.triage."


def sentences(say: Words) -> dict[str, str]:
    """Return the component's part of the catalogue, without its prefix, and the names of the verdicts."""
    own = {key.removeprefix(_PREFIX): text for key, text in say.catalogue.items() if key.startswith(_PREFIX)}
    return own | {f"verdict.{verdict}": say(f"verdict.{verdict}") for verdict in VERDICTS}


def choices(say: Words) -> Choices:
    """Return reasons and families with the words that stand for them."""
    return {
        "reasons": [{"value": name, "text": say(f"app.reason.{name}")} for name in REASONS],
        "families": [
            {"value": name, "text": say(f"app.family.{name}") + (f" ({technique})" if technique else "")}
            for name, technique in FAMILIES.items()
        ],
    }
