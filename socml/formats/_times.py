"""Times as tools write them → UTC; what a stamp leaves open (year, zone, unit) is decided once and reported once."""

from __future__ import annotations

from calendar import isleap
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from socml.formats._columns import LATEST_S
from socml.formats._iso import from_iso
from socml.formats._reader import Assumption, ReadOptions, Source
from socml.project import ConfigurationError

__all__ = ["MONTHS", "Clock", "clock_of", "epoch", "iso", "microseconds", "sets_back", "why_no_time"]

MONTHS = {m: n for n, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_1601_S, _YEAR_1_S = 11_644_473_600, 62_135_596_800  # seconds from there to 1970
_HALF_A_YEAR = 6 * 31
_FRESH = timedelta(days=1)  # between the last date of a log and the writing of its file


@dataclass
class Clock:
    """Turns times without a year or a zone into UTC, in the order of the file.

    A time without a year gets the recipe's `year`, for the first record, or the newest year that does not put the
    first record after the file was written; a jump back by half a year or more is a New Year. Blind to logs with a
    gap of half a year, and to a year that was guessed wrong.
    """

    zone: ZoneInfo | None  # None: UTC
    year: int | None
    modified: datetime | None
    warnings: list[str] = field(default_factory=list)
    used_year: bool = False
    used_zone: bool = False
    position: int | None = None  # of the last record in its year: 31 times the month, and the day
    day_first: bool | None = None  # whether 03/04/2026 is of April; None: nothing in the file has shown it
    is_translated: bool = False  # whether the file speaks a language that writes the day first
    spans: dict[bool, tuple[date, date]] = field(
        default_factory=dict
    )  # of dates that may be read both ways, by day_first
    said_zone: bool = False
    changes: _Changes | None = None  # what a zone that sets its clocks back needs to know of the last record

    @property
    def is_certain(self) -> bool:
        """Whether no time so far depended on the recipe's year or zone."""
        return not self.used_year and not (self.used_zone and self.zone is not None)

    def yearless(self, month: int, day: int, clock: str, fraction: str | None = None) -> datetime:
        """Return the time of a record that says month, day and clock. Raises ValueError if there is no such day.

        Parameters
        ----------
        clock : as "13:06:56"
        fraction : as ".25", of a second
        """
        year = self.year_of(month, day)
        micros = int(float(fraction) * 1_000_000) if fraction else 0
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:8])
        try:
            return self.in_zone(datetime(year, month, day, hour, minute, min(second, 59), micros))
        except ValueError as error:
            raise ValueError(f"there is no such time in {year}: {why_no_time(error)}") from None

    def year_of(self, month: int, day: int) -> int:
        """Return the year of the next record, of which only month and day are known."""
        self.used_year = True
        if self.year is None:
            self.year = self._newest_year(month, day)
            self._assume(
                "year",
                f"The times have no year: read as {self.year}, the newest in which the first record is not after "
                "the file was written. Set `year` in the dataset's recipe if that is wrong.",
            )
        return self._year_of(self.year, 31 * month + day)

    def known_year(self, local: datetime) -> datetime:
        """Return a clock time in UTC whose year its own record tells; the records after it go on from there."""
        self.used_year = True
        self.year, self.position = local.year, 31 * local.month + local.day
        return self.in_zone(local)

    def in_zone(self, local: datetime) -> datetime:
        """Return a local time in UTC; a clock time that occurs twice is the first, unless the file has passed it."""
        self.used_zone = True
        if self.zone is None:
            self.say_zone()
            return local.replace(tzinfo=UTC)
        if self.changes is None:
            self.changes = _Changes(self.zone)
        return local.replace(tzinfo=self.zone, fold=self.changes.fold(local)).astimezone(UTC)

    def say_zone(self) -> None:
        """Say, once, that a time named no zone and the recipe names none."""
        if self.zone is None and not self.said_zone:
            self.said_zone = True
            self._assume(
                "zone", "The times name no zone: read as UTC. Set `time_zone` in the dataset's recipe if that is wrong."
            )

    def see_date(self, first: int, other: int, year: int) -> None:
        """Take note of a date of two small numbers, one of which is the day."""
        for is_first, (day, month) in ((True, (first, other)), (False, (other, first))):
            with suppress(ValueError):
                seen = date(year, month, day)
                low, high = self.spans.get(is_first, (seen, seen))
                self.spans[is_first] = min(low, seen), max(high, seen)

    def assume_day_first(self) -> bool:
        """Return whether a date of two small numbers says the day first; if no date shows it, what is taken is said once."""
        if self.day_first is None:
            self.day_first, why = self._likelier_order()
            order = "day/month/year" if self.day_first else "month/day/year"
            self._assume(
                "date order",
                f"Dates such as 03/04/2026 are read as {order}: {why}. Set time_format in the dataset's recipe if that is wrong.",
            )
        return self.day_first

    def _likelier_order(self) -> tuple[bool, str]:
        """Return whether the day is likelier to stand first, and why: by language, by when the file was written, by how close dates lie."""
        if self.is_translated:
            return True, "so the file's language writes them"
        if len(self.spans) == 2 and self.spans[True] != self.spans[False]:
            if self.modified is not None:
                written = self.modified.date()
                fresh = [is_first for is_first, (_, last) in self.spans.items() if abs(written - last) <= _FRESH]
                if len(fresh) == 1:
                    return fresh[0], "so the last is of when the file was written"
            length = {is_first: last - first for is_first, (first, last) in self.spans.items()}
            if 2 * min(length.values()) < max(length.values()):
                return length[True] < length[False], "so they lie closest together"
        return False, "no date of the file so far shows the order"

    def utc(self, when: datetime) -> datetime:
        """Return a time in UTC, one without a zone by the recipe's zone."""
        return when.astimezone(UTC) if when.tzinfo else self.in_zone(when)

    def _assume(self, kind: str, text: str) -> None:
        self.warnings.append(Assumption(kind, text))

    def _newest_year(self, month: int, day: int) -> int:
        later = (self.modified or _EPOCH).astimezone(self.zone or UTC)
        year = later.year if (month, day) <= (later.month, later.day) else later.year - 1
        if (month, day) == (2, 29):
            return next(leap for leap in range(year, 0, -1) if isleap(leap))
        return year

    def _year_of(self, year: int, position: int) -> int:
        before = self.position
        if before is not None and position - before >= 360:
            return year - 1  # 31 December, written just after 1 January
        if before is not None and before - position >= _HALF_A_YEAR and self._may_be(year + 1, position):
            year += 1
            self.year = year
            self._assume("year", f"The times pass a New Year: from there on read as {year}.")
        self.position = position
        return year

    def _may_be(self, year: int, position: int) -> bool:
        """Return whether a day of a year is not after the file was written, as far as that is known."""
        if self.modified is None:
            return True
        written = self.modified.astimezone(self.zone or UTC)
        return (year, position) <= (written.year, 31 * written.month + written.day)


@dataclass
class _Changes:
    """Which of two an hour is that comes twice, when a zone sets its clocks back: told by the order of a file's records.

    A time at least a minute before the record above it begins the second; so does one that repeats the record above it
    if the records came half an hour or more apart until then.
    """

    zone: ZoneInfo
    days: dict[date, bool] = field(default_factory=dict)  # whether clocks are set back on a day
    last: datetime | None = None  # the last record of such a day
    nearest: timedelta = timedelta(days=1)  # between records of that day
    is_second: bool = False

    def fold(self, local: datetime) -> int:
        """Return 0 or 1, as `datetime.fold`."""
        day = local.date()
        goes_back = self.days.get(day)
        if goes_back is None:
            goes_back = self.days[day] = sets_back(self.zone, day)
        if not goes_back:
            return 0
        before, self.last = self.last, local
        if before is None or before.date() != day:
            self.nearest, self.is_second = timedelta(days=1), False
            return 0
        passed = local - before
        if passed <= timedelta(minutes=-1) or (not passed and self.nearest >= timedelta(minutes=30)):
            self.is_second |= _comes_twice(self.zone, local)
        self.nearest = min(self.nearest, abs(passed))
        if not _comes_twice(self.zone, local):
            self.is_second = False
        return int(self.is_second)


def sets_back(zone: ZoneInfo, day: date) -> bool:
    """Return whether a zone sets its clocks back on a day.

    Examples
    --------
    >>> sets_back(ZoneInfo("Europe/Paris"), date(2026, 10, 25)), sets_back(ZoneInfo("Europe/Paris"), date(2026, 3, 29))
    (True, False)
    """
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone, fold=1)
        return (start.utcoffset() or timedelta()) > (end.utcoffset() or timedelta())
    except OverflowError:
        return False


def _comes_twice(zone: ZoneInfo, local: datetime) -> bool:
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def clock_of(source: Source, options: ReadOptions) -> Clock:
    """Return the clock of a file, by its recipe. Raises ConfigurationError if the zone is none."""
    zone = _zone(options.time_zone)
    return Clock(zone, options.year, source.modified, said_zone=options.zone_is_given)


def iso(text: object, clock: Clock | None = None) -> datetime:
    """Return an ISO 8601 time in UTC; one without a zone is in the clock's, else in UTC.

    Raises
    ------
    ValueError
        In words, if it is none.

    Examples
    --------
    >>> iso("2021-06-06T15:59:46,25+0200").isoformat()
    '2021-06-06T13:59:46.250000+00:00'
    """
    try:
        when = from_iso(str(text).strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{str(text)[:60]!r} is not a time") from None
    if when.tzinfo is None and clock is not None:
        return clock.in_zone(when)
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def epoch(value: object) -> datetime:
    """Return the time of a count since 1970, in seconds, milliseconds, microseconds or nanoseconds by its size.

    Seconds are up to the year 2100, which is 1970-02-17 in milliseconds: earlier times are not told apart. Also counts of
    microseconds since 1601, as Chrome has them, and of tenths of one since the year 1, as .NET has them.

    Raises
    ------
    ValueError
        In words, if it is none.

    Examples
    --------
    >>> [epoch(v).isoformat() for v in ("1655071198.444458", 1655071198444, 1655071198444458)]
    ['2022-06-12T21:59:58.444458+00:00', '2022-06-12T21:59:58.444000+00:00', '2022-06-12T21:59:58.444458+00:00']
    >>> [epoch(v).isoformat() for v in (13409056800000000, 639001800000000000, 1764583200123456789)]
    ['2025-12-01T10:00:00+00:00', '2025-12-01T10:00:00+00:00', '2025-12-01T10:00:00.123456+00:00']
    """
    try:
        whole, _, part = str(value).strip().partition(".")
        digits = int(whole)
        fraction = int((part + "000000")[:6]) if part else 0
    except ValueError:
        raise ValueError(f"{str(value)[:60]!r} is not a time since 1970") from None
    for unit in (1_000_000, 1_000, 1):
        if 0 <= digits < LATEST_S * 1_000_000 // unit:
            return _EPOCH + timedelta(microseconds=digits * unit + fraction * unit // 1_000_000)
    for before_s, a_micro in ((_1601_S, 1), (_YEAR_1_S, 10)):  # nobody counts nanoseconds of 1970 or 1990
        if 0 <= (passed := digits // a_micro - before_s * 1_000_000) < LATEST_S * 1_000_000:
            return _EPOCH + timedelta(microseconds=passed)
    if 0 <= digits < LATEST_S * 1_000_000_000:
        return _EPOCH + timedelta(microseconds=digits // 1000)
    raise ValueError(f"{str(value)[:60]!r} is not a time between 1970 and 2100")


def microseconds(when: datetime | None) -> int | None:
    """Return a time as microseconds since 1970, exactly."""
    if when is None:
        return None
    passed = when - _EPOCH
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds


def why_no_time(error: ValueError) -> str:
    """Return what Python says of numbers that are no time, in the same words whatever its version.

    Examples
    --------
    >>> why_no_time(ValueError("day 30 must be in range 1..29 for month 2 in year 2024"))
    'day is out of range for month'
    >>> why_no_time(ValueError("month must be in 1..12, not 13"))
    'month must be in 1..12'
    """
    text = str(error)
    if text.startswith("day ") and "must be in range" in text:
        return "day is out of range for month"
    return text.partition(", not ")[0]


def _zone(name: str) -> ZoneInfo | None:
    if name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"time_zone is {name!r}, which is not a time zone such as Europe/Paris.") from None
