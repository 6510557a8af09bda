"""Windows events as JSON lines → events: of NXLog, Winlogbeat, evtx_dump, and the flattened ones of OTRF.

All hold the fields of the event's XML: flat, beside the collector's own (NXLog; OTRF's Security-Datasets), under
`winlog.event_data` (Winlogbeat), or as the XML is nested (`Event.System`, `Event.EventData`). Security events and
Sysmon's are known by their numbers; of the others the number is the action. Traps: NXLog's `EventTime` is the
sender's local time, so `TimeCreated`, Sysmon's `UtcTime` and `@timestamp` (when it was collected) go before it; ids of
processes are hexadecimal in the Security log and decimal in Sysmon's; `-` is a missing value; the channel may be
written `security`; an arrow of `%%1833` names a text that is in Windows only; times have 7 digits after the second.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._envelope import first_objects, members
from socml.formats._json import loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock
from socml.formats._windows_json import is_windows_json, windows_json_event

__all__ = ["WindowsEventJson"]


class WindowsEventJson:
    """Windows events as JSON, whoever collected them."""

    name = "windows-event-json"
    about = "Windows events as JSON lines: NXLog, Winlogbeat, evtx_dump, OTRF Security-Datasets; Sysmon among them"
    specification = "https://learn.microsoft.com/en-us/windows/win32/wes/eventschema-schema"
    examples = (
        '{"EventID":4625,"Channel":"Security","Hostname":"PC7.example.com","TimeCreated":"2024-01-02T03:04:05.123Z",'
        '"SourceName":"Microsoft-Windows-Security-Auditing","TargetUserName":"ann","LogonType":"3","IpAddress":"192.0.2.9"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of objects with an event's number and what only Windows events have."""
        found = first_objects(head, limit=10)
        return 0.97 * sum(map(is_windows_json, found)) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(members(source), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    return windows_json_event(loads_exactly(record), clock)
