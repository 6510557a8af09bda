"""Windows events as XML → events: what the Event Viewer saves, `wevtutil qe /f:xml` prints, and collectors forward.

Events may stand in `<Events>`, one a line without anything around them, or one after the other on a line; with or without a
namespace's prefix; in UTF-16 as Windows writes it. A message that was rendered is kept in its own language. An event that is cut
at the file's end is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock
from socml.formats._windows_event_xml import EVENT_ELEMENT, windows_xml_event
from socml.formats._xml_records import LOOKED_AT, xml_records

__all__ = ["WindowsEventXml"]

_LARGEST = 8 << 20  # bytes of one event
_AROUND = re.compile(
    rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|<!--(?:[^-]|-(?!->)){0,2000}-->|</?(?:[A-Za-z][\w.-]{0,31}:)?Events(?:\s[^>]{0,1000})?>)*"
)


class WindowsEventXml:
    """Windows events as XML."""

    name = "windows-event-xml"
    about = "Windows events as XML: saved by the Event Viewer, printed by wevtutil, or forwarded one a line"
    specification = "https://learn.microsoft.com/en-us/windows/win32/wes/eventschema-schema"
    examples = (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><EventID>4625</EventID>'
        '<TimeCreated SystemTime="2026-03-02T10:00:00.1234567Z"/><Channel>Security</Channel><Computer>PC7</Computer></System>'
        '<EventData><Data Name="TargetUserName">ann</Data><Data Name="IpAddress">192.0.2.9</Data></EventData></Event>',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of XML whose first element, or first but `Events`, is an `Event` with a `System`."""
        start = head[:LOOKED_AT]
        around = _AROUND.match(start)
        begins = EVENT_ELEMENT.match(start, around.end() if around else 0)
        return 0.97 if begins and re.search(rb"<(?:[\w.-]{1,32}:)?System[\s>]", start) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(xml_records(source, _AROUND, EVENT_ELEMENT, _close, largest=_LARGEST), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    return windows_xml_event(record.decode("utf-8", "backslashreplace"), clock)


def _close(begins: re.Match[bytes]) -> bytes:
    return b"</%sEvent>" % begins["prefix"]
