"""The flat fields of a document in the Elastic Common Schema → event columns. What has no column goes to `extra`."""

from __future__ import annotations

from typing import cast

from socml.formats._addresses import address
from socml.formats._cloud import moment
from socml.formats._fields import Fields
from socml.formats._json import text_of
from socml.formats._values import severity_of

__all__ = ["ECS_NAMES", "ecs_event"]

# ECS's own names first; then those of Beats before version 7 and of other shippers, Wazuh 5 among them
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "message": "message",
    "event_action": "event.action",
    "event_outcome": "event.outcome",
    "observer_name": ("observer.name", "observer.hostname", "agent.name", "agent.hostname", "beat.hostname",
                      "wazuh.cluster.node"),
    "host_name": ("host.name", "host.hostname", "hostname", "computer_name", "wazuh.agent.host.hostname", "wazuh.agent.name"),
    "user_name": ("user.name", "user.email", "user.id", "winlog.user.name"),
    "source_port": ("source.port", "client.port"),
    "destination_port": ("destination.port", "server.port", "url.port"),
    "network_protocol": ("network.protocol", "network.application"),
    "source_bytes": ("source.bytes", "client.bytes", "http.request.bytes"),
    "destination_bytes": ("destination.bytes", "server.bytes", "http.response.bytes", "http.response.body.bytes"),
    "source_packets": ("source.packets", "client.packets"),
    "destination_packets": ("destination.packets", "server.packets"),
    "network_community_id": "network.community_id",
    "dns_question_name": "dns.question.name",
    "dns_question_type": "dns.question.type",
    "dns_response_code": "dns.response_code",
    "http_request_method": "http.request.method",
    "url_original": ("url.original", "url.full", "url.path"),
    "http_response_status_code": "http.response.status_code",
    "user_agent_original": "user_agent.original",
    "tls_version": "tls.version",
    "tls_client_server_name": ("tls.client.server_name", "tls.sni"),
    "tls_client_ja3": "tls.client.ja3",
    "process_name": ("process.name", "process.executable"),
    "process_pid": "process.pid",
    "process_command_line": ("process.command_line", "process.args"),
    "process_parent_name": ("process.parent.name", "process.parent.executable"),
    "file_path": ("file.path", "file.name"),
    "rule_id": ("rule.id", "wazuh.rule.id", "wazuh.rule.sigma_id"),
    "rule_name": ("rule.name", "rule.description", "rule.title", "wazuh.rule.title"),
    "threat_name": ("threat.software.name", "threat.indicator.name"),
    "vulnerability_score": "vulnerability.score.base",
}  # fmt: skip
_ADDRESSES = {
    "source_ip": ("source.ip", "client.ip", "source.address"),
    "destination_ip": ("destination.ip", "server.ip", "destination.address"),
}
_HASHES = ("sha256", "sha1", "md5", "sha512")
_CLASS = {
    "authentication": (3002, "authentication"),
    "intrusion_detection": (2004, "intrusion_detection"),
    "malware": (2004, "malware"),
    "vulnerability": (2002, "vulnerability"),
    "process": (1007, "process"),
    "file": (1001, "file"),
    "iam": (3001, "iam"),
    "email": (4009, "email"),
    "web": (4002, "web"),
    "api": (6003, "cloud"),
}
_LEVELS = {"informational": 10, "low": 30, "medium": 50, "high": 70, "critical": 90}  # of Sigma's rules, on 0 to 100
_CHANGE = {"creation": "added", "deletion": "removed", "change": "changed"}
ECS_NAMES = frozenset({"ecs.version", "event.category", "event.kind", "event.action", "event.dataset", "event.module"})


def ecs_event(found: dict[str, object]) -> dict[str, object]:
    """Return the event columns of one document. `event.duration` is nanoseconds.

    Raises
    ------
    ValueError
        Naming the field whose value does not fit.

    Examples
    --------
    >>> event = ecs_event({"@timestamp": "2024-02-29T13:06:56Z", "event.category": ["network"], "event.duration": 5e9,
    ...     "source.ip": "10.0.0.1", "destination.ip": "10.0.0.2", "network.transport": "TCP"})
    >>> event["class_uid"], event["duration_s"], event["network_transport"]
    (4001, 5.0, 'tcp')
    """
    fields = Fields(found)
    row: dict[str, object] = {"time": moment(_first(fields.take("@timestamp")))}
    for column, names in _ADDRESSES.items():
        value = _first(fields.peek(*names))
        ip = address(text_of(value))
        if ip:
            name = next(n for n in names if fields.peek(n) is not None)
            row[column] = ip
            fields.take(name)
    if isinstance(fields.peek("process.args"), list) and fields.peek("process.command_line") is None:
        row["process_command_line"] = " ".join(map(str, cast("list[object]", fields.take("process.args"))))
    for name, value in fields.columns(_single(fields)).items():
        row.setdefault(name, value)
    row |= _converted(fields)
    category = _first(fields.peek("event.category"))
    row["class_uid"], row["event_category"] = _what(category, row)
    if "wazuh.rule.level" in found:  # a finding: a copy of the event that a rule met
        row["class_uid"], row["event_category"] = 2004, row["event_category"] or "intrusion_detection"
    row["extra"] = fields.rest()
    return row


def _single(fields: Fields) -> dict[str, str | tuple[str, ...]]:
    """Unwrap lists of one value, which ECS allows everywhere; return the columns to take."""
    for names in _COLUMNS.values():
        for name in (names,) if isinstance(names, str) else names:
            value = fields.peek(name)
            if isinstance(value, list) and len(value) == 1:
                fields.replace(name, value[0])
    return _COLUMNS


def _converted(fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {}
    transport = fields.text("network.transport")
    if transport:
        row["network_transport"] = transport.lower()
    duration = fields.peek("event.duration")
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        fields.take("event.duration")
        row["duration_s"] = duration / 1e9
    row |= _severity(fields)
    algorithm = next((h for h in _HASHES if isinstance(fields.peek(f"file.hash.{h}"), str)), None)
    if algorithm:
        row["file_hash"] = f"{algorithm}:{fields.take(f'file.hash.{algorithm}')}"
    for column, name in (
        ("threat_technique_id", "threat.technique.id"),
        ("threat_technique_id", "wazuh.rule.mitre.technique.id"),
        ("dns_answers", "dns.resolved_ip"),
    ):
        value = fields.take(name)
        if value is not None:
            row[column] = [text_of(v) for v in (value if isinstance(value, list) else [value])]
    answers = fields.peek("dns.answers")
    if isinstance(answers, list) and all(isinstance(a, dict) for a in answers):
        row["dns_answers"] = [text_of(a["data"]) for a in answers if a.get("data") is not None]
    identifier = _first(fields.peek("vulnerability.id"))
    if identifier is not None:
        row["vulnerability_id"] = text_of(identifier)
    kind = _first(fields.peek("event.type"))
    if isinstance(kind, str) and kind in _CHANGE and "file" in str(fields.peek("event.category")):
        row["file_change"] = _CHANGE[kind]
    return row


def _severity(fields: Fields) -> dict[str, object]:
    level = str(_first(fields.peek("wazuh.rule.level", "rule.level")))
    if level in _LEVELS:
        return {"event_severity": _LEVELS[level]}
    severity = fields.peek("event.severity")
    if isinstance(severity, int) and 0 <= severity <= 100:
        return {"event_severity": fields.take("event.severity")}
    return {"event_severity": severity_of(fields.peek("log.level") or "")}


def _what(category: object, row: dict[str, object]) -> tuple[int | None, str | None]:
    if row.get("dns_question_name"):
        return 4003, "network"
    if isinstance(category, str) and category in _CLASS:
        return _CLASS[category]
    if row.get("http_request_method"):
        return 4002, "web"
    if row.get("source_ip") and row.get("destination_ip"):
        return 4001, "network"
    return None, text_of(category)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value
