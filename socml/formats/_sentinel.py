"""Rows of Microsoft Sentinel's tables → event columns, whether they came as JSON or as CSV.

Each table's row is turned back into what it was made of: CEF's fields, a Windows event's, an Entra ID record's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from socml.formats._cef_event import event_of_fields
from socml.formats._cloud import azure
from socml.formats._json import flatten, loads_exactly
from socml.formats._times import Clock, iso
from socml.formats._windows import windows_event

__all__ = ["cef_row", "entra_row", "generated_time", "security_event_row"]

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
_CUSTOM = re.compile(r"DeviceCustom(String|Number|IPv6Address|Date)(\d)(Label)?$")
_SHORT = {"String": "cs", "Number": "cn", "IPv6Address": "c6a", "Date": "deviceCustomDate"}
_PAIR = re.compile(r"(?:^|;)(?P<key>\w{1,60})=")
_GENERATED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6}))? ([AP]M)$")

_LOWER = re.compile(r"[A-Z]+?(?=[A-Z][a-z]|[a-z_\d]|$)")
_NESTED = {"status", "initiatedBy"}
_ENTRA = {
    "timeGenerated": "time",
    "operationNameValue": "operationName.value",
    "activityStatusValue": "status.value",
    "callerIPAddress": "callerIpAddress",
}


def cef_row(given: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """Return the event columns of a row of CommonSecurityLog. Raises ValueError, in words, for what does not fit."""
    found = {_short(name): value for name, value in given.items() if value not in (None, "")}
    more = str(found.pop("AdditionalExtensions", ""))
    for key, value in _pairs(more):
        found.setdefault(key, value)
    generated = next((found.pop(n) for n in ("TimeGenerated [UTC]", "TimeGenerated") if n in found), None)
    row = event_of_fields(found, clock)
    if generated is not None:
        row["time"] = row["time"] or generated_time(str(generated), clock)
        row["extra"]["TimeGenerated"] = str(generated)
    return row


def security_event_row(given: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """Return the event columns of a row of SecurityEvent, whose names are mostly those of the event's XML."""
    found = dict(given)
    generated = found.pop("TimeGenerated", None)
    if generated is not None:
        found["TimeCreated"] = generated_time(str(generated), clock).isoformat()
    if "Activity" in found:
        found.setdefault("Message", found.pop("Activity"))
    return windows_event(found, clock)


def entra_row(given: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """Return the event columns of a row of SigninLogs, AuditLogs or AzureActivity; what is nested is JSON in a cell."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        lower = _entra_name(name)
        if lower in _NESTED and str(value).startswith("{"):
            found |= flatten({lower: loads_exactly(str(value).encode())})
        else:
            found[lower] = value
    if "time" in found:
        found["time"] = generated_time(str(found["time"]), clock).isoformat()
    return azure(found)


@lru_cache(maxsize=1000)
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
        raise ValueError(f"{text[:60]!r} is not a time: {error}") from None


def _short(name: str) -> str:
    custom = _CUSTOM.match(name)
    if custom:
        return f"{_SHORT[custom[1]]}{custom[2]}{custom[3] or ''}"
    return _NAMES.get(name, name)


def _pairs(text: str) -> list[tuple[str, str]]:
    keys = list(_PAIR.finditer(text))
    ends = [*(key.start() for key in keys[1:]), len(text)] if keys else []
    return [(key["key"], text[key.end() : end]) for key, end in zip(keys, ends, strict=True)]
