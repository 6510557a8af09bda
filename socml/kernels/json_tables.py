"""The fields of some JSON lines → a table of where their values lie, a row a name and a column a line."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.iso_times import NO_TIME, iso_time
from socml.kernels.json_lines import FALSE, NULL, TRUE, Fields, fields_for, scan
from socml.kernels.json_names import Names
from socml.kernels.json_texts import texts
from socml.kernels.json_values import NONE, STRING, number, string
from socml.kernels.named_spans import named_strings
from socml.kernels.pointers import pointer_to
from socml.kernels.pooled_memory import pooled
from socml.kernels.tab_values import decimals, whole_numbers

__all__ = ["ABSENT", "Spans", "iso_column", "joined", "name_bits", "names_met", "spans_of", "warm"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
ABSENT = 0  # a kind besides those of fields: the line does not have the name, or it is null


class Spans(NamedTuple):
    """Where values lie, and of which kind they are; shape (n_names, n_lines). Where there is none, at NONE."""

    starts: Ints
    ends: Ints
    kinds: Bytes


def name_bits(fields: Fields, same: Ints, bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return, for each plain line, the bits of all its names. A line with two names that are the same is not plain.

    Parameters
    ----------
    same : by number of a name, the lowest number of a name that is written so
    bits : by number of a name
    """
    found = np.zeros(len(fields.plain), np.uint64)
    _bits(fields, same, bits, np.full(len(same), NONE, np.int64), found)
    return found


def names_met(fields: Fields, lines: Ints, same: Ints) -> tuple[Ints, Ints]:
    """Return the names of some lines in the order in which they are met, and in which of the lines: its index."""
    names, at = np.zeros(len(same), np.int32), np.zeros(len(same), np.int64)
    count = _met(fields, lines, same, np.zeros(len(same), np.bool_), names, at)
    return names[:count], at[:count]


def spans_of(
    fields: Fields, lines: Ints, columns: Ints, into: tuple[int, int], places: Ints, words: tuple[int, int]
) -> Spans:
    """Return where the values of some lines lie; those of true and false as strings.

    Parameters
    ----------
    columns : by number of a name, its row in the table; NONE to leave it out
    into : the shape of the table
    places : the column of each line in it
    words : where the texts of true and false stand, of one letter each
    """
    found = Spans(pooled(into, np.int32), pooled(into, np.int32), pooled(into, np.uint8))
    found.starts[:], found.ends[:], found.kinds[:] = NONE, NONE, ABSENT
    _spans(fields, lines, columns, places, words, found)
    return found


def iso_column(data: Bytes, starts: Ints, ends: Ints) -> Ints | None:
    """Return times in microseconds since 1970, NO_TIME where nothing stands; None if a text is no time by `iso_time`.

    Examples
    --------
    >>> data = np.frombuffer(b"1970-01-01T00:00:01Z", np.uint8)
    >>> found = iso_column(data, np.array([0, NONE], np.int32), np.array([20, NONE], np.int32))
    >>> found.tolist() == [1_000_000, NO_TIME], iso_column(data, np.zeros(1, np.int32), np.ones(1, np.int32))
    (True, None)
    """
    found = pooled(len(starts), np.int64)
    return found if _iso(data, starts, ends, found) else None


def joined(data: Bytes, starts: Ints, ends: Ints, separator: int) -> tuple[Ints, Bytes]:
    """Return the members of lists with a separator between them, each as it stands, and where the text of a list ends.

    Where a list holds anything but strings and plain numbers, the text is empty, and the end is NONE.

    Examples
    --------
    >>> line = rb'["a\\n",1.5][true]["b"]'
    >>> ends, found = joined(np.frombuffer(line, np.uint8), np.array([0, 11, 17]), np.array([11, 17, 22]), ord(","))
    >>> ends.tolist(), found.tobytes()
    ([7, -1, 8], b'a\\\\n,1.5b')
    """
    into, found = pooled(len(starts), np.int32), pooled(int((ends - starts).sum(dtype=np.int64)), np.uint8)
    return into, found[: _joined(data, starts, ends, separator, into, found)]


def warm() -> None:
    """Compile what reads lines whose names are loose, from their bytes to the texts of their columns."""
    data = np.frombuffer(b'{"a":"x"}\n', np.uint8)
    names = Names([], loose=True)
    fields, _ = scan(data, 0, names, fields_for(len(data)))
    same, lines, nothing = np.zeros(2, np.int64), np.zeros(1, np.int64), np.frombuffer(b"", np.uint8)
    name_bits(fields, same, np.zeros(2, np.uint64))
    names_met(fields, lines, same)
    found = spans_of(fields, lines, same, (1, 1), lines, (0, 0))
    iso_column(data, found.starts[0], found.ends[0])
    joined(data, found.starts[0], found.ends[0], 44)
    edges = np.stack((found.starts[0] - 1, found.ends[0]))
    decimals(data, edges, 0, nothing)
    whole_numbers(data, edges, 0, nothing, 9)
    texts(data, found.kinds[0], found.starts[0], found.ends[0], np.zeros(0, np.int64))
    named_strings(data, found.starts, found.ends, {"a": 0})


@njit(cache=True, nogil=True)
def _bits(fields: Fields, same: Ints, bits: NDArray[np.uint64], seen_in: Ints, found: NDArray[np.uint64]) -> None:
    plain, offsets, names = fields.plain, fields.offsets, fields.names
    for line in range(len(plain)):
        of_line = np.uint64(0)
        for i in range(offsets[line], offsets[line + 1]):
            name = same[names[i]]
            if seen_in[name] == line:
                plain[line] = False
            seen_in[name] = line
            of_line |= bits[name]
        found[line] = of_line


@njit(cache=True, nogil=True)
def _met(fields: Fields, lines: Ints, same: Ints, is_met: NDArray[np.bool_], found: Ints, at: Ints) -> int:
    offsets, names = fields.offsets, fields.names
    count = 0
    for place in range(len(lines)):
        line = lines[place]
        for i in range(offsets[line], offsets[line + 1]):
            name = same[names[i]]
            if not is_met[name]:
                is_met[name] = True
                found[count], at[count] = name, place
                count += 1
    return count


@njit(cache=True, nogil=True)
def _spans(fields: Fields, lines: Ints, columns: Ints, places: Ints, words: tuple[int, int], into: Spans) -> None:
    offsets, of_name, of_kind = fields.offsets, fields.names, fields.kinds
    begins, stops = fields.starts, fields.ends
    starts, ends, kinds = pointer_to(into.starts), pointer_to(into.ends), pointer_to(into.kinds)
    width = into.starts.shape[1]
    for n in range(len(lines)):
        line, place = lines[n], places[n]
        for i in range(offsets[line], offsets[line + 1]):
            column, kind = columns[of_name[i]], of_kind[i]
            if column == NONE or kind == NULL:
                continue
            cell = column * width + place
            if kind in (TRUE, FALSE):
                start = words[0] if kind == TRUE else words[1]
                starts[cell], ends[cell], kinds[cell] = start, start + 1, STRING
            else:
                starts[cell], ends[cell], kinds[cell] = begins[i], stops[i], kind


@njit(cache=True, nogil=True)
def _iso(data: Bytes, starts: Ints, ends: Ints, found: Ints) -> bool:
    place = pointer_to(data)
    for row in range(len(starts)):
        if starts[row] == NONE:
            found[row] = NO_TIME
            continue
        found[row] = iso_time(place, starts[row], ends[row])
        if found[row] == NO_TIME:
            return False
    return True


@njit(cache=True, nogil=True)
def _joined(data: Bytes, starts: Ints, ends: Ints, separator: int, into: Ints, found: Bytes) -> int:
    source, place = pointer_to(data), pointer_to(found)
    used = 0
    for row in range(len(starts)):
        at, last, begin = starts[row] + 1, ends[row] - 1, used
        into[row] = NONE
        while at < last:
            if source[at] == 34:
                first = at + 1
                stop = string(source, first)
                at = stop + 1
            else:
                first = at
                _, stop = number(source, at)
                at = stop
            if stop == NONE:
                break
            while first < stop:
                place[used] = source[first]
                first += 1
                used += 1
            if at < last:  # at a comma
                place[used] = separator
                used += 1
                at += 1
        if at == last:
            into[row] = used
        else:
            used = begin
    return used
