"""Nessus reports (`.nessus`, version 2) → one vulnerability finding an item.

Severity 0 to 4 becomes 0, 30, 50, 70 and 90. An item may name several CVEs: the first is `vulnerability_id`, all are in
`extra`. The score is CVSS 3's base score, else CVSS 2's. Time is when the host's scan ended, by the scanner's clock:
without a zone, so the recipe's. Port 0 means the host as a whole, and is null. Plugin output is in `message`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # no document is parsed with it
from collections.abc import Iterator
from datetime import datetime

from socml.formats._addresses import address
from socml.formats._fields import whole
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, made
from socml.formats._times import Clock, clock_of, epoch
from socml.formats.analysis._xml import Element, elements, root_name

__all__ = ["NessusXml"]

_SEVERITY = (0, 30, 50, 70, 90)


class NessusXml:
    """Nessus reports in XML, version 2."""

    name = "nessus-xml"
    about = "Nessus reports (.nessus): one vulnerability finding an item"
    specification = "https://docs.tenable.com/quick-reference/nessus-file-format/Nessus-File-Format.pdf"
    examples = (
        '<NessusClientData_v2><Report name="x"><ReportHost name="192.0.2.7"><HostProperties>'
        '<tag name="host-ip">192.0.2.7</tag></HostProperties><ReportItem port="443" svc_name="https" protocol="tcp" '
        'severity="2" pluginID="42" pluginName="Weak"><cve>CVE-2024-0001</cve></ReportItem></ReportHost></Report>'
        "</NessusClientData_v2>",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the element `NessusClientData_v2`."""
        return 0.98 if b"<NessusClientData" in head[:65536] and root_name(head) == "NessusClientData_v2" else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's findings."""
        clock = clock_of(source, options)
        return made(_items(source, clock), warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _items(source: Source, clock: Clock) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    host: dict[str, str] = {}
    for found in elements(source, "HostProperties", "ReportItem"):
        if not isinstance(found, Element):
            yield found
            continue
        name = next((a.get("name", "") for tag, a in reversed(found.around) if tag == "ReportHost"), "")
        if found.tree.tag == "HostProperties":
            host = {tag.get("name", ""): tag.text or "" for tag in found.tree.findall("tag")}
            yield found.line, found.raw, Skip("properties of a host")
            continue
        record = b"host " + name.encode() + b" " + found.raw
        try:
            yield found.line, record, _finding(found.tree, name, host, clock)
        except ValueError as error:
            yield found.line, record, error


def _finding(item: ET.Element, name: str, host: dict[str, str], clock: Clock) -> dict[str, object]:
    texts: dict[str, list[str]] = {}
    for child in item:
        texts.setdefault(child.tag, []).append((child.text or "").strip())
    severity = whole(item.get("severity", "0"), "severity", 4)
    port = whole(item.get("port", "0"), "port", 65535)
    score = next((texts[n][0] for n in ("cvss3_base_score", "cvss_base_score") if texts.get(n)), None)
    ip = address(host.get("host-ip")) or address(name)
    row: dict[str, object] = {
        "time": _when(host, clock),
        "class_uid": 2002,
        "event_category": "vulnerability",
        "event_action": "finding",
        "observer_name": "nessus",
        "event_severity": _SEVERITY[severity],
        "destination_ip": ip,
        "destination_port": port or None,
        "network_transport": item.get("protocol"),
        "network_protocol": item.get("svc_name"),
        "host_name": host.get("host-fqdn") or host.get("netbios-name") or (name if ip != name else None),
        "rule_id": item.get("pluginID"),
        "rule_name": item.get("pluginName"),
        "vulnerability_id": next(iter(texts.get("cve", [])), None),
        "vulnerability_score": _score(score),
        "message": "\n".join(texts.pop("plugin_output", [])) or None,
    }
    more: dict[str, str | None] = {tag: "\n".join(values) for tag, values in texts.items()}
    more |= {"plugin_family": item.get("pluginFamily"), "host": name, "os": host.get("operating-system")}
    return {**row, "extra": more}


def _score(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise ValueError(f"the CVSS score is {text!r}, not a number") from None


def _when(host: dict[str, str], clock: Clock) -> datetime | None:
    stamp = host.get("HOST_END_TIMESTAMP") or host.get("HOST_START_TIMESTAMP")
    if stamp:
        return epoch(stamp)
    text = host.get("HOST_END") or host.get("HOST_START")
    if not text:
        return None
    try:
        return clock.in_zone(datetime.strptime(text, "%a %b %d %H:%M:%S %Y"))
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not a time such as Thu Feb 29 13:06:56 2024") from None
