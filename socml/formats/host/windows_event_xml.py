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

__all__ = ["WindowsEventXml"]

_LARGEST = 8 << 20  # bytes of one event
_AROUND = re.compile(
    rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|<!--(?:[^-]|-(?!->)){0,2000}-->|</?(?:[A-Za-z][\w.-]{0,31}:)?Events(?:\s[^>]{0,1000})?>)*"
)
_LOOKED_AT = 65536  # bytes of the head


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
        start = head[:_LOOKED_AT]
        around = _AROUND.match(start)
        begins = EVENT_ELEMENT.match(start, around.end() if around else 0)
        return 0.97 if begins and re.search(rb"<(?:[\w.-]{1,32}:)?System[\s>]", start) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(_elements(source), _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    return windows_xml_event(record.decode("utf-8", "backslashreplace"), clock)


def _elements(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the events with their lines; and what stands among them and is none, for the reader to reject."""
    held, line = b"", 1
    for chunk in source.chunks():
        held += chunk
        at = 0
        while True:
            around = _AROUND.match(held, at)
            start = around.end() if around else at
            begins = EVENT_ELEMENT.match(held, start)
            close = b"</%sEvent>" % begins["prefix"] if begins else b""
            end = held.find(close, start) if begins else -1
            if end < 0:
                break
            line += held.count(b"\n", at, start)
            yield line, held[start : end + len(close)]
            line += held.count(b"\n", start, end)
            at = end + len(close)
        held = held[at:]
        if len(held) > _LARGEST:
            yield line, held[:_LOOKED_AT]
            return
    around = _AROUND.match(held)
    rest = held[around.end() :] if around else held
    if rest.strip():
        yield line + held.count(b"\n", 0, len(held) - len(rest)), rest
