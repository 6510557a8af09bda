"""The flat fields of an OCSF event → event columns. What has no column goes to `extra`."""

from __future__ import annotations

from typing import cast

from socml.formats._addresses import address
from socml.formats._cloud import moment
from socml.formats._columns import LATEST_S
from socml.formats._fields import Fields
from socml.formats._json import text_of

__all__ = ["ocsf_event"]

_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "message": "message",
    "event_action": ("activity_name", "api.operation"),
    "observer_name": ("metadata.product.name",),
    "host_name": ("device.hostname", "device.name", "http_request.url.hostname", "dst_endpoint.hostname"),
    "user_name": ("actor.user.name", "user.name", "actor.user.email_addr", "user.email_addr", "actor.user.uid"),
    "source_port": "src_endpoint.port",
    "destination_port": "dst_endpoint.port",
    "network_transport": "connection_info.protocol_name",
    "network_protocol": "app_name",
    "source_bytes": "traffic.bytes_out",
    "destination_bytes": "traffic.bytes_in",
    "source_packets": "traffic.packets_out",
    "destination_packets": "traffic.packets_in",
    "network_community_id": ("connection_info.community_uid", "unmapped.community_id"),
    "dns_question_name": "query.hostname",
    "dns_question_type": "query.type",
    "dns_response_code": "rcode",
    "http_request_method": "http_request.http_method",
    "url_original": ("http_request.url.url_string", "http_request.url.path", "url.url_string"),
    "http_response_status_code": ("http_response.code", "http_status"),
    "user_agent_original": "http_request.user_agent",
    "tls_version": "tls.version",
    "tls_client_server_name": "tls.sni",
    "tls_client_ja3": "tls.ja3_hash.value",
    "process_name": "process.name",
    "process_pid": "process.pid",
    "process_command_line": "process.cmd_line",
    "process_parent_name": "process.parent_process.name",
    "file_path": ("file.path", "file.name"),
    "rule_id": ("finding_info.uid", "finding.uid", "rule.uid"),
    "rule_name": ("finding_info.title", "finding.title", "rule.name"),
}
_OF_ACTOR = {  # a process that did something; where a process is what was done, the one that began it
    "process_name": "actor.process.name",
    "process_pid": "actor.process.pid",
    "process_command_line": "actor.process.cmd_line",
    "process_parent_name": "actor.process.parent_process.name",
}
_SEVERITY = {1: 10, 2: 30, 3: 50, 4: 70, 5: 90, 6: 100}  # informational … fatal; 0 and 99 do not say
_STATUS = {1: "success", 2: "failure"}
_CATEGORY = {1: "host", 2: "intrusion_detection", 3: "iam", 4: "network", 5: "discovery", 6: "application"}
_CLASSES = {1001: "file", 1007: "process", 2002: "vulnerability", 3002: "authentication", 4002: "web", 4009: "email"}


def ocsf_event(found: dict[str, object]) -> dict[str, object]:
    """Return the event columns of one OCSF event. `time` is milliseconds, or seconds where a mapper
    got it wrong, and `duration` with it.

    Raises
    ------
    ValueError
        Naming the field whose value does not fit.

    Examples
    --------
    >>> event = ocsf_event({"class_uid": 4001, "time": 1709208416250, "src_endpoint.ip": "10.0.0.1", "severity_id": 1})
    >>> event["time"].isoformat(), event["source_ip"], event["event_severity"]
    ('2024-02-29T12:06:56.250000+00:00', '10.0.0.1', 10)
    """
    fields = Fields(found)
    stamp = fields.peek("time", "time_dt", "start_time")
    row: dict[str, object] = {"time": moment(fields.take("time", "time_dt", "start_time"))}
    row |= fields.columns({"class_uid": "class_uid"})
    for column, name in (("source_ip", "src_endpoint.ip"), ("destination_ip", "dst_endpoint.ip")):
        row[column] = address(text_of(fields.peek(name)))
        if row[column]:
            fields.take(name)
    message = fields.peek("message")
    if isinstance(message, list):
        fields.replace("message", "; ".join(map(str, message)))
    row |= fields.columns(_COLUMNS)
    _take_actor(row, fields)
    if row.get("network_transport"):
        row["network_transport"] = str(row["network_transport"]).lower()
    row |= _duration(fields, stamp)
    row["event_severity"] = _SEVERITY.get(cast("int", fields.peek("severity_id")))
    row["event_outcome"] = _STATUS.get(cast("int", fields.peek("status_id")))
    kind = cast("int", row.get("class_uid") or 0)
    row["event_category"] = _CLASSES.get(kind, _CATEGORY.get(kind // 1000))
    row |= _lists(fields)
    row["extra"] = fields.rest()
    return row


def _take_actor(row: dict[str, object], fields: Fields) -> None:
    """Fill in what the process of the actor is: the parent of the event's own process, and else the event's process."""
    if any(row.get(name) is not None for name in ("process_name", "process_pid", "process_command_line")):
        if row.get("process_parent_name") is None:
            row |= fields.columns({"process_parent_name": "actor.process.name"})
    else:
        row |= fields.columns(_OF_ACTOR)


def _duration(fields: Fields, stamp: object) -> dict[str, object]:
    duration = fields.peek("duration")
    if not isinstance(duration, (int, float)) or isinstance(duration, bool):
        return {}
    in_seconds = isinstance(stamp, (int, float)) and stamp < LATEST_S  # then so is the duration
    fields.take("duration")
    return {"duration_s": duration / (1 if in_seconds else 1000)}


def _lists(fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {}
    answers = fields.peek("answers")
    if isinstance(answers, list) and all(isinstance(a, dict) for a in answers):
        row["dns_answers"] = [text_of(a["rdata"]) for a in answers if a.get("rdata") is not None]
    attacks = fields.peek("attacks", "finding_info.attacks")
    if isinstance(attacks, list):
        uids = [a.get("technique", {}).get("uid") for a in attacks if isinstance(a, dict)]
        row["threat_technique_id"] = [str(u) for u in uids if u] or None
    weak = fields.peek("vulnerabilities")
    if isinstance(weak, list) and weak and isinstance(weak[0], dict):
        row["vulnerability_id"] = text_of((weak[0].get("cve") or {}).get("uid"))
    return row
