"""A string or a number of JSON in a block of bytes → where it ends, if it is valid and plain. For other kernels to call.

`data` is a pointer to the block, which has a line end after its last line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["DECIMAL", "LOOSE", "NONE", "STRING", "WHOLE", "loose_number", "number", "string"]

STRING, WHOLE, DECIMAL = 1, 2, 3
LOOSE = 9  # after the kinds of json_lines
NONE = -1
_LONGEST = 40  # characters of a loose number, before an exponent of two digits: never infinite
# what is not copied as it is: 1 a quote, 2 a backslash, 3 a control character, 4 a byte of a longer character
_CLASS = np.array([3] * 32 + [0] * 96 + [4] * 128, np.uint8)
_CLASS[34], _CLASS[92] = 1, 2
_ESCAPES = np.zeros(256, np.bool_)
_ESCAPES[np.frombuffer(b'"\\/bfnrt', np.uint8)] = True


@njit(cache=True, nogil=True)
def string(data: Any, at: int) -> int:
    """Return where the quote stands that ends the string whose text begins at `at`; NONE if it is not plain."""
    while True:
        while _CLASS[data[at]] == 0:
            at += 1
        c = data[at]
        if c == 34:
            return at
        if c == 92:
            if not _ESCAPES[data[at + 1]]:
                return NONE
            at += 2
        elif c >= 128:
            at = _character(data, at)
            if at == NONE:
                return NONE
        else:
            return NONE


@njit(cache=True, nogil=True)
def _character(data: Any, at: int) -> int:
    """Return where the UTF-8 character ends that begins at `at`, by table 3-7 of the Unicode standard."""
    c, following = data[at], data[at + 1]
    if 0xC2 <= c <= 0xDF:
        length = 2
    elif 0xE0 <= c <= 0xEF:
        length = 3
        if (c == 0xE0 and following < 0xA0) or (c == 0xED and following > 0x9F):
            return NONE
    elif 0xF0 <= c <= 0xF4:
        length = 4
        if (c == 0xF0 and following < 0x90) or (c == 0xF4 and following > 0x8F):
            return NONE
    else:
        return NONE
    for i in range(1, length):
        if data[at + i] & 0xC0 != 0x80:
            return NONE
    return at + length


@njit(cache=True, nogil=True)
def number(data: Any, at: int) -> tuple[int, int]:
    """Return WHOLE or DECIMAL, and where the number ends; NONE if Python would write it in another way.

    A decimal of up to 15 digits without zeros at its end is what Python writes for the number it reads from it, from
    0.0001 on.
    """
    negative = data[at] == 45
    first = at + 1 if negative else at
    at = first
    while 48 <= data[at] <= 57:
        at += 1
    digits = at - first
    if digits == 0 or digits > 18 or (data[first] == 48 and digits > 1):
        return 0, NONE
    c = data[at]
    if c == 46:
        return _decimal(data, first, at)
    if c in (101, 69) or (negative and data[first] == 48):
        return 0, NONE
    return WHOLE, at


@njit(cache=True, nogil=True)
def _decimal(data: Any, first: int, point: int) -> tuple[int, int]:
    at = point + 1
    while 48 <= data[at] <= 57:
        at += 1
    digits = at - point - 1
    if digits == 0 or digits + point - first > 15 or data[at] == 101 or data[at] == 69:
        return 0, NONE
    if digits > 1 and data[at - 1] == 48:
        return 0, NONE
    zeros = 0
    while data[point + 1 + zeros] == 48:
        zeros += 1
    if data[first] == 48 and 3 < zeros < digits:
        return 0, NONE
    return DECIMAL, at


@njit(cache=True, nogil=True)
def loose_number(data: Any, at: int) -> tuple[int, int]:
    """Return LOOSE, and where the number ends, if it is one that Python reads as a finite float, however it is written."""
    first = at + 1 if data[at] == 45 else at
    point = end = _after_digits(data, first)
    if point == first or (data[first] == 48 and point > first + 1):
        return 0, NONE
    if data[point] == 46:
        end = _after_digits(data, point + 1)
    if end == point + 1 or end - first > _LONGEST:
        return 0, NONE
    if data[end] != 101 and data[end] != 69:
        return (LOOSE, end) if end > point else (0, NONE)
    exponent = end + 2 if data[end + 1] == 43 or data[end + 1] == 45 else end + 1
    end = _after_digits(data, exponent)
    return (LOOSE, end) if exponent < end <= exponent + 2 else (0, NONE)


@njit(cache=True, nogil=True)
def _after_digits(data: Any, at: int) -> int:
    while 48 <= data[at] <= 57:
        at += 1
    return at
