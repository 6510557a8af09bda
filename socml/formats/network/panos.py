"""Logs of Palo Alto's PAN-OS, as the firewall writes them: comma-separated, with or without a syslog header → events.

The fields have places and no names, and each kind of log has its own order: TRAFFIC, THREAT, SYSTEM, CONFIG, GLOBALPROTECT,
USERID and HIPMATCH are known; of the others the head alone. A later version appends fields, which are kept by their number.
`time` is when the log was generated, by the firewall's clock, which names no zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._addresses import address
from socml.formats._csv_records import cells_of
from socml.formats._facts import facts_of
from socml.formats._fields import Fields
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, line_records
from socml.formats._stamps import time_of
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats._values import column_value, outcome_of, severity_of

__all__ = ["Panos"]

PANOS_MARK = re.compile(
    r"(?:^|(?<=[ >]))\d{0,3},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?,[0-9A-Za-z-]{1,24},"
    r"(?P<kind>TRAFFIC|THREAT|SYSTEM|CONFIG|GLOBALPROTECT|USERID|HIPMATCH|HIP-MATCH|AUTHENTICATION|DECRYPTION|CORRELATION|URL|WILDFIRE|DATA|TUNNEL|SCTP|GTP|IPTAG),"
)
_LONGEST_HEADER = 400  # characters before the first field
_HEAD = ("", "receive_time", "serial", "kind", "subtype", "", "generated")
_SESSION = (
    "src", "dst", "nat_src", "nat_dst", "rule", "src_user", "dst_user", "app", "vsys", "from_zone", "to_zone", "inbound_if", "outbound_if",
    "log_action", "", "session", "repeat", "sport", "dport", "nat_sport", "nat_dport", "flags", "proto", "action",
)  # fmt: skip
_NAMES: dict[str, tuple[str, ...]] = {
    "TRAFFIC": (*_SESSION, "bytes", "bytes_sent", "bytes_received", "packets", "start", "elapsed", "category", "", "seqno", "action_flags",
                "src_country", "dst_country", "", "packets_sent", "packets_received", "end_reason", "", "", "", "", "vsys_name", "device_name"),
    "THREAT": (*_SESSION, "misc", "threat", "category", "severity", "direction", "seqno", "action_flags", "src_country", "dst_country", "",
               "content_type", "pcap_id", "filedigest", "cloud", "url_idx", "user_agent", "filetype", "xff", "referer"),
    "SYSTEM": ("vsys", "event", "object", "", "", "module", "severity", "message", "seqno", "action_flags"),
    "CONFIG": ("host", "vsys", "command", "admin", "client", "result", "path", "seqno", "action_flags"),
    "GLOBALPROTECT": ("vsys", "event", "stage", "auth_method", "tunnel", "src_user", "src_region", "machine", "src", "public_ipv6", "private_ip",
                      "private_ipv6", "host_id", "serial_number", "client_version", "client_os", "client_os_version", "repeat", "reason",
                      "error", "message", "status"),
    "USERID": ("vsys", "src", "src_user", "source_name", "event", "repeat", "timeout", "sport", "dport", "data_source"),
    "HIPMATCH": ("src_user", "vsys", "machine", "os", "src", "hip", "repeat", "hip_type"),
}  # fmt: skip
_COLUMNS = {
    "source_port": "sport", "destination_port": "dport", "rule_name": "rule", "network_protocol": "app", "source_bytes": "bytes_sent",
    "destination_bytes": "bytes_received", "source_packets": "packets_sent", "destination_packets": "packets_received", "duration_s": "elapsed",
    "message": "message", "threat_name": "threat", "process_command_line": "command", "user_agent_original": "user_agent",
    "event_count": "repeat",
}  # fmt: skip
_ADDRESSES = {"source_ip": ("src", "public_ipv6", "client"), "destination_ip": ("dst",)}
_DENIED = ("deny", "drop", "reset", "block", "sinkhole", "override-lockout")
# Categories of addresses that the vendor calls malicious: https://docs.paloaltonetworks.com/advanced-url-filtering
_BAD_SITES = {"malware", "phishing", "command-and-control", "ransomware"}
_FROM = re.compile(r"From: (?P<ip>[0-9a-fA-F.:]{2,45}?)\.?$")
_KINDS = {
    "TRAFFIC": (4001, "network"), "THREAT": (2004, "intrusion_detection"), "GLOBALPROTECT": (3002, "authentication"),
    "CONFIG": (None, "iam"), "USERID": (3002, "authentication"), "AUTHENTICATION": (3002, "authentication"),
}  # fmt: skip


class Panos:
    """PAN-OS logs."""

    name = "panos"
    about = (
        "Palo Alto PAN-OS logs: TRAFFIC, THREAT, SYSTEM, CONFIG, GLOBALPROTECT, USERID; alone or behind a syslog header"
    )
    specification = "https://docs.paloaltonetworks.com/pan-os/11-1/pan-os-admin/monitoring/use-syslog-for-monitoring/syslog-field-descriptions"
    examples = (
        "1,2026/03/02 10:00:00,001801000001,TRAFFIC,drop,2560,2026/03/02 10:00:00,192.0.2.1,198.51.100.2,0.0.0.0,0.0.0.0,deny-all,bob,,ssh,"
        "vsys1,untrust,trust,ethernet1/1,,fwd,2026/03/02 10:00:00,0,1,4022,22,0,0,0x0,tcp,deny,60,60,0,1,2026/03/02 10:00:00,0,any",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with the head of such a log."""
        lines = [line[:_LONGEST_HEADER].decode("utf-8", "replace") for line in head_lines(head, 20)]
        found = sum(is_panos(line) for line in lines)
        return 0.97 * found / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), _event, source, options)


def is_panos(text: str) -> bool:
    """Return whether a line has the head of a PAN-OS log near its start."""
    return PANOS_MARK.search(text, 0, _LONGEST_HEADER) is not None


def _event(line: bytes, clock: Clock) -> dict[str, object]:
    return panos_event(line.decode("utf-8", "backslashreplace"), clock)


def panos_event(text: str, clock: Clock) -> dict[str, object]:
    """Return the event columns of one line.

    Raises
    ------
    ValueError
        In words, if it has no head of such a log, or its time is none.

    Examples
    --------
    >>> line = "<14>Mar  2 10:00:00 pa1 1,2026/03/02 10:00:00,0018,CONFIG,0,0,2026/03/02 10:00:00,192.0.2.1,,set,admin,Web,Succeeded,x"
    >>> event = panos_event(line, Clock(None, None, None))
    >>> event["source_ip"], event["user_name"], event["event_outcome"], event["host_name"]
    ('192.0.2.1', 'admin', 'success', 'pa1')
    """
    mark = PANOS_MARK.search(text, 0, _LONGEST_HEADER)
    if mark is None:
        raise ValueError("no head of a PAN-OS log: a time, a serial number and a kind of log between commas")
    cells = cells_of(text[mark.start() :].encode())
    kind = mark["kind"].replace("HIP-MATCH", "HIPMATCH")
    names = (*_HEAD, *_NAMES.get(kind, ()))
    found = {name or f"field_{n}": cell for n, (name, cell) in enumerate(zip(names, cells, strict=False), 1) if cell}
    found |= {f"field_{n}": cell for n, cell in enumerate(cells[len(names) :], len(names) + 1) if cell}
    if kind == "CONFIG":
        found["client"] = found.pop("host", "")
    fields = Fields(found)
    row = _columns(fields, kind, clock)
    header = split_header(text, mark.start())
    row["host_name"] = fields.text("device_name") or header.host
    if row.get("event_severity") is None:
        row["event_severity"] = header.severity
    row["extra"] = fields.rest()
    return row


def _columns(fields: Fields, kind: str, clock: Clock) -> dict[str, object]:
    is_url = kind == "THREAT" and fields.peek("subtype") == "url"
    is_visit = is_url and fields.peek("category") not in _BAD_SITES  # that somebody went there, and nothing found
    class_uid, category = (4002, "web") if is_visit else _KINDS.get(kind, (None, "host"))
    generated = fields.take("generated") or fields.take("receive_time")
    row: dict[str, object] = {
        "time": None if generated is None else time_of(generated, clock),
        "class_uid": class_uid,
        "event_category": category,
        "event_action": fields.text("action") or fields.text("event") or fields.peek("command", "subtype"),
        "event_severity": severity_of(fields.peek("severity")),
        "user_name": (fields.text("src_user", "admin") or "").rsplit("\\", 1)[-1] or None,
    }
    for column, names in _ADDRESSES.items():
        name = next((n for n in names if address(str(fields.peek(n) or "")) not in (None, "0.0.0.0")), None)  # noqa: S104
        if name:
            row[column] = address(fields.text(name))
    recognised = fields.peek("category") if is_url else fields.peek("threat")
    if kind == "THREAT" and not is_visit and recognised:
        row["rule_name"] = recognised  # the policy it went by stays in `extra`
    for column, name in _COLUMNS.items():
        if column in row:
            continue
        value = column_value(column, fields.peek(name), name, clock)
        if value is not None:
            row[column] = value
            fields.take(name)
    row["network_transport"] = column_value("network_transport", fields.take("proto"), "proto", clock)
    if kind in ("THREAT", "URL") and fields.peek("misc"):
        target = fields.text("misc") or ""
        row["url_original" if "/" in target else "file_path"] = target
    row["event_outcome"] = _outcome(row, fields, kind)
    if kind == "SYSTEM":
        row |= _told(row)
    return row


def _outcome(row: dict[str, object], fields: Fields, kind: str) -> str | None:
    if kind in ("TRAFFIC", "THREAT", "URL"):
        return "failure" if str(row["event_action"]).startswith(_DENIED) else "success"
    return outcome_of(fields.peek("status", "result") or row["event_action"] or "")


def _told(row: dict[str, object]) -> dict[str, object]:
    """Return what the message of a SYSTEM log tells: who, from where, how it ended."""
    message = str(row.get("message") or "")
    facts = facts_of(message)
    if found := _FROM.search(message):
        facts["source_ip"] = address(found["ip"])
    return {name: value for name, value in facts.items() if name != "event_action" and value is not None}
