"""The bytes of JSON lines → the fields of each plain line: under which dotted name, of which kind, and where.

A line is plain if it is one compact object (no blank between the marks) without `\\u` escapes, with ASCII keys that
hold no dot and are not given twice, with whole numbers of up to 18 digits and decimals as Python would write them.
All others are left to the caller, and so is every line that is no valid JSON: what is plain is valid. For names that
are `loose`, keys may hold dots, and decimals may be written in any way.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.json_names import NamePointers, Names, NameTable, after_key, named, table_at
from socml.kernels.json_values import NONE, loose_number, number, string
from socml.kernels.pointers import pointer_to
from socml.kernels.pooled_memory import pooled

__all__ = ["EMPTY", "FALSE", "LINES", "LIST", "NULL", "TRUE", "Fields", "fields_for", "scan"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
TRUE, FALSE, NULL, LIST, EMPTY = 4, 5, 6, 7, 8  # besides STRING, WHOLE and DECIMAL of json_values
LINES = 32768
_DEPTH = 16


class Fields(NamedTuple):
    """The fields of some lines, line by line, in the order they are written. Lists are one field, objects none.

    Attributes
    ----------
    plain : one a line; where false, the line has no fields here
    begins, stops : one a line; where it lies, without its line end and, if it is plain, without NUL padding
    offsets : shape (n_lines + 1,); the fields of line i are offsets[i]:offsets[i + 1]
    names, kinds, starts, ends : one a field; a string is between its quotes, all else is the whole value
    """

    plain: NDArray[np.bool_]
    begins: Ints
    stops: Ints
    offsets: Ints
    names: Ints
    kinds: Bytes
    starts: Ints
    ends: Ints


class _Out(NamedTuple):
    """Where the arrays of Fields lie, one a field."""

    names: Any
    kinds: Any
    starts: Any
    ends: Any


class _Open(NamedTuple):
    """Where it is kept, by depth, what objects and lists are open."""

    names: Any
    objects: Any
    is_list: Any
    last: Any


def fields_for(size: int, lines: int = LINES) -> Fields:
    """Return room for the fields of blocks of up to `size` bytes, to be used for one after the other, or some lines."""
    room = size // 4 + 1  # a field takes at least `"a":1`
    return Fields(
        plain=pooled(lines, np.bool_),
        begins=pooled(lines, np.int32),
        stops=pooled(lines, np.int32),
        offsets=pooled(lines + 1, np.int32),
        names=pooled(room, np.int32),
        kinds=pooled(room, np.uint8),
        starts=pooled(room, np.int32),
        ends=pooled(room, np.int32),
    )


def scan(data: Bytes, at: int, names: Names, into: Fields) -> tuple[Fields, int]:
    """Return the fields of the lines from `at` on, as many as there is room for, and where the next line begins.

    Parameters
    ----------
    data : its last line ends with a line end
    into : what is written to: it holds the result until it is given to `scan` again

    Examples
    --------
    >>> line = b'{"a":{"b":"x"},"c":[1,2]}\\n'
    >>> names = Names([])
    >>> found, _ = scan(np.frombuffer(line, np.uint8), 0, names, fields_for(len(line)))
    >>> [(names.texts()[n], line[s:e]) for n, s, e in zip(found.names[:2], found.starts, found.ends)]
    [('a.b', b'x'), ('c', b'[1,2]')]
    """
    rows, after = _scan(data, at, names.table, into)
    return Fields(into.plain[:rows], into.begins[:rows], into.stops[:rows], into.offsets[: rows + 1], *into[4:]), after


@njit(cache=True, nogil=True)
def _scan(data: Bytes, at: int, table: NameTable, fields: Fields) -> tuple[int, int]:
    names, objects, is_list, last = (
        np.zeros(_DEPTH, np.int64), np.zeros(_DEPTH, np.int64), np.zeros(_DEPTH, np.int64), np.zeros(_DEPTH, np.int64),
    )  # fmt: skip
    opened = _Open(pointer_to(names), pointer_to(objects), pointer_to(is_list), pointer_to(last))
    out = _Out(pointer_to(fields.names), pointer_to(fields.kinds), pointer_to(fields.starts), pointer_to(fields.ends))
    plain, begins, stops, offsets = fields.plain, fields.begins, fields.stops, fields.offsets
    known, place = table_at(table), pointer_to(data)
    offsets[0] = count = row = 0
    while row < len(plain) and at < len(data):
        begins[row] = at
        plain[row], stop = False, NONE
        if data[at] == 123 and data[at + 1] != 125:
            after, stop = _line(place, at, known, out, count, opened)
        if stop != NONE:
            plain[row] = True
            stops[row] = at = stop
            count = after
        while data[at] != 10:
            at += 1
        if stop == NONE:
            stops[row] = at
        offsets[row + 1] = count
        at += 1
        row += 1
    return row, at


@njit(cache=True, nogil=True)
def _line(  # noqa: C901, PLR0911, PLR0912, PLR0915  one loop: with a function a step it takes twice as long
    data: Any, at: int, table: NamePointers, out: _Out, count: int, opened: _Open
) -> tuple[int, int]:
    """Read one line; return the number of fields so far and where its object ends, NONE if the line is not plain."""
    of_name, objects, is_list, last = opened.names, opened.objects, opened.is_list, opened.last
    names, kinds, starts, ends = out.names, out.kinds, out.starts, out.ends
    seen_in = table.seen_in
    depth, list_field, list_depth = -1, NONE, 0
    name = 0
    wants_key = False
    while True:
        if wants_key:
            if data[at] != 34:
                return count, NONE
            before = last[depth]
            guess = table.firsts[of_name[depth]] if before == NONE else table.follows[before]
            after = NONE
            if guess != NONE:
                after = after_key(data, at + 1, table, guess)
            if after != NONE:
                name, at = guess, after
            else:
                name, at = named(data, at + 1, of_name[depth], table)
                if name == NONE:
                    return count, NONE
                if before == NONE:
                    table.firsts[of_name[depth]] = name
                else:
                    table.follows[before] = name
            if data[at] != 58 or seen_in[name] == objects[depth]:
                return count, NONE
            at += 1
            seen_in[name] = objects[depth]
            last[depth] = name
        c = data[at]
        start, kind = at, 0
        if c == 34:
            start += 1
            stop = string(data, start)
            kind, at = 1, stop + 1
        elif c == 123 and data[at + 1] != 125:
            depth += 1
            if depth == _DEPTH:
                return count, NONE
            table.counts[2] += 1
            of_name[depth], objects[depth], is_list[depth], last[depth] = name, table.counts[2], 0, NONE
            wants_key = True
            at += 1
            continue
        elif c == 123:
            kind, stop = EMPTY, at + 2
            at = stop
        elif c == 91:
            depth += 1
            if depth == _DEPTH:
                return count, NONE
            of_name[depth], is_list[depth] = name, 1
            if list_field == NONE:
                list_field, list_depth = count, depth
                names[count], kinds[count], starts[count] = name, LIST, at
                count += 1
            wants_key = False
            at += 1
            if data[at] != 93:
                continue
            stop = at
        else:
            kind, stop = _word(data, at) if c > 57 else number(data, at)
            if stop == NONE and table.counts[3]:
                kind, stop = loose_number(data, at)
            at = stop
        if stop == NONE:
            return count, NONE
        if kind != 0 and list_field == NONE:
            names[count], kinds[count] = name, kind
            starts[count], ends[count] = start, stop
            count += 1
        while True:  # what may follow a value
            c = data[at]
            at += 1
            if c == 44:
                wants_key = is_list[depth] == 0
                name = of_name[depth]
                break
            if c != (93 if is_list[depth] else 125):
                return count, NONE
            if list_field != NONE and depth == list_depth:
                ends[list_field] = at
                list_field = NONE
            depth -= 1
            if depth < 0:
                return count, at if _ends(data, at) else NONE


@njit(cache=True, nogil=True)
def _ends(data: Any, at: int) -> bool:
    """Return whether nothing but padding is left of the line."""
    while data[at] == 13 or data[at] == 0:
        at += 1
    return bool(data[at] == 10)


@njit(cache=True, nogil=True)
def _word(data: Any, at: int) -> tuple[int, int]:
    """Read true, false or null."""
    if data[at] == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return TRUE, at + 4
    if data[at] == 110 and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return NULL, at + 4
    if data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108 and data[at + 3] == 115 and data[at + 4] == 101:
        return FALSE, at + 5
    return 0, NONE
