"""Times in ISO 8601 in a block of bytes ↔ microseconds since 1970, for other kernels to call, with a pointer to it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from socml.kernels.ascii_numbers import NO_TIME

__all__ = ["ISO_LENGTH", "NO_TIME", "iso_time", "write_iso"]

Whole: TypeAlias = int | np.integer[Any]
ISO_LENGTH = 32  # of 2021-06-06T13:57:37.272281+00:00
_DAY = 86_400_000_000
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@njit(cache=True, nogil=True)
def iso_time(data: Any, at: int, end: int) -> Whole:
    """Read '2021-06-06T15:59:46.457984+0200', with or without fraction and zone; without one it is UTC.

    The fraction has six digits; the zone is written as +0200, +02:00 or Z; the year is from 1970 to 2099. NO_TIME for
    all else.
    """
    if end - at < 19 or data[at + 4] != 45 or data[at + 7] != 45 or data[at + 10] != 84:
        return NO_TIME
    century, years, month, day = _two(data, at), _two(data, at + 2), _two(data, at + 5), _two(data, at + 8)
    hour, minute, second = _two(data, at + 11), _two(data, at + 14), _two(data, at + 17)
    year = century * 100 + years
    is_clock = hour <= 23 and minute <= 59 and second <= 59 and data[at + 13] == 58 and data[at + 16] == 58
    is_date = 1970 <= year <= 2099 and 1 <= month <= 12 and day >= 1
    if min(century, years, month, day, hour, minute, second) < 0 or not is_clock or not is_date:
        return NO_TIME
    leap = year % 4 == 0  # 2000 was one, and 1900 and 2100 are out of range
    micros, zone = _fraction(data, at + 19, end)
    ahead = _ahead(data, zone, end)
    if day > _DAYS[month - 1] + (leap and month == 2) or micros < 0 or ahead == NO_TIME:
        return NO_TIME
    y = year - (month <= 2)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = 365 * y + y // 4 - y // 100 + y // 400 + of_year - 719468  # from 1 March of year 0 to 1970
    return (days * 86400 + hour * 3600 + minute * 60 + second - ahead) * 1_000_000 + micros


@njit(cache=True, nogil=True)
def write_iso(micros: Whole, out: Any, at: int) -> int:
    """Write a time as Python's `isoformat` does, in UTC; return where it ends. A fraction of zero is not written."""
    days = micros // _DAY
    rest = micros - days * _DAY
    z = days + 719468
    era = z // 146097
    of_era = z - era * 146097
    of_years = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * of_years + of_years // 4 - of_years // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = of_years + era * 400 + (month <= 2)
    _write_two(out, at, year // 100)
    _write_two(out, at + 2, year % 100)
    out[at + 4] = out[at + 7] = 45
    _write_two(out, at + 5, month)
    _write_two(out, at + 8, of_year - (153 * shifted + 2) // 5 + 1)
    seconds, fraction = rest // 1_000_000, rest % 1_000_000
    out[at + 10] = 84
    _write_two(out, at + 11, seconds // 3600)
    out[at + 13] = out[at + 16] = 58
    _write_two(out, at + 14, seconds // 60 % 60)
    _write_two(out, at + 17, seconds % 60)
    at += 19
    if fraction:
        out[at] = 46
        _write_two(out, at + 1, fraction // 10_000)
        _write_two(out, at + 3, fraction // 100 % 100)
        _write_two(out, at + 5, fraction % 100)
        at += 7
    out[at] = 43
    _write_two(out, at + 1, 0)
    out[at + 3] = 58
    _write_two(out, at + 4, 0)
    return at + 6


@njit(cache=True, nogil=True)
def _fraction(data: Any, at: int, end: int) -> tuple[Whole, int]:
    """Read six digits after a point, if there is one; return them, -1 if there are fewer, and where they end."""
    if at == end or data[at] != 46:
        return np.int64(0), at
    if at + 7 > end:
        return np.int64(-1), at
    high, middle, low = _two(data, at + 1), _two(data, at + 3), _two(data, at + 5)
    if min(high, middle, low) < 0:
        return np.int64(-1), at
    return high * 10_000 + middle * 100 + low, at + 7


@njit(cache=True, nogil=True)
def _ahead(data: Any, at: int, end: int) -> Whole:
    """Read a zone that ends at `end`; return seconds ahead of UTC."""
    if at == end or (at + 1 == end and data[at] == 90):
        return np.int64(0)
    colon = 1 if end - at == 6 and data[at + 3] == 58 else 0
    if end - at != 5 + colon or (data[at] != 43 and data[at] != 45):
        return NO_TIME
    hours, minutes = _two(data, at + 1), _two(data, at + 3 + colon)
    if min(hours, minutes) < 0 or hours > 23 or minutes > 59:
        return NO_TIME
    return (hours * 3600 + minutes * 60) * (1 if data[at] == 43 else -1)


@njit(cache=True, nogil=True)
def _two(data: Any, at: int) -> Whole:
    high, low = np.int64(data[at]) - 48, np.int64(data[at + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else np.int64(-1)


@njit(cache=True, nogil=True)
def _write_two(out: Any, at: int, value: Whole) -> None:
    out[at], out[at + 1] = 48 + value // 10, 48 + value % 10
