"""Rows of Microsoft Sentinel's table CommonSecurityLog, as JSON → events.

They are CEF records under long names: `DeviceVendor`, `DeviceEventClassID`, `Activity`, `DestinationIP`,
`DeviceCustomString1` with `DeviceCustomString1Label`; what has no name of its own is in `AdditionalExtensions`, as
`key=value;key=value`. They are turned back into CEF's names and read as those are. Traps: `ReceiptTime` is a number,
in seconds for Kaspersky; `TimeGenerated [UTC]` is when Sentinel got it, as `9/8/2021, 7:40:20.593 AM`, month first, and
is used where there is no other; an exported CSV is not read, turn it into JSON lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from socml.formats._cef_event import event_of_fields
from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._times import Clock, iso

__all__ = ["CommonSecurityLog"]

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


class CommonSecurityLog:
    """CEF records as Sentinel keeps them."""

    name = "common-security-log"
    about = "Microsoft Sentinel CommonSecurityLog rows as JSON lines: CEF under long names"
    specification = "https://learn.microsoft.com/en-us/azure/azure-monitor/reference/tables/commonsecuritylog"
    examples = (
        '{"TimeGenerated [UTC]":"9/8/2021, 7:40:20.593 AM","DeviceVendor":"KasperskyLab","DeviceProduct":'
        '"SecurityCenter","DeviceEventClassID":"GNRL_EV_VIRUS_FOUND","Activity":"Malicious object detected",'
        '"LogSeverity":"4","DestinationHostName":"PC7","ReceiptTime":"1630510030"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of objects with a vendor and an event class."""
        if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"["):
            return 0.9 if b'"DeviceVendor"' in head[:65536] and b'"DeviceEventClassID"' in head[:65536] else 0.0
        lines = head_lines(head, 10)
        return 0.97 * sum(_is_row(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(json_records(source), _event, source, options)


def _is_row(line: bytes) -> bool:
    found = as_object(line)
    return {"DeviceVendor", "DeviceProduct"} <= set(found)


def _event(record: bytes, clock: Clock) -> dict[str, Any]:
    given = flatten(loads_exactly(record))
    found = {_short(name): value for name, value in given.items() if value not in (None, "")}
    more = str(found.pop("AdditionalExtensions", ""))
    for key, value in _pairs(more):
        found.setdefault(key, value)
    generated = next((found.pop(n) for n in ("TimeGenerated [UTC]", "TimeGenerated") if n in found), None)
    row = event_of_fields(found, clock)
    if generated is not None:
        row["time"] = row["time"] or _generated(str(generated), clock)
        row["extra"]["TimeGenerated"] = str(generated)
    return row


def _short(name: str) -> str:
    custom = _CUSTOM.match(name)
    if custom:
        return f"{_SHORT[custom[1]]}{custom[2]}{custom[3] or ''}"
    return _NAMES.get(name, name)


def _pairs(text: str) -> list[tuple[str, str]]:
    keys = list(_PAIR.finditer(text))
    ends = [*(key.start() for key in keys[1:]), len(text)] if keys else []
    return [(key["key"], text[key.end() : end]) for key, end in zip(keys, ends, strict=True)]


def _generated(text: str, clock: Clock) -> datetime:
    found = _GENERATED.match(text)
    if found is None:
        return iso(text, clock)
    month, day, year, hour, minute, second = (int(found[i]) for i in range(1, 7))
    hour = hour % 12 + (12 if found[8] == "PM" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")), UTC)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a time: {error}") from None
