"""A case → a STIX 2.1 bundle: https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html."""

from __future__ import annotations

import ipaddress
import json
import uuid
from datetime import UTC, datetime
from typing import TypeAlias

from socml.project import visible_line
from socml.respond.cases import Case
from socml.respond.guard import Observables, observables
from socml.respond.report import short_text
from socml.respond.responder import Draft, FileResponder
from socml.respond.settings import RespondSettings

__all__ = ["StixBundle"]

_SPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # of the standard, section 2.9: ids of observables
_OWN = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
# The marking definitions that the standard fixes, section 7.2.1.4; what TLP 2.0 adds has the nearest of them.
_TLP = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "amber+strict": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}


StixObject: TypeAlias = dict[str, object]  # as STIX 2.1 names its keys


class StixBundle(FileResponder):
    """Write a report object, what was observed, an indicator for each public address and domain, and techniques."""

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        """Return the bundle; the same case gives the same bytes."""
        found = observables(case, settings)
        objects = _objects(case, found)
        bundle = {"type": "bundle", "id": f"bundle--{_own(case, 'bundle')}", "objects": objects}
        text = json.dumps(bundle, indent=1, ensure_ascii=False)
        return Draft("file", files={f"{case.id}.stix.json": text + "\n"}, held=found.held, undo="removed")


def _objects(case: Case, found: Observables) -> list[StixObject]:
    """Return who says it, what was observed, an indicator for each pattern, the techniques, and the report about them."""
    opened = _time(case.opened)
    common: StixObject = {
        "spec_version": "2.1", "created": opened, "modified": _time(case.changed), "object_marking_refs": [_TLP[case.tlp]],
    }  # fmt: skip
    identity: StixObject = {
        "type": "identity", "id": f"identity--{uuid.uuid5(_OWN, 'socml')}", "spec_version": "2.1", "created": opened,
        "modified": opened, "name": "socml", "identity_class": "system",
    }  # fmt: skip
    seen = [_address(one) for one in found.addresses] + [_domain(one) for one in found.domains]
    by_us = {**common, "created_by_ref": identity["id"]}
    indicators = [_indicator(case, name, pattern, by_us) for name, pattern in _patterns(found)]
    about = [*seen, *indicators, *(_technique(case, technique, common) for technique in case.techniques)]
    report: StixObject = {
        "type": "report",
        "id": f"report--{_own(case, 'report')}",
        **by_us,
        "name": visible_line(f"{case.id}: {case.title}"),
        "description": short_text(case),
        "report_types": ["incident"],
        "published": opened,
        "object_refs": [one["id"] for one in about] or [identity["id"]],
    }
    return [identity, *about, report]


def _indicator(case: Case, name: str, pattern: str, by_us: StixObject) -> StixObject:
    return {
        "type": "indicator",
        "id": f"indicator--{_own(case, pattern)}",
        **by_us,
        "name": visible_line(name),
        "indicator_types": ["anomalous-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": _time(case.opened),
    }


def _technique(case: Case, technique: str, common: StixObject) -> StixObject:
    return {
        "type": "attack-pattern",
        "id": f"attack-pattern--{_own(case, technique)}",
        **common,
        "name": technique,
        "external_references": [{"source_name": "mitre-attack", "external_id": technique}],
    }


def _patterns(found: Observables) -> list[tuple[str, str]]:
    """Return name and pattern; the values are addresses and checked names, which need no quoting."""
    addresses = [(str(one), f"[ipv{one.version}-addr:value = '{one}']") for one in found.blockable]
    return addresses + [(name, f"[domain-name:value = '{name}']") for name in found.blockable_domains]


def _address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> dict[str, object]:
    kind = f"ipv{address.version}-addr"
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{_observable(str(address))}", "value": str(address)}


def _domain(name: str) -> dict[str, object]:
    return {"type": "domain-name", "spec_version": "2.1", "id": f"domain-name--{_observable(name)}", "value": name}


def _observable(value: str) -> uuid.UUID:
    """Return the deterministic id that the standard asks for: of the contributing property alone."""
    return uuid.uuid5(_SPACE, json.dumps({"value": value}, separators=(",", ":")))


def _own(case: Case, what: str) -> uuid.UUID:
    return uuid.uuid5(_OWN, f"socml/{case.id}/{case.opened.isoformat()}/{what}")


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
