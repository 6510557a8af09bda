"""Text that holds a time in any usual spelling → the time, and where in the text it ends.

Read are ISO 8601 and its kin, compact dates, months by their English name before or after the day (after it, in six
languages more), days before months
and the American order (which of the two is told by evidence, see `Clock.day_first`), dates without a year, and counts
since 1970 (also of Windows, since 1601, and TAI64N). A zone may follow as an offset or as one of the names in `ZONES`.
Blind to clock times without a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from socml.formats._columns import LATEST_S
from socml.formats._months import MONTH_NAMES, month_number
from socml.formats._times import MONTHS, Clock, epoch, why_no_time

__all__ = ["ZONES", "Stamp", "settle_day_order", "stamp_in", "time_of"]

ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MET": 60, "CEST": 120, "MEST": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip
"""Minutes ahead of UTC; where two countries use a name (CST, IST), the one of RFC 822, or none."""

_BLANKS = " \u00a0\u202f"  # browsers and Java write PM, and spreadsheets the clock, behind one that does not break
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9})(?![\d.]))?)?"
    rf"(?:[{_BLANKS}]?(?P<half>[AaPp])(?:\.[{_BLANKS}]?)?[Mm]\b\.?)?"
)
_HOURS = r"(?P<hour>\d{1,2}) ?h ?(?P<minute>[0-5]\d)(?![\dA-Za-z])"  # as French writes it
# As DB2, Finland and Italy write it; no fourth part of an address may follow
_DOTTED = r"(?P<hour>\d{1,2})\.(?P<minute>[0-5]\d)\.(?P<second>[0-5]\d)(?:\.(?P<fraction>\d{6})|,(?P<comma>\d{1,9}))?(?![\d.]\d)"
_NAMES = "|".join(sorted(ZONES, key=len, reverse=True))
_PLACES = "Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific"
_ZONE = rf"(?: ?(?P<zone>[+-]\d\d:?\d\d(?![\d-])|(?:{_NAMES})\b|(?:{_PLACES})/[A-Za-z_/]{{2,40}})|(?P<hours>[+-]\d\d)(?![\d:-]))?"
_DAY_NAME = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? +)"
_MONTH = r"(?P<month>[A-Z][a-z]{2}|[A-Z]{3})[a-z]{0,6}\.?"
_MONTH_CUT = r"(?P<month>[A-Z][a-z]{2})"
_BETWEEN = rf"(?:,[{_BLANKS}]?|,? (?:at|à|um|om|alle|klo?\.?|ore|godz\.?|a las|às) | @ |::|[T:_.-]|[{_BLANKS}]{{1,4}})"
_HALVES = {"上午": 0, "午前": 0, "오전": 0, "下午": 12, "午後": 12, "오후": 12}
_DE = r"(?:\.?[-/ ]|\.| de | del |\. de )"
_DATE_ELSEWHERE = (
    rf"(?P<day>\d{{1,2}}){_DE}(?P<named>{MONTH_NAMES}){_DE}(?P<year>20\d\d|\d\d(?!:\d\d:\d\d(?!:)))"  # not in English
)
_CLOCK_FIRST = (
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))? "  # before a date of four digits
)
_MINUTES = r"(?P<minutes>[+-]\d{3})(?![\d:])"  # ahead of UTC, as DB2 writes them
_SPELLINGS = (
    rf"(?P<year>\d{{4}})[-/.:](?P<month>\d\d)[-/.:](?P<day>\d\d){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"(?P<year>20\d\d)(?:年|년 ?|[-/])(?P<month>\d{{1,2}})(?:月|월 ?|[-/])(?P<day>\d{{1,2}})(?:[日일] ?|[T ])"
    rf"(?:(?P<noon>{'|'.join(_HALVES)}) ?)?{_CLOCK}{_ZONE}",
    rf"(?P<year>20\d\d)\.(?P<month>\d{{1,2}})\.(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE}",
    rf"(?P<year>20\d\d|19\d\d)(?P<month>\d\d)(?P<day>\d\d)[T _.-]?(?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d)"
    rf"(?:[.,:](?P<fraction>\d{{1,9}}))?(?!\d){_ZONE}",
    rf"(?P<year>20\d\d|19\d\d)(?P<month>\d\d)(?P<day>\d\d)[-T _:]{_CLOCK}{_ZONE}",
    r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) {1,2}(?P<hour>\d{1,2}):?(?P<minute>\d\d):?(?P<second>\d\d)(?!\d)",
    rf"{_DAY_NAME}?{_MONTH} +(?P<day>\d{{1,2}}),?(?: at)? {_CLOCK} (?P<year>\d{{4}})\b(?: (?P<zone>[+-]\d\d:?\d\d)(?![\d-]))?",
    rf"{_DAY_NAME}?{_MONTH} +(?P<day>\d{{1,2}}),?(?: at)? {_CLOCK}{_ZONE} (?P<year>\d{{4}})\b",
    rf"{_DAY_NAME}?{_MONTH} +(?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"{_DATE_ELSEWHERE}{_BETWEEN}{_CLOCK}{_ZONE}",
    rf"{_DATE_ELSEWHERE}{_BETWEEN}{_HOURS}",
    rf"{_DAY_NAME}?(?P<day>\d{{1,2}})[-/. ]{_MONTH}[-/. ,]+(?P<year>\d{{4}}){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"{_DAY_NAME}?(?P<day>\d\d){_MONTH_CUT}(?P<year>\d\d) {_CLOCK}",  # of Serv-U
    rf"(?P<day>\d{{1,2}}){_MONTH_CUT}(?P<year>20\d\d) {_CLOCK}",  # of Check Point
    rf"(?P<month>[A-Za-z]{{3}})/(?P<day>\d\d)/(?P<year>\d{{4}}) {_CLOCK}{_ZONE}",  # of MikroTik
    rf"(?P<day>\d{{1,2}})-{_MONTH}-(?P<year>\d\d) (?P<hour>\d\d)\.(?P<minute>\d\d)\.(?P<second>\d\d)(?:\.(?P<fraction>\d{{1,9}}))? (?P<half>[AaPp])M{_ZONE}",  # of Oracle
    rf"(?P<day>\d{{1,2}})[-/ ]{_MONTH}[-/ ](?P<year>\d\d)(?!:\d\d:\d\d(?!:)){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"(?P<day>\d{{1,2}})[-/.](?P<month>\d{{1,2}})[-/.](?P<year>\d{{4}}|\d\d){_BETWEEN}{_HOURS}",
    rf"(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d){_BETWEEN}{_HOURS}",
    rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d\d){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[-T ]{_DOTTED}(?:{_MINUTES})?",
    rf"(?P<year>20\d\d|19\d\d)[-./]?(?P<of_year>[0-3]\d\d)[-T _:]{_CLOCK}{_ZONE}",  # the day of the year, as ISO 8601 and z/OS count
    r"(?P<year>20\d\d|19\d\d)(?P<of_year>[0-3]\d\d) (?P<hour>\d\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?!\d)",
    rf"{_CLOCK_FIRST}(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\dT])",
    rf"{_CLOCK_FIRST}(?P<first>\d{{1,2}})/(?P<other>\d{{1,2}})/(?P<year>20\d\d)(?![\d:])",
    rf"{_CLOCK_FIRST}(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>20\d\d)(?![\d:])",
    rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}) {{1,2}}{_DOTTED}",
    rf"(?P<first>\d{{1,2}})[/-](?P<other>\d{{1,2}})[/-](?P<year>\d{{4}}) {{1,2}}{_DOTTED}",
    rf"(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/(?P<year>\d{{4}}) -- {_CLOCK}",  # of Suricata's engine
    rf"(?P<first>\d{{1,2}})[/-](?P<other>\d{{1,2}})[/-](?P<year>\d{{4}}|\d\d){_BETWEEN}{_CLOCK}{_ZONE}",
    rf"{_DAY_NAME}?{_MONTH} +(?P<day>\d{{1,2}}),?(?: at)? {_CLOCK}{_ZONE}",
    rf"{_DAY_NAME}?(?P<day>\d{{1,2}})[- ]{_MONTH}[- ]{_CLOCK}{_ZONE}",
    rf"(?P<month>\d\d) (?P<day>\d\d) (?P<year>20\d\d) {_CLOCK}{_ZONE}",  # of LogRhythm
    rf"(?P<month>\d\d)[-./](?P<day>\d\d)[ -]{_CLOCK}(?!/)",
    rf"(?P<month>\d\d)(?P<day>\d\d) {_CLOCK}",
    rf"[IWEFD](?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) {_CLOCK}",  # of CockroachDB
    rf"[IWEFD](?P<month>\d\d)(?P<day>\d\d) {_CLOCK}",  # of glog, whose level is the letter
    rf"(?P<month>[A-Za-z]{{3}})/(?P<day>\d\d) {_CLOCK}",  # of MikroTik
    rf"{_CLOCK}(?P<behind>[+-]\d{{1,3}})?\" date=\"(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d{{4}})",  # of CMTrace
    r"@(?P<tai>4[0-9a-f]{15})[0-9a-f]{8}",
    r"(?P<filetime>1[0-9]{17})(?!\d)",
    r"(?P<epoch>1\d{9}(?:\d{3}(?:\d{3}){0,2}|\.\d{1,9})?)(?![\d.-])",
)
_PATTERNS = tuple(re.compile(spelling) for spelling in _SPELLINGS)
_LOW_STARTS = frozenset("jfmasond")  # of a month in small letters, at the start of a text
_STARTS = frozenset("0123456789@JFMASONDTWIE")
_SHORT_NUMERIC = re.compile(r"[\[(<\"' ]*(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)(?:[ T,:]|$)")
_MONTH_NUMBERS = {name.upper(): number for name, number in MONTHS.items()}
_FARTHEST = 120  # characters of a line before its time
_TAI_SECONDS = 10 + 27  # of TAI ahead of UTC, since 2017
_1601 = 11_644_473_600  # seconds from there to 1970
_OPENING, _CLOSING = "[(<\"'", "])>\"'"
_SHORT_DATE = re.compile(r"(?P<first>\d{1,2})(?P<sign>[/.-])(?P<other>\d{1,2})(?P=sign)(?P<year>\d{4})")
_TEXT_DATE = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})")


@dataclass(frozen=True)
class Stamp:
    """A time in a text: in UTC, and from where to where it is written, its brackets among it."""

    time: datetime
    start: int
    end: int


def stamp_in(text: str, clock: Clock, *, farthest: int = _FARTHEST) -> Stamp | None:
    """Return the first time in the first characters of a text; None if none is there.

    Raises
    ------
    ValueError
        In words, if what looks like a time does not exist.

    Examples
    --------
    >>> clock = Clock(None, 2026, None)
    >>> [stamp_in(text, clock).time.isoformat() for text in ("[02/Mar/2026:10:00:00 +0100] x", "INFO 20260302-10:15:00:316|a")]
    ['2026-03-02T09:00:00+00:00', '2026-03-02T10:15:00.316000+00:00']
    >>> stamp_in("2026-02-26 01:04:00.008 +08:00 [WRN] a", clock).end
    30
    """
    at, last = 0, min(len(text), farthest + 1)
    while at < last:
        is_start = text[at] in _STARTS or (at == 0 and text[0] in _LOW_STARTS)
        if is_start and (at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "._-:/+,")):
            for pattern in _PATTERNS:
                if found := pattern.match(text, at):
                    return _stamp(found, text, clock)
        at += 1
    return None


def time_of(value: object, clock: Clock) -> datetime:
    """Return the time that a field's value is. A number is a count since 1970 (since 1601, if it has 18 digits).

    Raises
    ------
    ValueError
        In words, if it is none.

    Examples
    --------
    >>> clock = Clock(None, 2026, None)
    >>> time_of(133769340000000000, clock).isoformat(), time_of("Mon Mar  2 10:00:00 2026 UTC", clock).isoformat()
    ('2024-11-24T15:00:00+00:00', '2026-03-02T10:00:00+00:00')
    """
    text = str(value).strip()
    if isinstance(value, bool):
        raise ValueError(f"{text!r} is not a time")
    if isinstance(value, (int, float)) or text.replace(".", "", 1).isdecimal():
        return _of_number(text, clock)
    if found := _TEXT_DATE.fullmatch(text):
        return clock.in_zone(_checked(found["year"], found["month"], found["day"], "0", "0", "0"))
    if found := _SHORT_DATE.fullmatch(text):
        first, other = found["first"], found["other"]
        parts = {"day": first, "month": other} if found["sign"] == "." else _ordered(first, other, clock)
        return clock.in_zone(_checked(found["year"], parts["month"], parts["day"], "0", "0", "0"))
    stamp = stamp_in(text, clock, farthest=1)
    if stamp is None or ((rest := text[stamp.end :].strip()) and rest.strip("()") not in ZONES):
        raise ValueError(f"{text[:60]!r} is not a time")
    return stamp.time


def _of_number(text: str, clock: Clock) -> datetime:
    """Return the time that a number is: a count since 1970 or 1601, or digits of a date and a clock."""
    digits, _, behind = text.partition(".")
    if digits.startswith("0") and len(digits) > 1:  # a number of something, filled up
        raise ValueError(f"{text!r} is not a time")
    if len(digits) == 18 and digits.startswith("1"):
        return _since_1601(int(digits))
    if len(digits) == 14 and digits[:2] in ("19", "20"):
        return clock.in_zone(
            _checked(digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12], digits[12:], behind[:9] or None)
        )
    if "e" in text.lower():
        return epoch(f"{float(text):.6f}")
    return epoch(text)


def settle_day_order(texts: Iterable[str], clock: Clock) -> None:
    """Settle whether dates such as 03/04/2026 say the day first, where a number over 12 shows it; the clock keeps that, and the others."""
    if clock.day_first is not None:
        return
    for text in texts:
        if found := _SHORT_NUMERIC.match(text):
            first, other = int(found[1]), int(found[2])
            if first > 12 or other > 12:
                clock.day_first = first > 12
                return
            clock.see_date(first, other, int(found[3]) + 2000 * (len(found[3]) == 2))


def _stamp(found: re.Match[str], text: str, clock: Clock) -> Stamp:
    start, end = found.start(), found.end()
    if start and text[start - 1] in _OPENING and text[end : end + 1] and text[end] in _CLOSING:
        start, end = start - 1, end + 1
    return Stamp(_time(found.groupdict(), clock), start, end)


def _time(parts: dict[str, str | None], clock: Clock) -> datetime:
    if (counted := _counted(parts)) is not None:
        return counted
    if of_year := parts.get("of_year"):
        parts = {**parts, **_in_year(int(parts["year"] or 0), int(of_year))}
    if parts.get("first"):
        parts = {**parts, **_ordered(parts["first"] or "", parts["other"] or "", clock)}
    month = str(month_number(parts.get("named") or "") or parts.get("month") or "")
    if not month.isdecimal():
        number = _MONTH_NUMBERS.get(month.upper())
        if number is None:
            raise ValueError(f"{month!r} is not a month")
        month = str(number)
    hour, day = _hour(parts), parts["day"] or ""
    minute, second, year = parts["minute"] or "", parts.get("second") or "0", parts.get("year")
    fraction = parts.get("fraction") or parts.get("comma")
    zone = parts.get("zone") or parts.get("hours") or parts.get("minutes") or _ahead(parts.get("behind"))
    if year is None and zone is None:
        at = f"{hour:02}:{minute:0>2}:{second:0>2}"
        return clock.yearless(int(month), int(day), at, f".{fraction}" if fraction else None)
    if year is None:
        year = str(clock.year_of(int(month), int(day)))
    elif len(year) == 2:
        year = f"{'19' if int(year) > 69 else '20'}{year}"
    local = _checked(year, month, day, str(hour), minute, second, fraction)
    if zone:
        return _from_zone(local, zone)
    clock.say_zone()
    return clock.in_zone(local)


def _in_year(year: int, of_year: int) -> dict[str, str]:
    """Return month and day of a day that is counted from the first of January, which is 1; ValueError if the year has no such day."""
    try:
        when = datetime.strptime(f"{year} {of_year}", "%Y %j")
    except ValueError:
        raise ValueError(f"{year} has no day {of_year}") from None
    return {"month": str(when.month), "day": str(when.day)}


def _ahead(behind: str | None) -> str | None:
    """Return minutes behind UTC, as Windows counts them, as those ahead of it."""
    return f"{'-' if behind[0] == '+' else '+'}{behind[1:]:0>3}" if behind else None


def _hour(parts: dict[str, str | None]) -> int:
    """Return the hour of the day, 0 to 23, of a clock that may count to twelve twice."""
    hour = int(parts["hour"] or 0)
    if half := parts.get("half"):
        return hour % 12 + 12 * (half in "Pp")
    noon = parts.get("noon")
    return hour % 12 + _HALVES[noon] if noon else hour


def _counted(parts: dict[str, str | None]) -> datetime | None:
    """Return the time of a count since some year; None if a stamp is none."""
    if count := parts.get("epoch"):
        return epoch(count)
    if count := parts.get("filetime"):
        return _since_1601(int(count))
    if count := parts.get("tai"):
        return epoch(int(count, 16) - (1 << 62) - _TAI_SECONDS)
    return None


def _ordered(first: str, other: str, clock: Clock) -> dict[str, str]:
    """Return day and month of a date that says both as numbers, by what the file has shown so far."""
    if int(first) > 12 or int(other) > 12:
        day_first = int(first) > 12
        clock.day_first = day_first
    else:
        day_first = clock.assume_day_first()
    return {"day": first, "month": other} if day_first else {"day": other, "month": first}


def _checked(
    year: str, month: str, day: str, hour: str, minute: str, second: str, fraction: str | None = None
) -> datetime:
    micros = int((fraction + "000000")[:6]) if fraction else 0
    try:
        when = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second), 59), micros)
    except ValueError as error:
        raise ValueError(
            f"{year}-{month:0>2}-{day:0>2} {hour:0>2}:{minute}:{second} is not a time: {why_no_time(error)}"
        ) from None
    if not 1970 <= when.year <= 2100:
        raise ValueError(f"{year}-{month}-{day} is not between 1970 and 2100")
    return when


def _from_zone(local: datetime, zone: str) -> datetime:
    """Return a time in UTC, from an offset, a zone's name, or that of a place, as PHP writes it."""
    if "/" not in zone:
        return (local - _offset(zone)).replace(tzinfo=UTC)
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{zone!r} is not a zone") from None


def _offset(zone: str) -> timedelta:
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        minutes = int(digits) if len(digits) == 3 else int(digits[:2]) * 60 + int(digits[2:] or 0)
        if minutes >= 24 * 60:
            raise ValueError(f"{zone!r} is not a zone")
        return timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    return timedelta(minutes=ZONES[zone])


def _since_1601(ticks: int) -> datetime:
    """Return the time of a Windows file time: tenths of a microsecond since 1601."""
    micros = ticks // 10 - _1601 * 1_000_000
    if not 0 <= micros < LATEST_S * 1_000_000:
        raise ValueError(f"{ticks} is not a time between 1970 and 2100")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
