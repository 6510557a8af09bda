"""Test events of Panther's detection rules, one a line → events as their own log type has them.

`{"log_type", "rule_id", "severity", "test", "expected_alert", "event"}`: the inner event is read by the reader of its
log type; types without a reader keep all their fields in `extra`. `expected_alert` says that a rule should fire, not
that somebody did harm: `malicious` is null, and the family is the rule, where it should fire. So that the label cannot
leak, it is not in `extra`, and neither is the test's name. Times that were redacted are null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from socml.formats._cloud import azure, moment, where_from
from socml.formats._envelope import first_objects, members
from socml.formats._field_names import flat_fields
from socml.formats._fields import Fields
from socml.formats._guess import guessed_row
from socml.formats._json import extra_of, flatten, loads_exactly
from socml.formats._maps import FormatMap, load_map, shipped_map
from socml.formats._ocsf import ocsf_event
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import Clock

__all__ = ["PantherTests"]

_TIMES = ("timestamp", "time", "query_timestamp", "requestReceivedTimestamp", "createdAt", "CreatedAt", "p_event_time")
_IPS = ("srcAddr", "srcaddr", "remoteip", "httpRequest.clientIp", "src_endpoint.ip", "sourceIPs")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "event_action": ("operation", "action", "verb", "type", "Action.ActionType"),
    "user_name": ("user.username", "requester", "identity.arn", "sender.login", "pusher.name"),
    "user_agent_original": ("userAgent", "useragent"),
    "destination_ip": ("dstAddr", "dst_endpoint.ip"),
    "destination_port": ("dstPort", "dst_endpoint.port"),
    "source_port": ("srcPort", "srcport"),
    "dns_question_name": "query_name",
    "dns_question_type": "query_type",
    "dns_response_code": "rcode",
    "http_request_method": "httpRequest.httpMethod",
    "url_original": ("httpRequest.uri", "requestURI", "requesturi"),
    "http_response_status_code": ("httpstatus", "responseStatus.code"),
    "rule_name": ("title", "Title"),
    "message": ("description", "Description"),
}

_MAPS = {
    "AWS.CloudTrail": "cloud/cloudtrail",
    "Okta.SystemLog": "cloud/okta",
    "GSuite.ActivityEvent": "cloud/gsuite",
    "GitHub.Audit": "cloud/github-audit",
}
_REDACTED = re.compile(r"\d{4}-\d\d-\d\d 00:00:0{3,12}")
_NO_CLOCK = Clock(None, 2000, None)


class PantherTests:
    """Labelled test events extracted from Panther's rules."""

    name = "panther-tests"
    about = "labelled test events of Panther's detection rules: CloudTrail, Okta, Azure, Google, GitHub and others"
    specification = "https://docs.panther.com/detections/testing"
    examples = (
        '{"log_type":"Okta.SystemLog","rule_id":"Okta.Login","severity":"High","test":"Login","expected_alert":true,'
        '"event":{"eventType":"user.session.start","actor":{"alternateId":"ann"},"outcome":{"result":"FAILURE"}}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with a log type, a rule and what is expected of it."""
        found = first_objects(head)
        fit = sum({"log_type", "rule_id", "expected_alert", "event"} <= one.keys() for one in found)
        return 0.99 * fit / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, with the rule as their family where it should fire."""
        return batches(members(source), _event)


def _event(record: bytes) -> dict[str, object]:
    found = loads_exactly(record)
    inner, kind = found.get("event"), str(found.get("log_type"))
    if not isinstance(inner, dict):
        raise ValueError(f"the event is a {type(inner).__name__}, not an object")
    row = _columns(kind, {name: value for name, value in inner.items() if not _is_redacted_time(name, value)})
    row["extra"] = {**extra_of(row), "log_type": kind}
    row["malicious"] = None
    row["family"] = str(found.get("rule_id")) if found.get("expected_alert") is True else None
    return row


def _is_redacted_time(name: str, value: object) -> bool:
    """Return whether a time says "redacted" or "…", or all its clock is zeros; what does not read otherwise is for quarantine."""
    if not isinstance(value, str) or name not in (*_TIMES, "eventTime", "published", "created_at"):
        return False
    return not any(c.isdecimal() for c in value) or _REDACTED.fullmatch(value) is not None


def _columns(kind: str, inner: dict[str, object]) -> dict[str, object]:
    """Return the columns of an event by the reader of its log type; what stays empty is filled by its fields' common names."""
    flat = flatten(inner)
    if kind.startswith("Azure."):
        return azure(flat)
    if kind in _MAPS:
        return shipped_map(_MAPS[kind]).row_of(inner, _NO_CLOCK)
    if "class_uid" in flat:
        return ocsf_event(flat)
    fields = flat_fields(inner)
    row = next((one.row(fields, _NO_CLOCK) for one in _maps() if one.is_of(set(fields))), None) or _other(flat)
    guessed = guessed_row(fields, _NO_CLOCK)[0]
    return {**row, **{name: value for name, value in guessed.items() if row.get(name) in (None, "")}}


@cache
def _maps() -> tuple[FormatMap, ...]:
    """Return the cloud formats that are maps."""
    maps = (load_map(path) for path in sorted((Path(__file__).parents[1] / "cloud").glob("*.toml")))
    return tuple(one for one in maps if one.kind == "json")


def _other(flat: dict[str, object]) -> dict[str, object]:
    fields = Fields(flat)
    for name in _IPS:
        value = fields.peek(name)
        if isinstance(value, list) and len(value) == 1:
            fields.replace(name, value[0])
    row: dict[str, object] = {"time": moment(fields.take(*_TIMES)), "event_category": "cloud"}
    row |= where_from(fields, *_IPS)
    row |= fields.columns(_COLUMNS)
    row["extra"] = fields.rest()
    return row
