"""The flat fields of one EVE record → the event columns. What has no column goes to `extra`, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import cast

from socml.formats._iso import from_iso
from socml.formats._json import text_of

# event type → OCSF class, category, action. 4001 is kept for flows, so that `class_uid = 4001` is the flow table.
_TYPES: dict[str, tuple[int | None, str, str]] = {
    "flow": (4001, "network", "connection"),
    "netflow": (None, "network", "netflow"),
    "alert": (2004, "intrusion_detection", "alert"),
    "anomaly": (None, "network", "anomaly"),
    "dns": (4003, "network", "dns_query"),
    "http": (4002, "web", "http_request"),
    "tls": (None, "network", "tls_handshake"),
    "quic": (None, "network", "quic"),
    "ssh": (None, "network", "ssh_connection"),
    "smtp": (4009, "email", "email"),
    "ftp": (4008, "network", "ftp_command"),
    "ftp_data": (4008, "file", "ftp_transfer"),
    "fileinfo": (1001, "file", "file_transfer"),
    "smb": (4006, "network", "smb"),
    "krb5": (None, "authentication", "kerberos_ticket"),
    "rdp": (4005, "network", "rdp_connection"),
    "dhcp": (4004, "network", "dhcp"),
}

TEXTS = {
    "host": "observer_name",
    "src_ip": "source_ip",
    "dest_ip": "destination_ip",
    "community_id": "network_community_id",
    "alert.signature": "rule_name",
    "anomaly.event": "rule_name",
    "http.http_method": "http_request_method",
    "http.url": "url_original",
    "http.http_user_agent": "user_agent_original",
    "tls.version": "tls_version",
    "tls.sni": "tls_client_server_name",
    "quic.sni": "tls_client_server_name",
    "tls.ja3.hash": "tls_client_ja3",
    "fileinfo.filename": "file_path",
    "ftp_data.filename": "file_path",
    "smb.filename": "file_path",
    "krb5.cname": "user_name",
    "flow.state": "connection_state",
}
NUMBERS = {
    "src_port": "source_port",
    "dest_port": "destination_port",
    "http.status": "http_response_status_code",
}
OF_FLOW = {
    "flow.bytes_toserver": "source_bytes",
    "flow.bytes_toclient": "destination_bytes",
    "flow.pkts_toserver": "source_packets",
    "flow.pkts_toclient": "destination_packets",
}
HASHES = ("sha256", "sha1", "md5")
SEVERITIES = {1: 90, 2: 60, 3: 30, 4: 10}  # Suricata: 1 is the worst
BLOCKED = "blocked"  # of an alert whose packets an inline Suricata dropped
LARGEST = {"source_port": 65535, "destination_port": 65535, "http_response_status_code": 2**31 - 1}


_OF_SENSORS = frozenset({"flow_id", "src_ip", "in_iface", "pcap_cnt"})


def is_eve(found: Mapping[str, object]) -> bool:
    """Return whether an object is a record of EVE, rather than of another tool that has an `event_type` and a `timestamp`.

    Examples
    --------
    >>> is_eve({"event_type": "stats", "timestamp": "t", "stats": {}}), is_eve({"event_type": "login", "timestamp": "t"})
    (True, False)
    """
    is_typed = "event_type" in found and "timestamp" in found
    return is_typed and (found["event_type"] in found or not _OF_SENSORS.isdisjoint(found))


def eve_event(found: dict[str, object]) -> dict[str, object]:
    """Return the event columns of one record.

    Raises
    ------
    ValueError
        Naming the field whose value does not fit.

    Examples
    --------
    >>> event = eve_event({"timestamp": "2021-06-06T15:59:46+0200", "event_type": "dns", "dns.rrname": "a.example"})
    >>> event["time"].isoformat(), event["dns_question_name"]
    ('2021-06-06T13:59:46+00:00', 'a.example')
    """
    kind = found.pop("event_type", None)
    event: dict[str, object] = {"time": _time(found.pop("timestamp", None), "timestamp")}
    event["class_uid"], event["event_category"], event["event_action"] = type_columns(cast("str | None", kind))
    for field, column in TEXTS.items():
        if isinstance(found.get(field), str) and column not in event:
            event[column] = found.pop(field)
    for field, column in NUMBERS.items():
        if field in found:
            event[column] = _whole(found.pop(field), field, LARGEST[column])
    for field, column in (("proto", "network_transport"), ("app_proto", "network_protocol")):
        if isinstance(found.get(field), str):
            event[column] = str(found.pop(field)).lower()
    if found.get("alert.metadata.mitre_technique_id"):
        event["threat_technique_id"] = [str(t) for t in _list(found.get("alert.metadata.mitre_technique_id"))]
    _SPECIAL.get(kind if isinstance(kind, str) else "", _nothing)(found, event)
    hashed = next((h for h in HASHES if isinstance(found.get(f"fileinfo.{h}"), str)), None)
    if hashed:
        event["file_hash"] = f"{hashed}:{found[f'fileinfo.{hashed}']}"
    event["extra"] = [(name, text) for name, value in found.items() if (text := text_of(value)) is not None]
    return event


def type_columns(kind: str | None) -> tuple[int | None, str | None, str | None]:
    """Return the class, the category and the action of an event type; None without one.

    Examples
    --------
    >>> type_columns("dns"), type_columns("ikev2")
    ((4003, 'network', 'dns_query'), (None, 'network', 'ikev2'))
    """
    known = _TYPES.get(kind) if isinstance(kind, str) else None
    return known or (None, None if kind is None else "network", kind)


def _flow(found: dict[str, object], event: dict[str, object]) -> None:
    for field, column in OF_FLOW.items():
        if field in found:
            event[column] = _whole(found.pop(field), field, 2**63 - 1)
    start, end = _time(found.get("flow.start"), "flow.start"), _time(found.get("flow.end"), "flow.end")
    if start is not None:
        found["timestamp"] = cast("datetime", event["time"]).isoformat() if event["time"] else None
        event["time"] = start
        event["duration_s"] = (end - start).total_seconds() if end else None
        del found["flow.start"]
    answered = event.get("destination_packets")
    event["event_outcome"] = None if answered is None else ("success" if answered else "failure")


def _alert(found: dict[str, object], event: dict[str, object]) -> None:
    if "alert.signature_id" in found:
        event["rule_id"] = text_of(found.pop("alert.signature_id"))
    event["message"] = event.get("rule_name")
    severity = found.get("alert.severity")
    event["event_severity"] = SEVERITIES.get(severity) if isinstance(severity, (int, float)) else None  # type: ignore[arg-type]
    event["event_outcome"] = "failure" if found.get("alert.action") == BLOCKED else None
    # Suricata's rules carry the flow's state so far; a sum over events must not count those packets twice.
    query = found.get("dns.query")
    if isinstance(query, list) and query and isinstance(query[0], dict):
        _question(query[0], event)
    _dns_names(found, event)


def _dns(found: dict[str, object], event: dict[str, object]) -> None:
    if found.get("dns.type") in ("answer", "response"):
        event["event_action"] = "dns_answer"
    event["network_protocol"] = "dns"
    _dns_names(found, event)
    queries = found.get("dns.queries")  # version 3, Suricata 8
    if isinstance(queries, list) and queries and isinstance(queries[0], dict):
        _question(queries[0], event)
    code = event.get("dns_response_code")
    if code:
        event["event_outcome"] = "success" if code == "NOERROR" else "failure"
    answers = found.get("dns.answers")
    if isinstance(answers, list):
        event["dns_answers"] = [a["rdata"] for a in answers if isinstance(a, dict) and isinstance(a.get("rdata"), str)]
    elif isinstance(found.get("dns.rdata"), str):  # version 1
        event["dns_answers"] = [found.pop("dns.rdata")]


def _dns_names(found: dict[str, object], event: dict[str, object]) -> None:
    for field, column in (
        ("dns.rrname", "dns_question_name"),
        ("dns.rrtype", "dns_question_type"),
        ("dns.rcode", "dns_response_code"),
    ):
        if isinstance(found.get(field), str):
            event[column] = found.pop(field)


def _question(query: dict[str, object], event: dict[str, object]) -> None:
    for field, column in (("rrname", "dns_question_name"), ("rrtype", "dns_question_type")):
        if isinstance(query.get(field), str):
            event[column] = query[field]


def _http(found: dict[str, object], event: dict[str, object]) -> None:
    status = event.get("http_response_status_code")
    event["event_outcome"] = None if status is None else ("success" if cast("int", status) < 400 else "failure")


def _krb5(found: dict[str, object], event: dict[str, object]) -> None:
    event["event_outcome"] = "failure" if found.get("krb5.error_code") else "success"


def _drop(found: dict[str, object], event: dict[str, object]) -> None:
    event["event_outcome"] = "failure"


def _nothing(found: dict[str, object], event: dict[str, object]) -> None:
    """Leave the event as it is."""


_SPECIAL: dict[str, Callable[[dict[str, object], dict[str, object]], None]] = {
    "flow": _flow,
    "alert": _alert,
    "dns": _dns,
    "http": _http,
    "krb5": _krb5,
    "drop": _drop,
}


def _time(value: object, field: str) -> datetime | None:
    if value is None:
        return None
    try:
        when = from_iso(cast("str", value))
    except (TypeError, ValueError):
        raise ValueError(f"{field} is {str(value)[:60]!r}, not a time") from None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _whole(value: object, field: str, largest: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)  # some outputs write numbers as text
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise ValueError(f"{field} is {str(value)[:60]!r}, not a whole number from 0 to {largest}")
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
