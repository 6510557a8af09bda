"""Logs of Sophos Firewall (XG, SFOS) and of the Sophos Web Appliance, as key=value behind a syslog header → events.

The firewall writes `device="SFW" date=2022-04-25 time=15:27:08 timezone="CDT" log_type="Firewall" …`, or, from version
18 on, `timestamp="2022-04-25T15:27:08-0500"`; the appliance writes short keys: `h=` source, `u=` user, `s=` status,
`t=` seconds since 1970, `req="GET http://… HTTP/1.1"`. Traps: a value without quotes may hold spaces (`ether_type=Unknown
(0x0000)`); `timezone` is an abbreviation, which names no zone for sure: `UTC`, `GMT` and `CET` are taken, of others the
recipe's zone is; `-` and an empty value are missing; the header may be glued to the first key. The appliance does not
escape backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from socml.formats._addresses import address
from socml.formats._fields import Fields, add_numbered
from socml.formats._json import extra_of
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock, epoch, iso

if TYPE_CHECKING:
    pass

__all__ = ["SophosLog"]

_FIREWALL = re.compile(r"""device(?:_name|_model)?="[^"]{1,60}" (?:date=|timestamp=)""")
_APPLIANCE = re.compile(r"h=[0-9A-Fa-f.:]{2,45} u=\"[^\"]{0,255}\" s=\S{1,5} ")
_REQUEST = re.compile(r"(?P<method>[A-Z]{3,20}) (?P<url>\S+)(?: HTTP/[\d.]+)?$")
_ZONES = {"UTC": UTC, "GMT": UTC, "CET": ZoneInfo("Europe/Paris"), "CEST": ZoneInfo("Europe/Paris")}
_SEVERITY = {"emergency": 100, "alert": 90, "critical": 80, "error": 60, "warning": 40, "notice": 20, "notification": 20,
             "information": 10, "info": 10, "debug": 0}  # fmt: skip
_KINDS = {
    "Firewall": (4001, "network"),
    "Content Filtering": (4002, "web"),
    "IDP": (2004, "intrusion_detection"),
    "IPS": (2004, "intrusion_detection"),
    "Anti-Virus": (2004, "malware"),
    "Anti Virus": (2004, "malware"),
    "ATP": (2004, "malware"),
    "Sandbox": (2004, "malware"),
    "WAF": (4002, "web"),
    "Anti-Spam": (4009, "email"),
}
_GOOD = {"allowed", "allow", "accept", "success", "successful", "detect"}
_BAD = {"denied", "deny", "drop", "block", "blocked", "failed", "failure", "reject", "virus"}
_KEY = re.compile(r"(?:^|(?<=[\s,>0-9]))(?P<key>[A-Za-z_][\w.-]{0,63})=")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "rule_id": ("signature_id", "fw_rule_id", "idp_policy_id"),
    "rule_name": ("signature_msg", "fw_rule_name", "idp_policy_name"),
    "user_name": ("user_name", "user"),
    "observer_name": ("device_name", "device_model"),
    "network_protocol": ("application", "app_name"),
    "url_original": "url",
    "user_agent_original": "user_agent",
    "threat_name": ("virus", "malware", "threatname"),
    "file_path": ("file_path", "filename", "download_file_name"),
    "message": "message",
}
_NUMBERS: dict[str, str | tuple[str, ...]] = {
    "source_port": "src_port",
    "destination_port": "dst_port",
    "source_bytes": ("sent_bytes", "bytes_sent"),
    "destination_bytes": ("recv_bytes", "bytes_received"),
    "source_packets": ("sent_pkts", "packets_sent"),
    "destination_packets": ("recv_pkts", "packets_received"),
    "http_response_status_code": ("status_code", "httpresponsecode"),
    "duration_s": "duration",
}


class SophosLog:
    """Sophos Firewall and Web Appliance logs."""

    name = "sophos-log"
    about = "Sophos Firewall (XG) and Sophos Web Appliance key=value lines"
    specification = "https://docs.sophos.com/nsg/sophos-firewall/20.0/syslog/index.html"
    examples = (
        '<29>1 device="SFW" date=2022-04-25 time=15:27:08 timezone="UTC" device_name="XG430" log_type="Firewall" '
        'log_component="Firewall Rule" log_subtype="Allowed" status="Allow" src_ip=192.0.2.3 dst_ip=198.51.100.23 '
        'protocol="TCP" src_port=59932 dst_port=443',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines that begin as these do."""
        lines = [line[:2000].decode("utf-8", "replace") for line in head_lines(head, 20)]
        return 0.96 * sum(_mark(line) is not None for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), _event, source, options)


def _mark(text: str) -> re.Match[str] | None:
    return _FIREWALL.search(text, 0, 1000) or _APPLIANCE.search(text, 0, 1000)


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace")
    mark = _mark(text)
    if mark is None:
        raise ValueError('not a line of Sophos: neither `device="…" date=` nor `h=… u="…" s=` in it')
    header = split_header(text, mark.start())
    body = text[mark.start() :]
    is_firewall = body.startswith("device")
    found = _key_values(body if is_firewall else body.replace("\\", "\\\\"))
    fields = Fields({name: value for name, value in found.items() if value not in ("-", "")})
    row = _of_firewall(fields, clock) if is_firewall else _of_appliance(fields)
    row["time"] = row["time"] or header.time(clock)
    row["observer_name"] = row.get("observer_name") or header.host
    row["extra"] = {**(extra_of(row) if "extra" in row else {}), **fields.rest()}
    return row


def _of_firewall(fields: Fields, clock: Clock) -> dict[str, object]:
    row: dict[str, object] = {"time": _time(fields, clock)}
    kind, status = str(fields.peek("log_type") or ""), str(fields.peek("log_subtype", "status") or "")
    uid, category = _KINDS.get(kind, (None, "host"))
    if "Authentication" in str(fields.peek("log_component")):
        uid, category = 3002, "authentication"
    row |= {"class_uid": uid, "event_category": category, "event_action": status.lower() or None}
    words = {str(fields.peek(name) or "").lower() for name in ("log_subtype", "status")}
    row["event_outcome"] = "failure" if words & _BAD else "success" if words & _GOOD else None
    written = str(fields.take("priority", "severity") or "").lower()
    row["event_severity"] = _SEVERITY.get(written)
    if fields.peek("protocol"):
        row["network_transport"] = str(fields.take("protocol")).lower()
    for column, name in (("source_ip", "src_ip"), ("destination_ip", "dst_ip")):
        if address(str(fields.peek(name) or "")):
            row[column] = address(fields.text(name))
    row |= fields.columns(_NUMBERS) | fields.columns(_COLUMNS)
    return row


def _of_appliance(fields: Fields) -> dict[str, object]:
    seconds, request = fields.take("t"), _REQUEST.match(str(fields.peek("req") or ""))
    status = fields.peek("s")
    row: dict[str, object] = {
        "time": None if seconds is None else epoch(seconds),
        "class_uid": 4002,
        "event_category": "web",
        "event_action": "http_request",
        "source_ip": address(fields.text("h")),
        "destination_ip": address(fields.text("target_ip")),
        "network_protocol": "http",
    }
    if status is not None and str(status).isdecimal():
        row["event_outcome"] = "success" if int(str(status)) < 400 else "failure"
    if request:
        fields.take("req")
        row["url_original"] = request["url"]
    row |= fields.columns(
        {
            "user_name": "u",
            "http_response_status_code": "s",
            "http_request_method": "meth",
            "user_agent_original": "ua",
            "source_bytes": "in",
            "destination_bytes": "out",
            "threat_name": "threat",
        }
    )
    row.setdefault("http_request_method", request["method"] if request else None)
    return row


def _time(fields: Fields, clock: Clock) -> datetime | None:
    stamp = fields.take("timestamp")
    if stamp is not None:
        return epoch(stamp) if str(stamp).isdecimal() else iso(stamp, clock)
    date, hour = fields.take("date"), fields.take("time")
    if date is None or hour is None:
        return None
    zone = _ZONES.get(str(fields.peek("timezone")))
    when = f"{date}T{hour}"
    return iso(iso(when).replace(tzinfo=zone).isoformat()) if zone else iso(when, clock)


def _key_values(text: str) -> dict[str, str]:
    """Return the fields in `text`, those without a value left out. Of a key given twice, the later is `key.2`.

    Examples
    --------
    >>> _key_values('a="x y" b=1 c= d=Unknown (0x0000) e="C:\\\\\\\\dir" a=2')
    {'a': 'x y', 'b': '1', 'd': 'Unknown (0x0000)', 'e': 'C:\\\\dir', 'a.2': '2'}
    """
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    key = _KEY.search(text)
    while key:
        quoted = _QUOTED.match(text, key.end())
        following = _KEY.search(text, quoted.end() if quoted else key.end())
        if quoted:
            value = _ESCAPED.sub(r"\1", quoted[1]) if "\\" in quoted[1] else quoted[1]
        else:
            value = text[key.end() : following.start() if following else len(text)].strip()
        if value:
            add_numbered(found, counts, key["key"], value)
        key = following
    return found
