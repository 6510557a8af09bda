"""Findings of PatrOwl's engines and of its manager → vulnerability findings; reports of scanners in the same shape.

An engine answers `getfindings` with `{"issues": [{"issue_id", "severity", "title", "target", "metadata", "raw"}]}`, and
before the scan has ended with a status alone, which is skipped. The manager exports findings as a list, a page of
`results`, or CSV, with `asset_name`, `risk_info` and `vuln_refs`. Arachni's report, which an engine wraps, has `issues` with
`vector` and `cwe`; SSL Labs' result is one endpoint with a grade. `timestamp` is seconds, `found_at` ISO 8601. Severities info, low, medium, high and critical are 10, 30,
50, 70 and 90. Status `false-positive` and the others of the manager's are in `extra`, as verdicts are not this table's.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._cloud import moment
from socml.formats._csv_records import csv_head, csv_records, rows_by_name
from socml.formats._envelope import first_objects, members
from socml.formats._fields import Fields
from socml.formats._json import flatten, loads_exactly, text_of
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches

__all__ = ["Patrowl"]

_LISTS = ("issues", "results", "findings")
_SEVERITY = {"info": 10, "informational": 10, "low": 30, "medium": 50, "high": 70, "critical": 90}
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "rule_name": ("title", "name"),
    "rule_id": ("type", "check.shortname"),
    "message": "description",
    "host_name": ("asset_name", "target.name"),
    "destination_port": ("target.port_id", "target.port"),
    "network_transport": "target.protocol",
    "network_protocol": "target.service",
    "observer_name": "engine_type",
    "url_original": ("vector.url", "vector.action", "target.url"),
    "http_request_method": "vector.method",
}
_GRADES = {"A": 10, "B": 30, "C": 50}
_CVE = ("vuln_refs.CVE", "metadata.vuln_refs.CVE", "metadata.vuln_refs.cve", "vuln_refs.cve")
_SCORE = ("risk_info.cvss_base_score", "metadata.risk.cvss_base_score", "risk_info.cvss", "metadata.risk.cvss")

_OF_ISSUES = frozenset({"issue_id", "solution", "asset_name", "cwe", "target", "vuln_refs", "engine_type"})


class Patrowl:
    """PatrOwl findings, of an engine or the manager, as JSON or CSV."""

    name = "patrowl"
    about = "PatrOwl findings: engines' getfindings, the manager's findings as JSON or CSV, Arachni reports"
    specification = "https://github.com/Patrowl/PatrowlDocs"
    examples = (
        '{"page":"getfindings","scan_id":"1","status":"success","issues":[{"issue_id":1,"severity":"high","confidence":'
        '"certain","title":"Weak cipher","description":"x","type":"ssl","timestamp":"1709208416","target":{"addr":'
        '["192.0.2.7"],"port_id":"443","protocol":"tcp"},"metadata":{"vuln_refs":{"CVE":["CVE-2016-2183"]}}}]}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of issues with a severity and a title, and of the manager's names in CSV."""
        if {"asset_name", "severity", "title"} <= set(csv_head(head)):
            return 0.93
        found = first_objects(head, *_LISTS)
        if found and all({"grade", "ipAddress", "statusMessage"} <= one.keys() for one in found):
            return 0.9
        fit = sum("severity" in one and _has_title(one) and not _OF_ISSUES.isdisjoint(one) for one in found)
        return 0.9 * fit / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's findings."""
        head = next(iter(source.chunks()), b"")
        if "asset_name" in csv_head(head):
            return batches(csv_records(source), rows_by_name(_finding))
        return batches(members(source, *_LISTS), _event)


def _event(record: bytes) -> dict[str, object]:
    found = loads_exactly(record)
    if "status" in found and "severity" not in found and ("page" in found or "reason" in found):
        raise Skip("status without findings")
    if "grade" in found and "ipAddress" in found:
        return _graded(found)
    if "severity" not in found and "title" not in found:
        raise ValueError("no finding: neither a severity nor a title")
    return _finding(flatten(found))


def _graded(found: dict[str, object]) -> dict[str, object]:
    """Return an endpoint that SSL Labs graded: A to C are good to middling, T is not trusted, M another's name."""
    grade = str(found.pop("grade"))
    return {
        "class_uid": 2002,
        "event_category": "vulnerability",
        "event_action": "finding",
        "rule_id": "ssllabs_grade",
        "rule_name": f"SSL Labs grade {grade}",
        "event_severity": _GRADES.get(grade[:1], 70),
        "destination_ip": address(text_of(found.pop("ipAddress"))),
        "host_name": text_of(found.pop("serverName", None)),
        "extra": {name: text_of(value) for name, value in flatten(found).items()},
    }


def _finding(found: dict[str, object]) -> dict[str, object]:
    fields = Fields(found)
    stamp = fields.take("timestamp", "found_at", "created_at", "updated_at")
    row: dict[str, object] = {
        "time": moment(stamp),
        "class_uid": 2002,
        "event_category": "vulnerability",
        "event_action": "finding",
        "event_severity": _SEVERITY.get(str(fields.peek("severity")).lower()),
    }
    addresses = fields.peek("target.addr", "asset_name")
    first = addresses[0] if isinstance(addresses, list) and addresses else addresses
    row["destination_ip"] = address(text_of(first))
    if row["destination_ip"] is None and isinstance(first, str) and "asset_name" not in found:
        row["host_name"] = first
    row |= fields.columns(_COLUMNS)
    cves = fields.peek(*_CVE)
    if cves:
        row["vulnerability_id"] = text_of(cves[0] if isinstance(cves, list) else str(cves).split(",")[0])
    score = text_of(fields.peek(*_SCORE))
    if score:
        try:
            row["vulnerability_score"] = float(score)
        except ValueError:
            raise ValueError(f"the CVSS score is {score[:60]!r}, not a number") from None
    row["extra"] = fields.rest()
    return row


def _has_title(found: dict[str, object]) -> bool:
    return "title" in found or "name" in found
