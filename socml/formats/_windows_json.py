"""One Windows event as JSON, whoever collected it → event columns: NXLog's, Winlogbeat's, evtx_dump's, OTRF's."""

from __future__ import annotations

import re

from socml.formats._json import flatten
from socml.formats._times import Clock, epoch
from socml.formats._windows import windows_event
from socml.formats.host._windows_xml import flat_event

__all__ = ["is_windows_json", "windows_json_event"]

_COLLECTORS = {"SourceName", "ProviderGuid", "Channel", "Hostname", "Keywords", "ProviderName", "Provider", "Computer"}

_DATE = re.compile(r"/Date\((\d{10,16})\)/")  # as PowerShell writes a time: milliseconds
# Winlogbeat's names since version 7, and before
_RENAMED = {
    "winlog.event_id": "EventID", "winlog.channel": "Channel", "winlog.computer_name": "Computer", "message": "Message",
    "Id": "EventID", "LogName": "Channel", "MachineName": "Computer",  # of Get-WinEvent | ConvertTo-Json
    "computer": "Computer", "channel": "Channel", "timestamp": "TimeCreated", "event_id": "EventID", "log_name": "Channel", "computer_name": "Computer",
}  # fmt: skip


def is_windows_json(found: dict[str, object]) -> bool:
    """Return whether an object has an event's number and what only Windows events have.

    Examples
    --------
    >>> is_windows_json({"EventID": 1, "Channel": "c", "Hostname": "h"}), is_windows_json({"winlog": {"event_id": 1}})
    (True, True)
    """
    event = _nested(found)
    system = event.get("System") if event else None
    winlog = found.get("winlog")
    return (
        (isinstance(system, dict) and ("Event" in found or "EventID" in system))
        or (isinstance(winlog, dict) and ("channel" in winlog or "event_id" in winlog))
        or {"Id", "LogName", "ProviderName", "MachineName"} <= found.keys()
        or "winlog.channel" in found
        or "winlog.event_id" in found
        or ("event_id" in found and isinstance(found.get("event_data"), dict))
        or ("EventID" in found and len(_COLLECTORS & set(found)) >= 2)
    )


def _nested(found: dict[str, object]) -> dict[str, object] | None:
    """Return the event that is nested as its XML is: under `Event`, or by itself."""
    event = found.get("Event", found if isinstance(found.get("System"), dict) else None)
    return event if isinstance(event, dict) else None


def windows_json_event(found: dict[str, object], clock: Clock) -> dict[str, object]:
    """Return the event columns of an object. Raises ValueError, in words, if it is no event or its time is none."""
    if event := _nested(found):
        if event is found:
            return windows_event(flat_event(found), clock)
        rest = {name: value for name, value in found.items() if name != "Event"}
        return windows_event({**flatten(rest), **flat_event(event)}, clock)
    flat = flatten(found)
    for name in [name for name in flat if name.startswith(("EventData.", "UserData."))]:
        flat.setdefault(name.rsplit(".", 1)[-1], flat.pop(name))
    created = flat.get("TimeCreated")
    if "MachineName" in flat and isinstance(created, str):
        flat["TimeCreated"] = _DATE.sub(lambda found: epoch(found[1]).isoformat(), created)
    if "MachineName" in flat or any(name.startswith(("winlog.", "event_data.")) for name in flat):
        return windows_event(_of_winlogbeat(flat), clock)
    return windows_event(flat, clock)


def _of_winlogbeat(flat: dict[str, object]) -> dict[str, object]:
    """Return Winlogbeat's fields under the names of the event's XML."""
    named: dict[str, object] = dict.fromkeys(_RENAMED.values())
    data: dict[str, object] = {}
    for name, value in flat.items():
        front, is_data, inside = name.partition("event_data.")
        if is_data and front in ("", "winlog."):
            data[inside] = value
        else:
            named[_RENAMED.get(name, name)] = value
    if named["EventID"] is None:
        named["EventID"] = named.get("event.code")
    keywords = named.get("winlog.keywords")
    for word in ("Success", "Failure"):
        if isinstance(keywords, list) and f"Audit {word}" in keywords:
            named["EventType"] = f"AUDIT_{word.upper()}"
    return named | data
