"""A Windows event as Snare sends it, its parts separated by tabs → event columns.

The parts: criticality, log, counter, local time, number, source, user, kind of user, kind of event, computer, category, data,
description. Some receivers of syslog write a tab as `#011`.
"""

from __future__ import annotations

import re

from socml.formats._stamps import time_of
from socml.formats._times import Clock
from socml.formats._windows import windows_event

__all__ = ["is_snare", "snare_event"]

_MARK = re.compile(r"(?:^|[\s:]|#011)MSWinEventLog(?P<tab>\t|#011|,)")
_NAMES = (
    "",
    "Channel",
    "EventRecordID",
    "TimeCreated",
    "EventID",
    "SourceName",
    "",
    "",
    "EventType",
    "Computer",
    "Category",
    "",
    "Message",
)
_KINDS = {"Success Audit": "AUDIT_SUCCESS", "Failure Audit": "AUDIT_FAILURE"}
_LONGEST_HEADER = 1000  # characters


def is_snare(text: str) -> bool:
    """Return whether a text is an event of Snare, perhaps behind a header."""
    return "MSWinEventLog" in text and _MARK.search(text, 0, _LONGEST_HEADER) is not None


def snare_event(text: str, clock: Clock) -> dict[str, object]:
    """Return the event columns. Raises ValueError, in words, if it is no such event.

    Examples
    --------
    >>> parts = ["MSWinEventLog", "1", "Security", "7", "Mon Mar 02 10:00:00 2026", "4625", "Security", "N/A", "N/A", "Failure Audit", "PC7"]
    >>> event = snare_event("\\t".join(parts), Clock(None, None, None))
    >>> event["host_name"], event["event_outcome"]
    ('PC7', 'failure')
    """
    mark = _MARK.search(text, 0, _LONGEST_HEADER)
    if mark is None:
        raise ValueError("not an event of Snare: it does not name MSWinEventLog")
    parts = (part.strip() for part in text[mark.end() :].split(mark["tab"]))
    found: dict[str, object] = {name: part for name, part in zip(_NAMES, parts, strict=False) if name and part != "N/A"}
    if written := found.get("TimeCreated"):
        found["TimeCreated"] = time_of(written, clock).isoformat()
    found["EventType"] = _KINDS.get(str(found.get("EventType")), found.get("EventType"))
    return windows_event(found, clock)
