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
from typing import Any

from socml.formats._json import as_object, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import clocked, json_records
from socml.formats._times import Clock
from socml.formats._windows import windows_event
from socml.formats.host._windows_xml import flat_event

__all__ = ["WindowsEventJson"]

_COLLECTORS = {"SourceName", "ProviderGuid", "Channel", "Hostname", "Keywords", "ProviderName", "Provider", "Computer"}


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
        lines = head_lines(head, 10)
        return 0.97 * sum(_is_event(line) for line in lines) / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(json_records(source), _event, source, options)


def _is_event(line: bytes) -> bool:
    found = as_object(line)
    system = found["Event"].get("System") if isinstance(found.get("Event"), dict) else None
    winlog = found.get("winlog")
    return (
        isinstance(system, dict)
        or (isinstance(winlog, dict) and "channel" in winlog)
        or ("EventID" in found and len(_COLLECTORS & set(found)) >= 2)
    )


def _event(record: bytes, clock: Clock) -> dict[str, Any]:
    found = loads_exactly(record)
    if isinstance(found.get("Event"), dict):
        event = found.pop("Event")
        return windows_event({**flatten(found), **flat_event(event)}, clock)
    winlog = found.pop("winlog", None)
    if isinstance(winlog, dict):
        return windows_event(_of_winlogbeat(found, winlog), clock)
    return windows_event(flatten(found), clock)


def _of_winlogbeat(found: dict[str, Any], winlog: dict[str, Any]) -> dict[str, Any]:
    data = winlog.pop("event_data", None)
    flat: dict[str, Any] = flatten(found)
    flat["EventID"] = winlog.pop("event_id", None)
    flat["Channel"] = winlog.pop("channel", None)
    flat["Computer"] = winlog.pop("computer_name", None)
    flat["Message"] = flat.pop("message", None)
    keywords = winlog.get("keywords")
    for word in ("Success", "Failure"):
        if isinstance(keywords, list) and f"Audit {word}" in keywords:
            flat["EventType"] = f"AUDIT_{word.upper()}"
    flat |= {f"winlog.{name}": value for name, value in flatten(winlog).items()}
    if isinstance(data, dict):
        flat |= flatten(data)
    return flat
