"""Digits in a block of bytes → whole numbers and times, for other kernels to call."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["NO_TIME", "Bytes", "Whole", "access_time", "minute_and_second", "whole_number"]

Bytes: TypeAlias = NDArray[np.uint8]
Whole: TypeAlias = int | np.integer[Any]
NO_TIME = np.int64(-(2**63))
_MONTHS = np.array([int.from_bytes(m, "big") for m in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@njit(cache=True, nogil=True)
def whole_number(data: Bytes, at: int, end: int) -> tuple[Whole, int]:
    """Read up to 18 digits; return their value and where they end; -1 and where it began if there are none."""
    value = np.int64(0)
    begin = at
    while at < end and 48 <= data[at] <= 57:
        value = value * 10 + (data[at] - 48)
        at += 1
    if at == begin or at - begin > 18:
        return np.int64(-1), begin
    return value, at


@njit(cache=True, nogil=True)
def _two(data: Bytes, at: int) -> Whole:
    high, low = np.int64(data[at]) - 48, np.int64(data[at + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else np.int64(-1)


@njit(cache=True, nogil=True)
def minute_and_second(data: Bytes, at: int) -> Whole:
    """Read '06:56'; return how many microseconds of the hour have passed, -1 if it is none."""
    minute, second = _two(data, at), _two(data, at + 3)
    if minute < 0 or minute > 59 or second < 0 or second > 59 or data[at + 2] != 58:
        return np.int64(-1)
    return (minute * 60 + second) * 1_000_000


@njit(cache=True, nogil=True)
def access_time(data: Bytes, at: int, end: int) -> Whole:
    """Read '[29/Feb/2024:13:06:56 +0100]'; return microseconds since 1970."""
    if at + 28 > end or data[at] != 91 or data[at + 27] != 93 or data[at + 21] != 32:
        return NO_TIME
    slashes = data[at + 3] == 47 and data[at + 7] == 47
    if not slashes or data[at + 12] != 58 or data[at + 15] != 58 or data[at + 18] != 58:
        return NO_TIME
    sign = data[at + 22]
    letters = (np.int64(data[at + 4]) << 16) | (np.int64(data[at + 5]) << 8) | np.int64(data[at + 6])
    month = 0
    for m in range(12):
        if _MONTHS[m] == letters:
            month = m + 1
    day, century, years = _two(data, at + 1), _two(data, at + 8), _two(data, at + 10)
    hour, minute, second = _two(data, at + 13), _two(data, at + 16), _two(data, at + 19)
    zone_hour, zone_minute = _two(data, at + 23), _two(data, at + 25)
    if min(day, century, years, hour, minute, second, zone_hour, zone_minute) < 0 or month == 0:
        return NO_TIME
    year = century * 100 + years
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1970 or year >= 2100 or day < 1 or day > _DAYS[month - 1] + (leap and month == 2):
        return NO_TIME
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59 or sign not in (43, 45):
        return NO_TIME
    y = year - (month <= 2)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = 365 * y + y // 4 - y // 100 + y // 400 + of_year - 719468  # from 1 March of year 0 to 1970
    ahead = (zone_hour * 60 + zone_minute) * (60 if sign == 43 else -60)
    return (days * 86400 + hour * 3600 + minute * 60 + second - ahead) * 1_000_000
