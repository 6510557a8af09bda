"""Rows of Microsoft Sentinel's tables → event columns, whether they came as JSON or as CSV.

Each table's row is turned back into what it was made of: CEF's fields, a Windows event's, an Entra ID record's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, datetime
from html import unescape
from typing import Any

import orjson

from socml.formats._cef_event import event_of_fields
from socml.formats._cloud import azure
from socml.formats._device_events import DEVICE_COLUMNS, device_fields
from socml.formats._field_names import flat_fields
from socml.formats._guess import guessed_row
from socml.formats._inner import header_event, with_inner
from socml.formats._json import extra_of, flatten, is_too_deep, loads_exactly
from socml.formats._remembered import remembered
from socml.formats._times import Clock, iso, why_no_time
from socml.formats._values import severity_of
from socml.formats._windows import windows_event

__all__ = ["generated_time", "is_sentinel", "sentinel_row"]

_Reader = Callable[[Mapping[str, Any], Clock], dict[str, Any]]

_NAMES = {
    "DeviceVendor": "vendor",
    "DeviceProduct": "product",
    "DeviceVersion": "version",
    "DeviceEventClassID": "signature",
    "Activity": "name",
    "LogSeverity": "severity",
    "ReceiptTime": "rt",
    "EndTime": "end",
    "StartTime": "start",
    "DeviceAction": "act",
    "EventOutcome": "outcome",
    "Message": "msg",
    "SourceIP": "src",
    "SourcePort": "spt",
    "SourceHostName": "shost",
    "SourceUserName": "suser",
    "SourceProcessName": "sproc",
    "SourceProcessId": "spid",
    "DestinationIP": "dst",
    "DestinationPort": "dpt",
    "DestinationHostName": "dhost",
    "DestinationUserName": "duser",
    "DestinationProcessName": "dproc",
    "DestinationProcessId": "dpid",
    "DeviceName": "dvchost",
    "DeviceAddress": "dvc",
    "Protocol": "proto",
    "ApplicationProtocol": "app",
    "RequestURL": "request",
    "RequestMethod": "requestMethod",
    "RequestClientApplication": "requestClientApplication",
    "FileName": "fname",
    "FilePath": "filePath",
    "FileHash": "fileHash",
    "SentBytes": "out",
    "ReceivedBytes": "in",
}
_DATA = re.compile(r'<Data Name="([^"<>]{1,200})">([^<]{0,10000})</Data>')
_LONGEST_CELL = 1 << 20  # characters of a cell that is read as JSON
_CUSTOM = re.compile(r"DeviceCustom(String|Number|IPv6Address|Date)(\d)(Label)?$")
_SHORT = {"String": "cs", "Number": "cn", "IPv6Address": "c6a", "Date": "deviceCustomDate"}
_PAIR = re.compile(r"(?:^|;)(?P<key>\w{1,60})=")
_GENERATED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6}))? ([AP]M)$")

_TEXTS = ("SyslogMessage", "RawData", "Message", "msg", "RenderedDescription")  # which may be records
_ALWAYS_JSON = {"status", "initiatedBy"}  # if they begin as an object: one that is broken says that the row is
_LOWER = re.compile(r"[A-Z]+?(?=[A-Z][a-z]|[a-z_\d]|$)")
_ENTRA = {
    "timeGenerated": "time",
    "operationNameValue": "operationName.value",
    "activityStatusValue": "status.value",
    "callerIPAddress": "callerIpAddress",
}


def sentinel_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of any table, by its `Type`, else by its columns.

    What is nested as JSON in a cell is read as well; of a table that is not known, by what tools usually call things, and a
    cell that is a record (of syslog, CEF, Windows) by its own reader.

    Raises
    ------
    ValueError
        In words, for a value that does not fit.
    """
    found = {name: value for name, value in given.items() if value not in (None, "")}
    table = str(found.get("Type", ""))
    read = _TABLES.get(table) or next((read for names, read in _COLUMNS if names <= found.keys()), _any_row)
    return read({name: value for name, value in found.items() if name != "Type" or read is _any_row}, clock)


def is_sentinel(names: Iterable[str], table: str = "") -> bool:
    """Return whether columns are those of a table that is known.

    Examples
    --------
    >>> is_sentinel(["TimeGenerated", "EventID", "Computer", "Activity"]), is_sentinel(["TimeGenerated", "a"])
    (True, False)
    """
    present = set(names)
    if "Timestamp" in present and present >= DEVICE_COLUMNS:
        return True
    return "TimeGenerated" in present and (table in _TABLES or any(columns <= present for columns, _ in _COLUMNS))


def _cef_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of CommonSecurityLog. Raises ValueError, in words, for what does not fit."""
    found = {_short(name): value for name, value in given.items() if value not in (None, "")}
    more = str(found.pop("AdditionalExtensions", ""))
    for key, value in _pairs(more):
        found.setdefault(key, value)
    generated = next((found.pop(n) for n in ("TimeGenerated [UTC]", "TimeGenerated") if n in found), None)
    row = event_of_fields(found, clock)
    if generated is not None:
        row["time"] = row["time"] or generated_time(str(generated), clock)
        extra_of(row)["TimeGenerated"] = str(generated)
    return row


def _security_event_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of SecurityEvent, whose names are mostly those of the event's XML."""
    found = dict(given)
    generated = found.pop("TimeGenerated", None)
    if generated is not None:
        found["TimeCreated"] = generated_time(str(generated), clock).isoformat()
    if "Activity" in found:
        found.setdefault("Message", found.pop("Activity"))
    return windows_event(found, clock)


def _entra_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of SigninLogs, AuditLogs or AzureActivity; what is nested is JSON in a cell."""
    found: dict[str, object] = {}
    target = None
    for name, value in given.items():
        lower = _entra_name(name)
        nested = loads_exactly(str(value).encode()) if lower in _ALWAYS_JSON and _is_object(value) else _nested(value)
        if isinstance(nested, dict):
            found |= flatten({lower: nested})
        else:
            found[lower] = value
        if lower == "targetResources" and isinstance(nested, list) and nested and isinstance(nested[0], dict):
            target = nested[0].get("userPrincipalName") or nested[0].get("displayName")
    if "time" in found:
        found["time"] = generated_time(str(found["time"]), clock).isoformat()
    row = azure(found)
    return row if not isinstance(target, str) else {**row, "target_user_name": target}


def _windows_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of WindowsEvent or Event, whose data stand in a cell, as JSON or as XML."""
    found = dict(given)
    data = _nested(found.get("EventData"))
    if isinstance(data, dict):
        del found["EventData"]
        found |= {name: value for name, value in flatten(data).items() if name not in found}
    else:
        found |= {n: unescape(v) for n, v in _DATA.findall(str(found.get("EventData", "")))}
    for own, name in (("Channel", "EventLog"), ("ProviderName", "Source"), ("Message", "RenderedDescription")):
        if name in found:
            found.setdefault(own, found.pop(name))
    return _security_event_row(found, clock)


def _any_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of any other table."""
    found: dict[str, object] = {}
    for name, value in given.items():
        nested = None if name in _TEXTS else _nested(value)
        if isinstance(nested, (dict, list)):
            found |= flat_fields({name: nested})
        else:
            found[name.removesuffix("_s") or name] = value
    generated = found.pop("TimeGenerated", None)
    row = guessed_row({name: value for name, value in found.items() if name not in ("Type", "TenantId")}, clock)[0]
    if generated is not None:
        row["time"] = generated_time(str(generated), clock)
    row["extra"] = extra_of(row) | {name: str(found[name]) for name in ("Type",) if name in found}
    for name in _TEXTS:
        if isinstance(found.get(name), str):
            row.setdefault("message", found[name])
            return with_inner(row, found[name], clock)
    return row


def _syslog_row(given: Mapping[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of a row of Syslog, its message read as one of its program."""
    message, program = str(given.get("SyslogMessage", "")), str(given.get("ProcessName", ""))
    host = given.get("HostName") or given.get("Computer")
    found: dict[str, str | None] = {
        "host": None if host is None else str(host),
        "tag": program,
        "pid": str(given.get("ProcessID", "")),
        "message": message,
    }
    row = header_event({**found, "stamp": "-"}, clock)
    row["time"] = generated_time(str(given["TimeGenerated"]), clock) if "TimeGenerated" in given else None
    row["event_severity"] = severity_of(given.get("SeverityLevel"))
    taken = ("TimeGenerated", "SyslogMessage", "ProcessName", "HostName", "ProcessID")
    row["extra"] = extra_of(row) | {name: str(value) for name, value in given.items() if name not in taken}
    return row


def _is_object(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{")


def _nested(value: object) -> object:
    """Return the object or list that a cell holds; None if it holds neither."""
    if isinstance(value, (dict, list)):
        return value
    text = str(value).strip()
    if not text.startswith(("{", "[")) or len(text) > _LONGEST_CELL:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return None if is_too_deep(text.encode(), found) else found


@remembered(1000)
def _entra_name(name: str) -> str:
    """Return a column's name as diagnostic settings write it: `IPAddress` is `ipAddress` there."""
    lower = _LOWER.sub(lambda capitals: capitals[0].lower(), name, count=1)
    return _ENTRA.get(lower, lower)


def generated_time(text: str, clock: Clock) -> datetime:
    """Return the time of a cell: ISO 8601, or as the portal writes it, month first, in UTC.

    Raises
    ------
    ValueError
        In words, if it is none.

    Examples
    --------
    >>> generated_time("2/29/2024, 1:06:56.25 PM", Clock(None, None, None)).isoformat()
    '2024-02-29T13:06:56.250000+00:00'
    """
    found = _GENERATED.match(text)
    if found is None:
        return iso(text, clock)
    month, day, year, hour, minute, second = (int(found[i]) for i in range(1, 7))
    hour = hour % 12 + (12 if found[8] == "PM" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")), UTC)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a time: {why_no_time(error)}") from None


def _short(name: str) -> str:
    custom = _CUSTOM.match(name)
    if custom:
        return f"{_SHORT[custom[1]]}{custom[2]}{custom[3] or ''}"
    return _NAMES.get(name, name)


def _pairs(text: str) -> list[tuple[str, str]]:
    keys = list(_PAIR.finditer(text))
    ends = [*(key.start() for key in keys[1:]), len(text)] if keys else []
    return [(key["key"], text[key.end() : end]) for key, end in zip(keys, ends, strict=True)]


_TABLES: dict[str, _Reader] = {
    "CommonSecurityLog": _cef_row,
    "SecurityEvent": _security_event_row,
    "WindowsEvent": _windows_row,
    "Event": _windows_row,
    "Syslog": _syslog_row,
    "SigninLogs": _entra_row,
    "AADNonInteractiveUserSignInLogs": _entra_row,
    "AADServicePrincipalSignInLogs": _entra_row,
    "AADManagedIdentitySignInLogs": _entra_row,
    "AuditLogs": _entra_row,
    "AzureActivity": _entra_row,
}
_COLUMNS: tuple[tuple[Set[str], _Reader], ...] = (
    (DEVICE_COLUMNS, lambda given, clock: _any_row(device_fields(given), clock)),
    ({"DeviceVendor", "DeviceProduct"}, _cef_row),
    ({"EventID", "Computer", "Activity"}, _security_event_row),
    ({"EventID", "Computer", "EventSourceName"}, _security_event_row),
    ({"EventID", "Computer", "EventData"}, _windows_row),
    ({"SyslogMessage", "Computer"}, _syslog_row),
    ({"UserPrincipalName", "ResultType"}, _entra_row),
    ({"UserPrincipalName", "AppDisplayName"}, _entra_row),
    ({"InitiatedBy", "OperationName"}, _entra_row),
    ({"Caller", "OperationNameValue"}, _entra_row),
)
