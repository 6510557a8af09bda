"""Free text with a time at the start of its lines → events: time, level, component, and the message for its template.

For logs without a reader of their own: Hadoop, Zookeeper, Apache's error log, Windows CBS, most applications. Months are
English. A line without a time goes on with the record above it: it is an event of its own, with that record's time and
`continues` in `extra`. Addresses and names within a message stay there, since only its author knows what they mean;
`socml features text-templates` tells messages apart by their template. Days before months (31.12.2026) are not read. Lines
that start with # are comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import MONTHS, Clock, clock_of, epoch, iso

__all__ = ["TextLines"]

_CLOCK = r"(?P<clock>\d\d:\d\d:\d\d)(?P<fraction>[.,]\d{1,9})?"
_ISO = re.compile(
    r"[\[<]?(?P<date>\d{4}([-/.:])\d\d\2\d\d)[T :-]" + _CLOCK + r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d)(?![\d-]))?[\]>]?"
)
_COMPACT = re.compile(r"(?P<date>\d{6}) (?P<clock>\d{6}) ")  # Hadoop: yymmdd hhmmss
_CTIME = re.compile(
    r"\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) " + _CLOCK + r" (?P<year>\d{4})\]?"
)
_DAY_FIRST = re.compile(
    r"\[?(?P<day>\d{1,2})[-/ ](?P<month>[A-Z][a-z]{2})[-/ ](?P<year>\d{4})[: ]"
    + _CLOCK
    + r"(?: (?P<zone>[+-]\d{4}))?\]?"
)
_AMERICAN = re.compile(  # of java.util.logging
    r"(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}), (?P<year>\d{4}) (?P<hour>\d{1,2})(?P<rest>:\d\d:\d\d) (?P<half>[AP]M)"
)
_YEARLESS = re.compile(r"\[(?P<month>\d\d)\.(?P<day>\d\d) " + _CLOCK + r"\]")
_EPOCH = re.compile(r"\[?(?P<epoch>1\d{9}(?:\d{3}|\.\d{1,9})?)\]?(?=[\s,:;|])")
_LEVELS = {
    "trace": 0, "debug": 0, "verbose": 0, "info": 10, "information": 10, "notice": 20, "warn": 40, "warning": 40,
    "error": 60, "err": 60, "severe": 60, "crit": 80, "critical": 80, "alert": 90, "fatal": 90, "emerg": 100,
}  # fmt: skip
_LEVEL = re.compile(
    r"[\s\-|,:\[(<]*(?:(?P<pid>\d{1,7}) +)?[\[(<]?(?:[a-z_]+:)?(?P<level>" + "|".join(_LEVELS) + r")\b[\])>:,]*",
    re.IGNORECASE,
)
_COMPONENT = re.compile(
    r"[\s\-|]*(?:\[(?P<inside>[^\s]{1,120})\]|(?P<name>[A-Za-z_][\w.$/-]{1,120})):?(?: - | ?(?<=[:\]]) )"
)
_DATE_SIGN = re.compile(r"[/.:]")
_GAP = " \t-|,:"


class TextLines:
    """Text logs that no other format takes, by the time at the start of their lines."""

    name = "text-lines"
    about = "free text with a time at the start of its lines: Hadoop, Zookeeper, Apache errors, CBS, most applications"
    specification = "https://www.iso.org/iso-8601-date-and-time-format.html"
    examples = (
        "2026-07-29 17:41:44,747 - INFO  [main:QuorumPeer@913] - Received connection request /192.0.2.11:45307",
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_388 terminating",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """A last resort, by the share of lines that begin with a time; surer where a level follows it."""
        lines = [line for line in head_lines(head, 60) if not line.startswith(b"#")]
        if not lines or lines[0].startswith((b"{", b"<")):
            return 0.0
        texts = [line.decode("utf-8", "replace") for line in lines]
        found = [(text, stamp[0].end()) for text in texts if (stamp := _stamp(text))]
        levels = sum(_LEVEL.match(text[end:]) is not None for text, end in found)
        if len(found) >= 0.6 * len(lines):
            return 0.78 if levels >= 0.8 * len(found) else 0.55
        return 0.5 * len(found) / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, one a line."""
        clock = clock_of(source, options)
        reader = _Lines(clock)
        return batches(line_records(source), reader.event, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


class _Lines:
    """Reads line after line, and remembers the time of the last record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: datetime | None = None

    def event(self, line: bytes) -> dict[str, Any]:
        """Return the event of one line."""
        if line.startswith(b"#"):
            raise Skip("comment")
        text = line.decode("utf-8", "backslashreplace")
        found = _stamp(text)
        row: dict[str, Any] = {"event_category": "host"}
        if found is None:
            return {**row, "time": self._last, "message": text.strip(), "extra": {"continues": "true"}}
        match, read = found
        self._last = row["time"] = read(match, self._clock)
        rest = text[match.end() :]
        level = _LEVEL.match(rest)
        extra: dict[str, str] = {}
        if level:
            word = level["level"]
            row["event_severity"], extra["level"] = _LEVELS[word.lower()], word
            if level["pid"]:
                row["process_pid"] = int(level["pid"])
            rest = rest[level.end() :]
            component = _COMPONENT.match(rest)
            if component:
                row["process_name"] = component["inside"] or component["name"]
                rest = rest[component.end() :]
        row["message"] = rest.strip(_GAP) or None
        row["extra"] = extra
        return row


_Read = Callable[[re.Match[str], Clock], datetime]


def _stamp(text: str) -> tuple[re.Match[str], _Read] | None:
    first = text[:1]
    for starts, pattern, read in _STAMPS:
        if first in starts and (match := pattern.match(text)):
            return match, read
    return None


def _from_iso(found: re.Match[str], clock: Clock) -> datetime:
    fraction = (found["fraction"] or "").replace(",", ".")
    return iso(f"{_DATE_SIGN.sub('-', found['date'])}T{found['clock']}{fraction}{found['zone'] or ''}", clock)


def _from_compact(found: re.Match[str], clock: Clock) -> datetime:
    try:
        return clock.in_zone(datetime.strptime(found["date"] + found["clock"], "%y%m%d%H%M%S"))
    except ValueError:
        raise ValueError(f"{found.group().strip()!r} is not a time") from None


def _from_words(found: re.Match[str], clock: Clock) -> datetime:
    month = MONTHS.get(found["month"])
    if month is None:
        raise ValueError(f"{found['month']!r} is not a month")
    zone = found.groupdict().get("zone") or ""
    fraction = (found["fraction"] or "").replace(",", ".")
    return iso(f"{found['year']}-{month:02}-{int(found['day']):02}T{found['clock']}{fraction}{zone}", clock)


def _from_american(found: re.Match[str], clock: Clock) -> datetime:
    month = MONTHS.get(found["month"])
    if month is None:
        raise ValueError(f"{found['month']!r} is not a month")
    hour = int(found["hour"]) % 12 + 12 * (found["half"] == "PM")
    return iso(f"{found['year']}-{month:02}-{int(found['day']):02}T{hour:02}{found['rest']}", clock)


def _from_yearless(found: re.Match[str], clock: Clock) -> datetime:
    fraction = (found["fraction"] or "").replace(",", ".")
    return clock.yearless(int(found["month"]), int(found["day"]), found["clock"], fraction)


def _from_epoch(found: re.Match[str], clock: Clock) -> datetime:
    return epoch(found["epoch"])


_DIGITS = "0123456789"
_STAMPS: tuple[tuple[str, re.Pattern[str], _Read], ...] = (
    (_DIGITS + "[<", _ISO, _from_iso),
    (_DIGITS, _COMPACT, _from_compact),
    ("[MTWFS", _CTIME, _from_words),
    (_DIGITS + "[", _DAY_FIRST, _from_words),
    ("JFMASOND", _AMERICAN, _from_american),
    ("[", _YEARLESS, _from_yearless),
    ("[1", _EPOCH, _from_epoch),
)
