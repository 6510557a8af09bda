"""Bytes where an address or a port is written → where it begins, and its number."""

from __future__ import annotations

from numba import njit

from socml.kernels.ascii_numbers import Bytes

__all__ = ["address_at", "port_at"]

_NONE = -1


@njit(cache=True, nogil=True)
def port_at(data: Bytes, at: int, end: int) -> int:
    """Return digits as a port; -1 if they are none."""
    value = 0
    for i in range(at, end):
        value = value * 10 + (data[i] - 48)
        if value > 65535:
            return _NONE
    return value


@njit(cache=True, nogil=True)
def address_at(data: Bytes, at: int, end: int) -> int:
    """Return where the address begins that is written from `at` to `end`; -1 if it is none.

    It is four numbers of up to three digits; or hexadecimal digits, colons and dots, with a colon before the first
    dot, and perhaps a zone. Of ::ffff:192.0.2.7 only the end counts.
    """
    if _is_mapped(data, at, end):
        return at + 7
    return at if _is_old(data, at, end) or _is_new(data, at, end) else _NONE


@njit(cache=True, nogil=True)
def _is_mapped(data: Bytes, at: int, end: int) -> bool:
    if end - at <= 7 or data[at] != 58 or data[at + 1] != 58 or data[at + 6] != 58:
        return False
    fits = True
    for i in range(at + 2, at + 6):
        fits = fits and (data[i] | 32) == 102  # f, or F
    for i in range(at + 7, end):
        fits = fits and (data[i] == 46 or 48 <= data[i] <= 57)
    return fits


@njit(cache=True, nogil=True)
def _is_old(data: Bytes, at: int, end: int) -> bool:
    numbers, places = 1, 0
    for i in range(at, end):
        if data[i] == 46:
            if places == 0:
                return False
            numbers, places = numbers + 1, 0
        elif 48 <= data[i] <= 57 and places < 3:
            places += 1
        else:
            return False
    return numbers == 4 and places > 0


@njit(cache=True, nogil=True)
def _is_new(data: Bytes, at: int, end: int) -> bool:
    colon = False
    while at < end and data[at] != 37:
        letter = data[at] | 32
        colon = colon or data[at] == 58
        if not (48 <= data[at] <= 58 or 97 <= letter <= 102 or (data[at] == 46 and colon)):
            return False
        at += 1
    return colon and (at == end or _is_word(data, at + 1, end))


@njit(cache=True, nogil=True)
def _is_word(data: Bytes, at: int, end: int) -> bool:
    fits = at < end
    for i in range(at, end):
        fits = fits and (48 <= data[i] <= 57 or 97 <= (data[i] | 32) <= 122 or data[i] == 95)
    return fits
