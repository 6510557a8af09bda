"""The time in the header of a syslog line → microseconds, from the day's begin, from 1970 in a zone, or in UTC."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.ascii_numbers import Bytes, Whole

__all__ = ["LOCAL", "NO_TIME", "UTC", "YEARLESS", "digits", "stamp_time", "written_time"]

Ints = NDArray[np.integer[Any]]
YEARLESS, LOCAL, UTC = range(3)
NO_TIME = np.int64(-(2**63))
_MONTHS = np.array([int.from_bytes(m, "big") for m in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_DAYS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MICROS = np.int64(1_000_000)


@njit(cache=True, nogil=True)
def digits(data: Bytes, at: int, end: int) -> Whole:
    """Return a whole number of at most 18 digits; -1 if it is none."""
    value = np.int64(0)
    for i in range(at, end):
        if not 48 <= data[i] <= 57:
            return np.int64(-1)
        value = value * 10 + (data[i] - 48)
    return value if at < end else np.int64(-1)


@njit(cache=True, nogil=True)
def written_time(
    data: Bytes, month_at: int, day: Whole, year: Whole, clock_at: int, fraction_at: int, fraction_end: int
) -> tuple[Whole, Whole]:
    """Read the parts of 'Mar 27 13:06:56.25', with a year or without; return the month and the microseconds.

    Parameters
    ----------
    year : -1 for none: then the microseconds are those since the day began, and a second 60 counts as 59
    fraction_at : of the point; -1 for no fraction

    Returns
    -------
    month, micros : NO_TIME instead of microseconds if there is no such time, in any year or in the one that is said
    """
    letters = (np.int64(data[month_at]) << 16) | (np.int64(data[month_at + 1]) << 8) | np.int64(data[month_at + 2])
    month = 0
    for m in range(12):
        if _MONTHS[m] == letters:
            month = m + 1
    hour, minute = digits(data, clock_at, clock_at + 2), digits(data, clock_at + 3, clock_at + 5)
    second = digits(data, clock_at + 6, clock_at + 8)
    if month == 0 or day < 1 or day > _DAYS[month - 1] or hour > 23 or minute > 59 or (year >= 0 and second > 59):
        return month, NO_TIME
    micros = (hour * 3600 + minute * 60 + min(second, 59)) * _MICROS
    places = fraction_end - fraction_at - 1
    if fraction_at >= 0 and year >= 0:
        micros += digits(data, fraction_at + 1, fraction_end) * 10 ** (6 - places)
    elif fraction_at >= 0:  # as the reader has it: a decimal fraction times a million, cut off
        micros += np.int64(digits(data, fraction_at + 1, fraction_end) / 10.0**places * 1_000_000)
    if year >= 0:
        days = _day_number(year, month, day)
        micros = NO_TIME if days == NO_TIME else micros + days * 86400 * _MICROS
    return month, micros


@njit(cache=True, nogil=True)
def stamp_time(data: Bytes, at: int, end: int) -> tuple[Whole, int]:
    """Read '2026-03-27T13:06:56.25+00:00', with or without fraction and zone; return its microseconds, UTC or LOCAL.

    NO_TIME instead of microseconds if it is no such time; and for one outside of the years 1971 to 2098.
    """
    if end - at < 19 or not _has_marks(data, at):
        return NO_TIME, UTC
    days = _day_number(digits(data, at, at + 4), digits(data, at + 5, at + 7), digits(data, at + 8, at + 10))
    hour, minute, second = (
        digits(data, at + 11, at + 13),
        digits(data, at + 14, at + 16),
        digits(data, at + 17, at + 19),
    )
    fraction, after = _fraction(data, at + 19, end)
    kind = LOCAL if after == end else UTC
    ahead = np.int64(0) if kind == LOCAL else _zone(data, after, end)
    if NO_TIME in (days, ahead) or after < 0 or min(hour, minute, second) < 0:
        return NO_TIME, kind
    if hour > 23 or minute > 59 or second > 59:
        return NO_TIME, kind
    return (days * 86400 + hour * 3600 + minute * 60 + second - ahead) * _MICROS + fraction, kind


@njit(cache=True, nogil=True)
def _has_marks(data: Bytes, at: int) -> bool:
    dashes = data[at + 4] == 45 and data[at + 7] == 45
    return bool(dashes and data[at + 13] == 58 and data[at + 16] == 58 and (data[at + 10] == 84 or data[at + 10] == 32))


@njit(cache=True, nogil=True)
def _fraction(data: Bytes, at: int, end: int) -> tuple[Whole, int]:
    """Read '.25' or ',25', if it is there; return its microseconds and where it ends, -1 if it has no digits."""
    fraction, scale = np.int64(0), np.int64(100_000)
    if at >= end or (data[at] != 46 and data[at] != 44):
        return fraction, at
    first = at + 1
    at = first
    while at < end and 48 <= data[at] <= 57:
        fraction += (data[at] - 48) * scale
        scale //= 10
        at += 1
    return fraction, at if at > first else -1


@njit(cache=True, nogil=True)
def _zone(data: Bytes, at: int, end: int) -> Whole:
    """Read 'Z', '+0130' or '-01:30'; return by how many seconds it is ahead of UTC, NO_TIME if it is none of them."""
    if at < 0 or at >= end:
        return NO_TIME
    if data[at] == 90 and at + 1 == end:
        return np.int64(0)
    colon = 1 if end - at == 6 and data[at + 3] == 58 else 0
    if end - at != 5 + colon or (data[at] != 43 and data[at] != 45):
        return NO_TIME
    hours, minutes = digits(data, at + 1, at + 3), digits(data, at + 3 + colon, end)
    if min(hours, minutes) < 0 or hours > 23 or minutes > 59:
        return NO_TIME
    return (hours * 60 + minutes) * (60 if data[at] == 43 else -60)


@njit(cache=True, nogil=True)
def _day_number(year: Whole, month: Whole, day: Whole) -> Whole:
    """Return the days from 1970 to a day of the years 1971 to 2098; NO_TIME for any other."""
    if year < 1971 or year > 2098 or month < 1 or month > 12 or day < 1 or day > _DAYS[month - 1]:
        return NO_TIME
    if month == 2 and day == 29 and year % 4 != 0:
        return NO_TIME
    y = np.int64(year) - (month <= 2)
    of_year = (153 * (np.int64(month) + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return 365 * y + y // 4 - y // 100 + y // 400 + of_year - 719468  # from 1 March of year 0 to 1970
