"""A line whose syslog header may be of any shape → what the header says, and the message behind it.

For formats that are known by their message (CEF, key=value, OSSEC). Collectors glue, repeat and leave out parts of
the header, so it is read piece by piece, each of which may be missing: `<29>1 2022-…Z host app pid id - message`,
`<29>Apr 25 15:27:08 host app[pid]: message`, `Apr 25 …`, `<29>1Apr 25 …`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from socml.formats._times import MONTHS, Clock, iso

__all__ = ["SEVERITY", "Header", "split_header"]

_PRIORITY = re.compile(r"<(\d{1,3})>(?:1(?= |[A-Z][a-z]{2} ))? ?")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)(?: |$)")
_BSD = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d{4}) )?(\d\d:\d\d:\d\d)(\.\d{1,6})?(?: |$)")
_HOST = re.compile(r"([^\s=|:]+)(?: |$)")
# Syslog's severity (0 emergency … 7 debug) on the scale of 0 to 100
SEVERITY = (100, 90, 80, 60, 40, 20, 10, 0)


@dataclass
class Header:
    """What stands before a message. Everything may be missing."""

    host: str | None = None
    severity: int | None = None  # 0 to 100
    facility: int | None = None
    rest: str = ""  # of the header, after the host: program, process, message id
    stamp: re.Match[str] | None = None

    def time(self, clock: Clock) -> datetime | None:
        """Return the header's time; None if it has none. Raises ValueError, in words, if it does not exist."""
        found = self.stamp
        if found is None:
            return None
        if found.re is _ISO:
            return iso(found[1], clock)
        month = MONTHS.get(found[1])
        if month is None:
            raise ValueError(f"{found[1]!r} is not a month")
        if found[3]:
            return iso(f"{found[3]}-{month:02}-{int(found[2]):02}T{found[4]}{found[5] or ''}", clock)
        return clock.yearless(month, int(found[2]), found[4], found[5])


def split_header(text: str, message_at: int) -> Header:
    """Return what the header of a line says, whose message begins at `message_at`.

    Examples
    --------
    >>> header = split_header("<29>1Apr 25 15:27:08 host01 CEF:0|", 28)
    >>> header.time(Clock(None, 2022, None)).isoformat(), header.host, header.severity
    ('2022-04-25T15:27:08+00:00', 'host01', 20)
    """
    header, at = Header(), 0
    front = text[:message_at]
    if found := _PRIORITY.match(front):
        number = int(found[1])
        header.severity, header.facility, at = SEVERITY[number & 7], number >> 3, found.end()
    if found := _ISO.match(front, at) or _BSD.match(front, at):
        header.stamp, at = found, found.end()
    elif front.startswith("- ", at):
        at += 2
    if found := _HOST.match(front, at):
        header.host, at = None if found[1] == "-" else found[1], found.end()
    header.rest = front[at:].strip()
    return header
