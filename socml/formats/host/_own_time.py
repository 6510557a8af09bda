"""The time that a message says of itself → what its header, which has no year or no zone, leaves open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from socml.formats._iso import from_iso
from socml.formats._times import MONTHS, Clock

__all__ = ["own_time"]

_LONGEST = 4096  # characters of a message that are searched
_ZONED = re.compile(
    r"(?:[\w.-]{1,64} ){0,4}(?:(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? [+-]\d\d:\d\d) |"
    r"\((?P<utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\) )|"  # of WatchGuard
    r"(?:1 )?(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d))(?= |$)"
)
_DATED = r"(?P<year>20\d\d)[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)"
_BRACKETED = r"\[(?P<web_day>\d\d)/(?P<web_month>[A-Z][a-z]{2})/(?P<web_year>20\d\d):(?P<web_clock>\d\d:\d\d:\d\d)"
_AMERICAN = r"(?P<us_month>\d\d)/(?P<us_day>\d\d)/(?P<us_year>20\d\d):(?P<us_clock>\d\d:\d\d:\d\d)"  # of NetScaler
_FIRST = re.compile(rf"\s{{0,8}}(?:1 )?(?:{_DATED}|{_AMERICAN})")
_IN_BRACKETS = re.compile(_BRACKETED)
_ANYWHERE = re.compile(f"{_DATED}|{_BRACKETED}")
_DAY, _QUARTER = 86400, 900  # seconds; zones differ by quarters of an hour
_MOST_APART = 60  # seconds between the header's time and the message's, whatever their zones


def own_time(
    found: Mapping[str, str | None], message: str, clock: Clock, *, holds_record: bool = False
) -> datetime | None:
    """Return the time of a line whose header names no zone, and perhaps no year, from what its message says; None if it says none.

    A time with its zone is taken as it is; of one without, the year. Both only if it is the header's: the same minute and
    second, within a day. Of a record within the line, a year anywhere in it counts.

    Examples
    --------
    >>> header = {"month": "Mar", "day": "2", "clock": "11:00:01", "fraction": None}
    >>> own_time(header, "2024-03-02T10:00:01Z [ann]: Logout", Clock(None, 2026, None)).isoformat()
    '2024-03-02T10:00:01+00:00'
    >>> own_time(header, "192.0.2.1:4 [02/Mar/2024:11:00:01.5] web", Clock(None, 2026, None)).isoformat()
    '2024-03-02T11:00:01+00:00'
    """
    if not found.get("clock"):
        return None
    zoned = _ZONED.match(message) if "-" in message[:80] else None
    utc = found.get("own_utc") or (zoned and zoned["utc"])
    text = (
        f"{utc}Z" if utc else ((zoned["stamp"] or zoned["iso"]).replace(" +", "+").replace(" -", "-") if zoned else "")
    )
    if text and (when := _moment(text)) and _apart(when.replace(tzinfo=None), found) == 0:
        return when.astimezone(UTC)
    if any(found.get(name) for name in ("year", "early_year", "late_year")) or found.get("month") not in MONTHS:
        return None
    local = _in_year(found, message, holds_record=holds_record)
    return clock.known_year(local) if local else None


def _moment(text: str) -> datetime | None:
    try:
        return from_iso(text)
    except ValueError:
        return None


def _header_in(year: int, found: Mapping[str, str | None]) -> datetime | None:
    """Return the header's clock time in a year; None if there is no such day."""
    month, day = MONTHS.get(str(found["month"]), 0), int(found["day"] or 0)
    return _moment(f"{year}-{month:02}-{day:02}T{found['clock']}{found.get('fraction') or ''}")


def _apart(own: datetime, found: Mapping[str, str | None]) -> int:
    """Return how many seconds a clock time is off the header's in its year, whatever their zones; a day if it is another."""
    header = _header_in(own.year, found)
    if (
        header is None
        or (apart := abs(own.replace(microsecond=0) - header.replace(microsecond=0)).total_seconds()) > _DAY
    ):
        return _DAY
    return int(min(apart % _QUARTER, -apart % _QUARTER))


def _in_year(found: Mapping[str, str | None], message: str, *, holds_record: bool) -> datetime | None:
    """Return the header's clock time in the year of a stamp of the message that is the same but for the zone."""
    text = message[:_LONGEST]
    first = None if holds_record else _FIRST.match(text)
    stamps = _ANYWHERE.finditer(text) if holds_record else [first] if first else _IN_BRACKETS.finditer(text)
    for stamp in stamps:
        named = stamp.groupdict()
        year, day, clock = (
            next((named[f"{of}{part}"] for of in ("", "web_", "us_") if named.get(f"{of}{part}")), None)
            for part in ("year", "day", "clock")
        )
        digits = named.get("month") or named.get("us_month")
        month = int(digits) if digits else MONTHS.get(named.get("web_month") or "", 0)
        own = _moment(f"{year}-{month:02}-{day}T{clock}")
        if own and _apart(own, found) <= _MOST_APART:
            return _header_in(own.year, found)
    return None
