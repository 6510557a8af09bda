"""The keys of JSON objects ↔ numbers, one for each dotted name, in the order they are met; for kernels and for Python."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.json_values import NONE
from socml.kernels.pointers import pointer_to

__all__ = ["NamePointers", "NameTable", "Names", "after_key", "name_of_text", "named", "table_at"]

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.integer[Any]]
_NAMES = 4096  # more are not told apart: their lines are not plain
_NAME_BYTES = 1 << 17
_LONGEST_KEY = 128


class NameTable(NamedTuple):
    """The names met so far, as arrays that kernels write to. Name 0 is the record itself."""

    slots: Ints  # a hash table of names, by parent and key
    parents: Ints
    starts: Ints  # of the keys, in `text`
    lengths: Ints
    text: Bytes
    counts: Ints  # of names, of bytes in `text`, of objects opened; then whether the names are loose
    seen_in: Ints  # the last object in which a name was given
    follows: Ints  # the name that came after this one, when last seen
    firsts: Ints  # the name that came first in the object of this name


class NamePointers(NamedTuple):
    """Where the arrays of a NameTable lie."""

    parents: Any
    starts: Any
    lengths: Any
    text: Any
    slots: Any
    counts: Any
    seen_in: Any
    follows: Any
    firsts: Any


class Names:
    """Dotted names ↔ numbers.

    Parameters
    ----------
    known : what is under a dot is in an object
    loose : whether keys may hold dots, so that one dotted name may have several numbers; and what `scan` says of it

    Examples
    --------
    >>> names = Names(["dns.rrname"])
    >>> names.number("dns.rrname"), names.texts()
    (2, ['', 'dns', 'dns.rrname'])
    """

    def __init__(self, known: list[str], *, loose: bool = False) -> None:
        self.table = NameTable(
            slots=np.zeros(4 * _NAMES, np.int32),
            parents=np.zeros(_NAMES, np.int32),
            starts=np.zeros(_NAMES, np.int32),
            lengths=np.zeros(_NAMES, np.int32),
            text=np.zeros(_NAME_BYTES, np.uint8),
            counts=np.array([1, 0, 0, loose], np.int64),
            seen_in=np.zeros(_NAMES, np.int64),
            follows=np.full(_NAMES, NONE, np.int32),
            firsts=np.full(_NAMES, NONE, np.int32),
        )
        self._texts = [""]
        self._numbers = {name: self._add(name) for name in known}
        self.known = int(self.table.counts[0])  # names with a lower number were known from the start

    def number(self, name: str) -> int:
        """Return the number of a name that was known from the start."""
        return self._numbers[name]

    def texts(self) -> list[str]:
        """Return all names so far, by number."""
        table = self.table
        for i in range(len(self._texts), int(table.counts[0])):
            key = table.text[table.starts[i] : table.starts[i] + table.lengths[i]].tobytes().decode("ascii")
            above = self._texts[table.parents[i]]
            self._texts.append(f"{above}.{key}" if above else key)
        return self._texts

    def _add(self, name: str) -> int:
        found = 0
        for key in name.split("."):
            found = _add(np.frombuffer(f'{key}"'.encode(), np.uint8), found, self.table)
        return found


@njit(cache=True, nogil=True)
def table_at(table: NameTable) -> NamePointers:
    """Return where the arrays of a table lie."""
    return NamePointers(
        pointer_to(table.parents),
        pointer_to(table.starts),
        pointer_to(table.lengths),
        pointer_to(table.text),
        pointer_to(table.slots),
        pointer_to(table.counts),
        pointer_to(table.seen_in),
        pointer_to(table.follows),
        pointer_to(table.firsts),
    )


@njit(cache=True, nogil=True)
def _add(data: Bytes, parent: int, table: NameTable) -> int:
    found, _ = named(pointer_to(data), 0, parent, table_at(table))
    return found


@njit(cache=True, nogil=True)
def after_key(data: Any, at: int, table: NamePointers, name: int) -> int:
    """Return the end of the key at `at` if it is that of `name`, NONE otherwise."""
    key, length = table.starts[name], table.lengths[name]
    for i in range(length):
        if data[at + i] != table.text[key + i]:
            return NONE
    return at + length + 1 if data[at + length] == 34 else NONE


@njit(cache=True, nogil=True)
def named(data: Any, at: int, parent: int, table: NamePointers) -> tuple[int, int]:
    """Return the name of the key at `at`, a new one if need be, and where the key ends; NONE if it is not plain."""
    hashed = np.uint64(parent + 1) * np.uint64(0x9E3779B97F4A7C15)
    stop = at
    while data[stop] != 34:
        c = data[stop]
        if c < 32 or c > 126 or c == 92 or (c == 46 and table.counts[3] == 0):
            return NONE, at
        hashed = (hashed ^ np.uint64(c)) * np.uint64(0x100000001B3)
        stop += 1
    length = stop - at
    if length == 0 or length > _LONGEST_KEY:
        return NONE, at
    mask = 4 * _NAMES - 1
    slot = np.int64((hashed ^ (hashed >> np.uint64(29))) & np.uint64(mask))
    while table.slots[slot] != 0:
        name = table.slots[slot]
        if table.parents[name] == parent and table.lengths[name] == length:
            after = after_key(data, at, table, name)
            if after != NONE:
                return name, after
        slot = (slot + 1) & mask
    name, used = table.counts[0], table.counts[1]
    if name == _NAMES or used + length > _NAME_BYTES:
        return NONE, at
    for i in range(length):
        table.text[used + i] = data[at + i]
    table.parents[name], table.starts[name], table.lengths[name] = parent, used, length
    table.slots[slot] = name
    table.counts[0] += 1
    table.counts[1] += length
    return name, stop + 1


@njit(cache=True, nogil=True)
def name_of_text(data: Any, at: int, table: NamePointers) -> int:
    """Return the number of the string whose text begins at `at`, as a name of its own; NONE if it could be no key."""
    found, _ = named(data, at, 0, table)
    return found
