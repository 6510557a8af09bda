"""EVE records as orjson reads them → how many values of the event table differ: in every column, and in `extra`.

What each column should hold is said here once more, in the plainest way and without a line of the reader's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from socml.formats import Parsed
from socml.project import EVENT

COPIED = {
    "observer_name": ["host"],
    "source_ip": ["src_ip"],
    "source_port": ["src_port"],
    "destination_ip": ["dest_ip"],
    "destination_port": ["dest_port"],
    "network_community_id": ["community_id"],
    "connection_state": ["flow.state"],
    "rule_name": ["alert.signature", "anomaly.event"],
    "http_request_method": ["http.http_method"],
    "url_original": ["http.url"],
    "user_agent_original": ["http.http_user_agent"],
    "http_response_status_code": ["http.status"],
    "tls_version": ["tls.version"],
    "tls_client_server_name": ["tls.sni"],
    "tls_client_ja3": ["tls.ja3.hash"],
    "file_path": ["fileinfo.filename"],
}
OF_FLOW = {
    "source_bytes": ["flow.bytes_toserver"],
    "destination_bytes": ["flow.bytes_toclient"],
    "source_packets": ["flow.pkts_toserver"],
    "destination_packets": ["flow.pkts_toclient"],
}
OF_DNS = {"dns_question_name": ["dns.rrname"], "dns_question_type": ["dns.rrtype"], "dns_response_code": ["dns.rcode"]}
OF_ALERT = {"rule_id": ["alert.signature_id"]}
TYPES = {
    "flow": (4001, "network", "connection"),
    "alert": (2004, "intrusion_detection", "alert"),
    "anomaly": (None, "network", "anomaly"),
    "dns": (4003, "network", "dns_query"),
    "http": (4002, "web", "http_request"),
    "tls": (None, "network", "tls_handshake"),
    "fileinfo": (1001, "file", "file_transfer"),
}
BOOK_KEEPING = {"event_id", "dataset", "raw", "source_file", "source_line"}


def differing_values(parts: Iterable[Parsed]) -> tuple[int, int]:
    """Return how many values differ, and how many were compared."""
    bad = compared = 0
    for part in parts:
        rows = part.events.to_pylist()
        for row, record in zip(rows, part.records, strict=True):
            expected = expected_event(orjson.loads(record))
            for column in EVENT.keys() - BOOK_KEEPING:
                found = row.get(column)
                bad += (dict(found) if column == "extra" else found) != expected.get(column)
                compared += 1
    return bad, compared


def expected_event(record: dict[str, Any]) -> dict[str, Any]:
    """Return what the event columns of a record should hold."""
    fields = dict(leaves(record))
    kind = fields.pop("event_type")
    logged = time_of(fields.pop("timestamp"))
    of_kind = {"flow": OF_FLOW, "dns": OF_DNS, "alert": OF_DNS | OF_ALERT}.get(kind, {})
    event: dict[str, Any] = {"time": logged}
    for column, names in (COPIED | of_kind).items():
        event[column] = next((fields.pop(name) for name in names if name in fields), None)
    event["class_uid"], event["event_category"], event["event_action"] = TYPES[kind]
    event["network_transport"] = lower(fields.pop("proto", None))
    event["network_protocol"] = lower(fields.pop("app_proto", None))
    if kind == "flow":
        event["time"], fields["timestamp"] = time_of(fields.pop("flow.start")), logged.isoformat()
        event["duration_s"] = (time_of(fields["flow.end"]) - event["time"]).total_seconds()
        event["event_outcome"] = "success" if event["destination_packets"] else "failure"
    elif kind == "alert":
        event["rule_id"], event["message"] = str(event["rule_id"]), event["rule_name"]
        event["event_severity"] = {1: 90, 2: 60, 3: 30}[fields["alert.severity"]]
    elif kind == "dns":
        event["network_protocol"] = "dns"
        answers = fields.get("dns.answers")
        event["event_action"] = "dns_answer" if fields["dns.type"] == "answer" else "dns_query"
        event["dns_answers"] = None if answers is None else [a["rdata"] for a in answers if "rdata" in a]
        event["event_outcome"] = {None: None, "NOERROR": "success"}.get(event["dns_response_code"], "failure")
    elif kind == "http" and event["http_response_status_code"] is not None:
        event["event_outcome"] = "success" if event["http_response_status_code"] < 400 else "failure"
    event["extra"] = {name: text(value) for name, value in fields.items() if value is not None}
    return event


def leaves(record: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields under their dotted names."""
    for key, value in record.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def text(value: Any) -> str:
    """Return a string as it is, all else as compact JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def time_of(stamp: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(stamp).astimezone(UTC)


def lower(value: str | None) -> str | None:
    """Return a name in small letters."""
    return None if value is None else value.lower()
