"""What `nmap -oX` writes → one event a port, and one for a host without ports.

`connection_state` is the port's state (open, closed, filtered); `network_protocol` the service's name. Time is when the
host's scan ended, in UTC. A script whose output names a CVE makes the event a vulnerability finding, of the first; all
are in `extra`, as is each script's output. Ports that nmap only counts (`extraports`) are in the `extra` of the others.
A scan that was broken off is no whole document: its hosts are read, and the place where it ends is quarantined.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # no document is parsed with it
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from socml.formats._fields import whole
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import made
from socml.formats._times import epoch
from socml.formats.analysis._xml import Element, elements, root_name

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["NmapXml"]

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


class NmapXml:
    """nmap's XML output."""

    name = "nmap-xml"
    about = "nmap -oX: one event a port, with its service, scripts and CVEs"
    specification = "https://nmap.org/book/nmap-dtd.html"
    examples = (
        '<nmaprun scanner="nmap"><host endtime="1709208416"><status state="up"/><address addr="192.0.2.7" '
        'addrtype="ipv4"/><ports><port protocol="tcp" portid="22"><state state="open"/><service name="ssh"/></port>'
        "</ports></host></nmaprun>",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the element `nmaprun`."""
        return 0.98 if b"<nmaprun" in head[:65536] and root_name(head) == "nmaprun" else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's ports."""
        return made(_items(source))


def _items(source: Source) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    for found in elements(source, "host"):
        if isinstance(found, Element):
            yield from _ports(found)
        else:
            yield found


def _ports(found: Element) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    host = found.tree
    try:
        shared, more = _host(host)
    except ValueError as error:
        yield found.line, found.raw, error
        return
    ports = host.findall("./ports/port")
    if not ports:
        yield found.line, found.raw, {**shared, "event_action": "host_scan", "extra": more}
        return
    names = (more.get("address") or "").encode()
    for port in ports:
        raw = ET.tostring(port)
        record = (
            b"host "
            + names
            + b" "
            + (cast("datetime", shared["time"]).isoformat().encode() if shared["time"] else b"-")
            + b" "
            + raw
        )
        try:
            yield found.line, record, _port(port, shared, dict(more))
        except ValueError as error:
            yield found.line, record, error


def _host(host: ET.Element) -> tuple[dict[str, object], dict[str, str | None]]:
    stamp = host.get("endtime") or host.get("starttime")
    addresses = {a.get("addrtype"): a.get("addr") for a in host.findall("address")}
    name = host.find("./hostnames/hostname")
    system = host.find("./os/osmatch")
    row: dict[str, object] = {
        "time": epoch(stamp) if stamp else None,
        "event_category": "discovery",
        "observer_name": "nmap",
        "destination_ip": addresses.get("ipv4") or addresses.get("ipv6"),
        "host_name": None if name is None else name.get("name"),
    }
    status = host.find("status")
    more: dict[str, str | None] = {
        "address": addresses.get("ipv4") or addresses.get("ipv6"),
        "host_status": None if status is None else status.get("state"),
        "mac": addresses.get("mac"),
        "os": None if system is None else system.get("name"),
    }
    for other in host.findall("./ports/extraports"):
        more[f"ports_{other.get('state')}"] = other.get("count")
    for script in host.findall("./hostscript/script"):
        more[f"script.{script.get('id')}"] = script.get("output")
    return row, more


def _port(port: ET.Element, shared: dict[str, object], more: dict[str, str | None]) -> dict[str, object]:
    row = {**shared, "event_action": "port_scan", "network_transport": port.get("protocol")}
    row["destination_port"] = whole(port.get("portid"), "portid", 65535)
    state, service = port.find("state"), port.find("service")
    if state is not None:
        row["connection_state"] = state.get("state")
        more["reason"] = state.get("reason")
    if service is not None:
        row["network_protocol"] = service.get("name")
        for name in ("product", "version", "extrainfo", "tunnel", "conf", "method"):
            more[name] = service.get(name)
        more["cpe"] = " ".join(cpe.text or "" for cpe in service.findall("cpe")) or None
    for script in port.findall("script"):
        more[f"script.{script.get('id')}"] = script.get("output")
    weak = sorted(set(_CVE.findall(" ".join(v for n, v in more.items() if n.startswith("script.") and v))))
    if weak:
        row |= {"class_uid": 2002, "event_category": "vulnerability", "vulnerability_id": weak[0]}
        more["vulnerabilities"] = " ".join(weak)
    del more["address"]
    return {**row, "extra": more}
