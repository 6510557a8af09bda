"""Rows of Microsoft Sentinel's table CommonSecurityLog, as JSON → events.

They are CEF records under long names: `DeviceVendor`, `DeviceEventClassID`, `Activity`, `DestinationIP`,
`DeviceCustomString1` with `DeviceCustomString1Label`; what has no name of its own is in `AdditionalExtensions`, as
`key=value;key=value`. They are turned back into CEF's names and read as those are. Traps: `ReceiptTime` is a number,
in seconds for Kaspersky; `TimeGenerated [UTC]` is when Sentinel got it, as `9/8/2021, 7:40:20.593 AM`, month first, and
is used where there is no other. The portal's CSV export is read by `sentinel-csv`.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._sentinel import sentinel_row
from socml.formats._times import Clock

__all__ = ["CommonSecurityLog"]


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


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    return sentinel_row(flatten(loads_exactly(record)), clock)
