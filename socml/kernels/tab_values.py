"""Where the cells of a column lie → their values: numbers, text, or text with the column's name; a cell may be unset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.pointers import pointer_to, put_word, word_at
from socml.kernels.pooled_memory import pooled

__all__ = ["Named", "Texts", "decimals", "named_texts", "texts", "warm", "whole_numbers"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
_ROOM = 16  # bytes that are written at once
_TENS = np.array([10.0**i for i in range(23)])


@dataclass(frozen=True)
class Texts:
    """Texts as Arrow keeps them: where each begins, their bytes, and which are there."""

    offsets: Ints
    values: Bytes
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class Named:
    """Texts by row and name: `offsets` tells which belong to a row."""

    offsets: Ints
    name_offsets: Ints
    names: Bytes
    value_offsets: Ints
    values: Bytes


def whole_numbers(
    data: Bytes, edges: Ints, column: int, unset: Bytes, top: int
) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Return numbers, and which are there; None if a cell is anything but unset or digits up to `top`.

    Examples
    --------
    >>> data, edges = np.frombuffer(b"7,-,", np.uint8), np.array([[-1, 1], [1, 3]], np.int32)
    >>> [a.tolist() for a in whole_numbers(data, edges, 0, np.frombuffer(b"-", np.uint8), 99)]
    [[7, 0], [True, False]]
    >>> whole_numbers(data, edges, 0, np.frombuffer(b"?", np.uint8), 99)
    """
    values, present = pooled(edges.shape[1], np.int64), pooled(edges.shape[1], np.bool_)
    return (values, present) if _whole(data, edges, column, unset, top, values, present) else None


def decimals(data: Bytes, edges: Ints, column: int, unset: Bytes) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Return numbers, and which are there; None if a cell is anything but unset or digits, perhaps with a dot in them.

    Each is the double nearest to what is written.
    """
    values, present = pooled(edges.shape[1], np.float64), pooled(edges.shape[1], np.bool_)
    return (values, present) if _decimals(data, edges, column, unset, values, present) else None


def texts(data: Bytes, edges: Ints, column: int, unset: Bytes, empty: Bytes) -> Texts:
    """Return the text of a column's cells; one that is `empty` is empty.

    Examples
    --------
    >>> data, edges = np.frombuffer(b"abc,-,", np.uint8), np.array([[-1, 3], [3, 5]], np.int32)
    >>> found = texts(data, edges, 0, np.frombuffer(b"-", np.uint8), np.frombuffer(b"0", np.uint8))
    >>> found.offsets.tolist(), found.values.tobytes(), found.present.tolist()
    ([0, 3, 3], b'abc', [True, False])
    """
    rows = edges.shape[1]
    size = int(edges[column + 1].sum(dtype=np.int64) - edges[column].sum(dtype=np.int64)) - rows
    offsets, present, values = pooled(rows + 1, np.int32), pooled(rows, np.bool_), pooled(size + _ROOM, np.uint8)
    used = _texts(data, edges, column, unset, empty, offsets, present, values)
    return Texts(offsets, values[:used], present)


def named_texts(data: Bytes, edges: Ints, columns: Ints, names: list[bytes], unset: Bytes, empty: Bytes) -> Named:
    """Return the texts of several columns' cells that are not unset, row by row, each with its column's name."""
    rows = edges.shape[1]
    starts = np.zeros(len(names) + 1, np.int32)
    np.cumsum([len(name) for name in names], out=starts[1:])
    text = np.frombuffer(b"".join(names) + bytes(_ROOM), np.uint8)
    most = rows * len(names)
    size = int(edges[columns + 1].sum(dtype=np.int64) - edges[columns].sum(dtype=np.int64)) - most
    found = Named(
        pooled(rows + 1, np.int32),
        pooled(most + 1, np.int32),
        pooled(rows * int(starts[-1]) + _ROOM, np.uint8),
        pooled(most + 1, np.int32),
        pooled(size + _ROOM, np.uint8),
    )
    count = _named(
        data, edges, columns, starts, text, unset, empty,
        found.offsets, found.name_offsets, found.names, found.value_offsets, found.values,
    )  # fmt: skip
    name_offsets, value_offsets = found.name_offsets[: count + 1], found.value_offsets[: count + 1]
    return Named(
        found.offsets, name_offsets, found.names[: name_offsets[-1]], value_offsets, found.values[: value_offsets[-1]]
    )


def warm() -> None:
    """Compile."""
    data, edges, unset = np.frombuffer(b"1", np.uint8), np.array([[-1], [1]], np.int32), np.frombuffer(b"-", np.uint8)
    whole_numbers(data, edges, 0, unset, 9)
    decimals(data, edges, 0, unset)
    texts(data, edges, 0, unset, unset)
    named_texts(data, edges, np.array([0]), [b"a"], unset, unset)


@njit(cache=True, nogil=True)
def _is(source: Any, at: int, end: int, word: Any, length: int) -> bool:
    if end - at != length:
        return False
    i = 0
    while i < length and source[at + i] == word[i]:
        i += 1
    return i == length


@njit(cache=True, nogil=True)
def _put(source: Any, at: int, end: int, last: int, place: Any, used: int) -> int:
    """Write the bytes at:end, and some more; `last` is where sixteen can be read last. Return where they end."""
    stop = used + end - at
    while at < end:
        if at <= last:
            put_word(place, used, word_at(source, at))
            put_word(place, used + 8, word_at(source, at + 8))
            at += 16
            used += 16
        else:
            place[used] = source[at]
            at += 1
            used += 1
    return stop


@njit(cache=True, nogil=True)
def _whole(
    data: Bytes, edges: Ints, column: int, unset: Bytes, top: int, values: Ints, present: NDArray[np.bool_]
) -> bool:
    source, nothing, length = pointer_to(data), pointer_to(unset), len(unset)
    for row in range(len(values)):
        at, end = edges[column, row] + 1, edges[column + 1, row]
        value = np.int64(0)
        present[row] = not _is(source, at, end, nothing, length)
        if present[row]:
            if at == end or end - at > 18:
                return False
            for i in range(at, end):
                digit = np.int64(source[i]) - 48
                if digit < 0 or digit > 9:
                    return False
                value = value * 10 + digit
            if value > top:
                return False
        values[row] = value
    return True


@njit(cache=True, nogil=True)
def _decimals(
    data: Bytes, edges: Ints, column: int, unset: Bytes, values: NDArray[np.float64], present: NDArray[np.bool_]
) -> bool:
    source, nothing, length = pointer_to(data), pointer_to(unset), len(unset)
    for row in range(len(values)):
        at, end = edges[column, row] + 1, edges[column + 1, row]
        value, dot = np.int64(0), -1
        present[row] = not _is(source, at, end, nothing, length)
        if present[row]:
            if end - at > 18:
                return False
            for i in range(at, end):
                digit = np.int64(source[i]) - 48
                if digit == -2 and dot < 0:
                    dot = i
                elif digit < 0 or digit > 9:
                    return False
                else:
                    value = value * 10 + digit
            if at == end or min(source[at], source[end - 1]) < 48 or value >> 53:
                return False
        values[row] = value / _TENS[end - 1 - dot] if dot >= 0 else value
    return True


@njit(cache=True, nogil=True)
def _texts(
    data: Bytes, edges: Ints, column: int, unset: Bytes, empty: Bytes, offsets: Ints, present: Any, values: Bytes
) -> int:
    source, nothing, length = pointer_to(data), pointer_to(unset), len(unset)
    void, size = pointer_to(empty), len(empty)
    place, used, last = pointer_to(values), 0, len(data) - _ROOM
    offsets[0] = 0
    for row in range(len(present)):
        at, end = edges[column, row] + 1, edges[column + 1, row]
        present[row] = not _is(source, at, end, nothing, length)
        if present[row] and not _is(source, at, end, void, size):
            used = _put(source, at, end, last, place, used)
        offsets[row + 1] = used
    return used


@njit(cache=True, nogil=True)
def _named(
    data: Bytes, edges: Ints, columns: Ints, starts: Ints, text: Bytes, unset: Bytes, empty: Bytes,
    offsets: Ints, name_offsets: Ints, names: Bytes, value_offsets: Ints, values: Bytes,
) -> int:  # fmt: skip
    source, nothing, length = pointer_to(data), pointer_to(unset), len(unset)
    void, size, name = pointer_to(empty), len(empty), pointer_to(text)
    edge, stride, last = pointer_to(edges), edges.strides[0] // edges.itemsize, len(data) - _ROOM
    key_place, place = pointer_to(names), pointer_to(values)
    count = key_used = used = 0
    offsets[0] = name_offsets[0] = value_offsets[0] = 0
    for row in range(edges.shape[1]):
        for i in range(len(columns)):
            cell = columns[i] * stride + row
            at, end = edge[cell] + 1, edge[cell + stride]
            if _is(source, at, end, nothing, length):
                continue
            key_used = _put(name, starts[i], starts[i + 1], starts[-1], key_place, key_used)
            if not _is(source, at, end, void, size):
                used = _put(source, at, end, last, place, used)
            count += 1
            name_offsets[count], value_offsets[count] = key_used, used
        offsets[row + 1] = count
    return count
