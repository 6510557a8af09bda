"""The fields of one Splunk result → event columns, by the names of Splunk's Common Information Model."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from socml.formats._addresses import address
from socml.formats._cloud import moment
from socml.formats._fields import Fields
from socml.formats._inner import with_inner
from socml.formats._json import text_of
from socml.formats._stamps import time_of
from socml.formats._times import Clock, epoch

__all__ = ["splunk_event"]

_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "message": "_raw",
    "host_name": ("host", "dvc_host", "dest_host"),
    "observer_name": ("dvc", "sensor"),
    "user_name": ("user", "src_user", "user_id", "Account_Name"),
    "source_port": "src_port",
    "destination_port": "dest_port",
    "network_transport": ("transport", "protocol_name"),
    "network_protocol": ("app", "service"),
    "source_bytes": "bytes_out",
    "destination_bytes": "bytes_in",
    "source_packets": "packets_out",
    "destination_packets": "packets_in",
    "dns_question_name": "query",
    "dns_question_type": ("record_type", "query_type"),
    "dns_response_code": "reply_code",
    "http_request_method": "http_method",
    "url_original": ("url", "uri", "uri_path"),
    "user_agent_original": "http_user_agent",
    "process_name": ("process_name", "Image"),
    "process_command_line": ("process", "CommandLine"),
    "process_parent_name": ("parent_process_name", "ParentImage"),
    "file_path": ("file_path", "TargetFilename"),
    "rule_id": ("signature_id", "rule_id"),
    "rule_name": ("signature", "rule_name", "search_name"),
    "vulnerability_id": "cve",
    "event_action": ("action", "name", "EventType"),
}
_SEVERITY = {"informational": 10, "low": 30, "medium": 50, "high": 70, "critical": 90}
_OUTCOME = {"success": "success", "allowed": "success", "failure": "failure", "blocked": "failure", "denied": "failure"}


def splunk_event(found: dict[str, object], clock: Clock | None = None) -> dict[str, object]:
    """Return the event columns of one result, and of the record that its `_raw` is. A field of several values is a list, and goes to `extra` as JSON.

    Examples
    --------
    >>> event = splunk_event({"_time": "2024-02-29T13:06:56.000+01:00", "_raw": "x", "src": "10.0.0.1", "action": "blocked"})
    >>> event["time"].isoformat(), event["source_ip"], event["event_outcome"]
    ('2024-02-29T12:06:56+00:00', '10.0.0.1', 'failure')
    """
    fields = Fields({name: value for name, value in found.items() if not isinstance(value, list) or value})
    row: dict[str, object] = {"time": _when(fields.take("_time", "time"))}
    for column, names in (("source_ip", ("src_ip", "src")), ("destination_ip", ("dest_ip", "dest"))):
        name = next((n for n in names if address(text_of(fields.peek(n)))), None)
        if name:
            row[column] = address(text_of(fields.take(name)))
    for name in list(_names(fields)):
        if isinstance(fields.peek(name), list):
            values = cast("list[object]", fields.take(name))
            fields.replace(name, values[0])
            fields.replace(f"{name}.all", values)
    status = text_of(fields.peek("status"))
    if status and status.isdecimal() and 100 <= int(status) <= 599:
        row["http_response_status_code"] = int(status)
        fields.take("status")
    row |= fields.columns(_COLUMNS)
    if row.get("network_transport"):
        row["network_transport"] = str(row["network_transport"]).lower()
    row["event_severity"] = _SEVERITY.get(str(fields.peek("severity", "urgency")).lower())
    row["event_outcome"] = _OUTCOME.get(str(row.get("event_action")).lower())
    row["event_category"] = text_of(fields.peek("tag", "eventtype"))
    row["extra"] = fields.rest()
    return with_inner(row, row.get("message"), clock or Clock(None, None, None))


def _names(fields: Fields) -> list[str]:
    wanted = [(names,) if isinstance(names, str) else names for names in _COLUMNS.values()]
    return [name for names in wanted for name in names if name in fields]


def _when(value: object) -> datetime | None:
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        return epoch(value)
    return time_of(value, Clock(None, None, None)) if isinstance(value, str) and value[-1:].isalpha() else moment(value)
