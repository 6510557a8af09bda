"""The fields of a Windows event, under the names of its XML → event columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from socml.formats._addresses import address
from socml.formats._fields import Fields
from socml.formats._guess import guessed_row
from socml.formats._times import Clock, epoch, iso
from socml.formats._windows_description import described, lines_of
from socml.formats._windows_ids import kind_of

__all__ = ["windows_event"]

_ZONED = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_TECHNIQUE = re.compile(r"technique_id=(T\d{4}(?:\.\d{3})?)")
_SEVERITY = {"0": 10, "1": 100, "2": 60, "3": 40, "4": 10, "5": 0}  # 1 critical, 2 error, 3 warning, 4 information
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"}
_HASHES = ("SHA256", "SHA1", "MD5")
_FAILED_AUDIT, _PASSED_AUDIT = 1 << 52, 1 << 53
_PROGRAM = ("NewProcessName", "Image", "SourceImage", "ProcessName", "Application", "HostApplication")
_PID = ("NewProcessId", "ProcessId", "SourceProcessId", "ProcessID")
_PARENT = ("ParentProcessName", "ParentImage")
_ADDRESSES = {
    "source_ip": ("SourceIp", "SourceAddress", "IpAddress", "ClientAddress", "Address"),
    "destination_ip": ("DestinationIp", "DestAddress"),
}
_PORTS = {
    "source_port": ("SourcePort", "IpPort", "ClientPort"),
    "destination_port": ("DestinationPort", "DestPort"),
}
_DATA = frozenset({"TargetUserName", "SubjectUserName", "IpAddress", "Image", "NewProcessName", "UserName", "SourceIp"})
_CHANNELS = {
    "Microsoft-Windows-Security-Auditing": "Security",
    "Microsoft-Windows-Sysmon": "Microsoft-Windows-Sysmon/Operational",
    "Microsoft-Windows-PowerShell": "Microsoft-Windows-PowerShell/Operational",
}
_FILES = (
    "TargetFilename",
    "ImageLoaded",
    "ObjectName",
    "RelativeTargetName",
    "ShareName",
    "ServiceFileName",
    "ImagePath",
)
_OF_REMOTE = {
    "Param1": "TargetUserName",
    "Param2": "TargetDomainName",
    "Param3": "IpAddress",
}  # of remote desktop's log
_BY_STATUS = {"kerberos_ticket_granting", "kerberos_service_ticket", "ntlm_validation"}
_CHANGES = {"file_created": "added", "executable_created": "added", "file_deleted": "removed"}
_BY_NAME = (
    "user_name",
    "source_ip",
    "source_port",
    "destination_ip",
    "destination_port",
    "event_outcome",
    "dns_question_name",
    "file_path",
)
AUTHENTICATION = 3002
_OF_TARGET = {"remote_logon", "logon", "explicit_credentials", "logoff", "kerberos_ticket_granting", "kerberos_service_ticket", "kerberos_preauthentication",
              "ntlm_validation", "special_privileges_of_target", "group_membership"}  # fmt: skip


def windows_event(found: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of an event's fields; `-`, as Windows writes it, is a missing value.

    Raises
    ------
    ValueError
        In words, if it has neither a number nor a channel, or its time is none.
    """
    given = {_OF_REMOTE.get(k, k): v for k, v in found.items() if v not in ("-", "", None)}
    fields = Fields(_with_description(given))
    number = fields.peek("EventID")
    channel = str(fields.peek("Channel") or _CHANNELS.get(str(fields.peek("ProviderName", "SourceName")), ""))
    if number is None and not channel:
        raise ValueError("not a Windows event: it has neither EventID nor Channel")
    kind = kind_of(channel, _number(number))
    row: dict[str, object] = {
        "time": _time(fields, clock),
        "class_uid": kind.class_uid,
        "event_category": kind.category,
        "event_action": kind.action,
        "event_outcome": kind.outcome or _outcome(fields, kind.action),
        "event_severity": 60 if kind.action == "log_cleared" else _SEVERITY.get(str(fields.peek("Level"))),
        "host_name": fields.text("Computer", "Hostname", "computer_name"),
        "message": fields.text("Message", "ScriptBlockText", "Payload"),
    }
    row["user_name"] = _user(fields, kind.action)
    row |= _accounts(fields)
    row["process_name"] = _last(fields.peek(*_PROGRAM))
    row["process_parent_name"] = _last(fields.peek(*_PARENT))
    row["process_pid"] = _number(fields.peek(*_PID))
    row["process_command_line"] = fields.text("CommandLine", "ProcessCommandLine")
    row |= _network(fields)
    row |= _file(fields, row)
    row |= _rule(fields)
    if kind.class_uid == 4003:
        row |= _dns(fields)
    row["extra"] = fields.rest()
    return _by_names(row, given, clock) if kind.action.startswith("event_") else row


def _by_names(row: dict[str, object], given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the columns of an event of an unknown number, with what its fields tell by their names where it says nothing."""
    texts = {name: value for name, value in given.items() if isinstance(value, str) and not value.startswith("S-1-")}
    guessed = guessed_row(texts, clock)[0]
    empty = {name: guessed[name] for name in _BY_NAME if guessed.get(name) is not None and row.get(name) is None}
    if guessed.get("class_uid") == AUTHENTICATION and {"user_name", "source_ip"} & empty.keys():
        empty |= {"class_uid": AUTHENTICATION, "event_category": "authentication"}
    return row | empty


def _with_description(found: dict[str, object]) -> dict[str, object]:
    """Return an event's fields; of one that came without its data, what its description tells."""
    message = found.get("Message")
    if not isinstance(message, str) or not _DATA.isdisjoint(found):
        return found
    return described(lines_of(message)) | found


def _time(fields: Fields, clock: Clock) -> datetime | None:
    """Return when it happened: by Windows's own time in UTC, else Sysmon's, else when it was collected."""
    written = fields.peek("TimeCreated", "SystemTime")
    if isinstance(written, (int, float)):
        fields.take("TimeCreated", "SystemTime")
        return epoch(written)
    if written is not None and not _ZONED.search(str(written)):  # a local time: Sysmon's own says the same in UTC
        own = fields.take("UtcTime")
        if own is not None:
            return iso(_shortened(str(own)))
        fields.take("TimeCreated", "SystemTime")
        clock.say_zone()
        return iso(_shortened(str(written)), clock)
    written = fields.take("TimeCreated", "SystemTime") or fields.take("UtcTime") or fields.take("@timestamp")
    if written is not None:
        return iso(_shortened(str(written)))
    local = fields.take("EventTime")
    return None if local is None else iso(_shortened(str(local)), clock)


def _shortened(text: str) -> str:
    """Return a time with at most 6 digits after the second, as it is to be read: Windows writes 7, or 9."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _outcome(fields: Fields, action: str) -> str | None:
    """Return success or failure, by the audit bits of the event's keywords, or by a status."""
    event_type = str(fields.peek("EventType") or "")
    if event_type in ("AUDIT_SUCCESS", "AUDIT_FAILURE"):
        return event_type.removeprefix("AUDIT_").lower()
    bits = _number(fields.peek("Keywords"))
    if bits is not None and bits & (_FAILED_AUDIT | _PASSED_AUDIT):
        return "failure" if bits & _FAILED_AUDIT else "success"
    status = _number(fields.peek("Status", "Error Code", "Result Code")) if action in _BY_STATUS else None
    return None if status is None else "failure" if status else "success"


def _user(fields: Fields, action: str) -> str | None:
    """Return the account it is about, without its domain: who logged on, or else who acted."""
    names = ["User", "SubjectUserName", "TargetUserName", "SourceUser", "UserName", "AccountName", "param1"]
    if action in _OF_TARGET:
        names = ["TargetUserName", "LogonUser", *names]
    text = str(fields.peek(*names) or "")
    return text.rsplit("\\", 1)[-1] or None


def _accounts(fields: Fields) -> dict[str, object]:
    """Return who acts and whose account is used or changed, where a record names both and they differ."""
    acting, target = (str(fields.peek(name) or "") for name in ("SubjectUserName", "TargetUserName"))
    if not acting or not target or acting == target:
        return {}
    return {"acting_user_name": acting, "target_user_name": target}


def _network(fields: Fields) -> dict[str, object]:
    row: dict[str, object] = {}
    for column, names in _ADDRESSES.items():
        name = next((n for n in names if address(str(fields.peek(n) or ""))), None)
        if name:
            row[column] = address(fields.text(name))
    for column, names in _PORTS.items():
        port = _number(fields.peek(*names))
        if port is not None and 0 < port < 65536:
            fields.take(*names)
            row[column] = port
    if row and fields.peek("Protocol"):
        protocol = str(fields.take("Protocol")).lower()
        row["network_transport"] = _PROTOCOLS.get(protocol, protocol)
    return row


def _file(fields: Fields, row: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    path = fields.peek(*_FILES)
    is_file = fields.peek("ObjectType") in (None, "File") or fields.peek("ObjectName") is None
    if path is not None and is_file:
        found["file_path"] = str(path)
        found["file_change"] = _CHANGES.get(str(row["event_action"]))
        if found["file_change"] is None and row["event_action"] == "file_time_changed":
            found["file_change"] = "changed"
        if fields.peek("ObjectType") == "File" and row["class_uid"] is None:
            found |= {"class_uid": 1001, "event_category": "file"}
    hashes = dict(part.split("=", 1) for part in str(fields.peek("Hashes", "Hash") or "").split(",") if "=" in part)
    name = next((n for n in _HASHES if n in hashes), None)
    if name:
        found["file_hash"] = f"{name.lower()}:{hashes[name].lower()}"
    return found


def _rule(fields: Fields) -> dict[str, object]:
    """Return what Sysmon's configuration says of an event: its rule's name, and the technique in it."""
    name = fields.text("RuleName")
    techniques = _TECHNIQUE.findall(name or "")
    return {"rule_name": name, "threat_technique_id": techniques or None}


def _dns(fields: Fields) -> dict[str, object]:
    status, answers = fields.text("QueryStatus"), fields.text("QueryResults")
    given = [a.strip().removeprefix("::ffff:") for a in (answers or "").split(";") if a.strip()]
    return {
        "dns_question_name": fields.text("QueryName"),
        "dns_response_code": "NOERROR" if status == "0" else status,
        "dns_answers": given or None,
        "event_outcome": None if status is None else "success" if status == "0" else "failure",
        "network_protocol": "dns",
    }


def _number(value: object) -> int | None:
    """Return a number that may be written in hexadecimal digits; None if it is none, or over 64 bits."""
    try:
        number = int(cast("int", value)) if not isinstance(value, str) else int(value, 0)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(1 << 63) <= number < 1 << 64 else None


def _last(path: object) -> str | None:
    """Return the program's name, without its folders; the path stays in its own field."""
    return str(path).replace("/", "\\").rsplit("\\", 1)[-1] or None if path else None
