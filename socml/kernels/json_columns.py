"""The fields of JSON lines → values by rule, one array a column, and what no rule takes, as names and texts.

The rules say which field fills which column. A row to which they cannot be applied as they stand (a number that is
none, two fields for one column) is no longer plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from socml.kernels.iso_times import NO_TIME, iso_time
from socml.kernels.json_lines import LINES, NULL, Fields, fields_for, scan
from socml.kernels.json_names import Names, NameTable, after_key, name_of_text, table_at
from socml.kernels.json_texts import ISO, copies, texts
from socml.kernels.json_values import NONE, STRING
from socml.kernels.pointers import pointer_to
from socml.kernels.pooled_memory import pooled

__all__ = [
    "MISSING",
    "NEVER",
    "TEXT",
    "TIME",
    "WHOLE_NUMBER",
    "Dealt",
    "Rule",
    "Rules",
    "deal",
    "room_to_deal",
    "types",
    "warm",
]

Bytes: TypeAlias = NDArray[np.uint8]
Whole: TypeAlias = int | np.integer[Any]
Ints: TypeAlias = NDArray[np.integer[Any]]
MISSING = NO_TIME  # in `numbers`: the row has no value
TEXT, WHOLE_NUMBER, TIME = 0, 1, 2  # what a rule makes of a field
NEVER = -1  # the class of rows that are not dealt
_PLAIN_TEXT = 1 << STRING


@dataclass(frozen=True)
class Rule:
    """A field of this name fills this slot.

    Attributes
    ----------
    slot : of a text, among texts; of a number or a time, among numbers
    kinds : as bits, the kinds of value it fills it with; null fills nothing
    or_extra : a value of another kind is for `extra`; otherwise its row is not plain
    is_kept : the field stands in `extra` all the same
    largest : the largest number that is allowed
    """

    name: str
    slot: int
    form: int = TEXT
    kinds: int = _PLAIN_TEXT
    or_extra: bool = True
    is_kept: bool = False
    largest: int = 2**63 - 1


class Rules(NamedTuple):
    """Rules as arrays: `of_name` has a row a class of lines and a column a known name, with the rule or NONE."""

    of_name: Ints
    slots: Ints
    forms: Ints
    kinds: Ints
    or_extra: NDArray[np.bool_]
    is_kept: NDArray[np.bool_]
    largest: Ints

    @classmethod
    def of(cls, classes: list[list[Rule]], names: Names) -> Rules:
        """Return the rules of each class of lines as arrays."""
        rules = [rule for of_class in classes for rule in of_class]
        of_name = np.full((len(classes), names.known), NONE, np.int16)
        number = 0
        for row, of_class in enumerate(classes):
            for rule in of_class:
                of_name[row, names.number(rule.name)] = number
                number += 1
        return cls(
            of_name,
            np.array([r.slot for r in rules]),
            np.array([r.form for r in rules]),
            np.array([r.kinds for r in rules]),
            np.array([r.or_extra for r in rules]),
            np.array([r.is_kept for r in rules]),
            np.array([r.largest for r in rules]),
        )


class Dealt(NamedTuple):
    """What rules made of some lines.

    Attributes
    ----------
    starts, ends : shape (n_texts, n_lines); where a text lies; -1 where there is none
    numbers : shape (n_numbers, n_lines); MISSING where there is none; times in microseconds since 1970
    filled : how many lines have a text, by slot
    offsets, names, kinds, value_starts, value_ends : what is for `extra`, as in Fields
    """

    starts: Ints
    ends: Ints
    numbers: Ints
    filled: Ints
    offsets: Ints
    names: Ints
    kinds: Bytes
    value_starts: Ints
    value_ends: Ints


def types(data: Bytes, fields: Fields, name: int, known: Names) -> Ints:
    """Return the number of each line's text in the field `name`, as one of `known`; NONE, and not plain, without one."""
    found = np.full(len(fields.plain), NONE, np.int32)
    _types(data, fields, name, known.table, found)
    return found


def room_to_deal(size: int, *, texts: int, numbers: int) -> Dealt:
    """Return room for what is dealt from blocks of up to `size` bytes, one after the other."""
    room = size // 4 + 1 + LINES
    return Dealt(
        pooled((texts, LINES), np.int32),
        pooled((texts, LINES), np.int32),
        pooled((numbers, LINES), np.int64),
        pooled(texts, np.int64),
        pooled(LINES + 1, np.int32),
        pooled(room, np.int32),
        pooled(room, np.uint8),
        pooled(room, np.int32),
        pooled(room, np.int32),
    )


def deal(
    data: Bytes, fields: Fields, classes: Ints, rules: Rules, into: Dealt, *, moved: tuple[int, int, int]
) -> Dealt:
    """Return the fields of the lines by the rules of each line's class; those that do not fit are no longer plain.

    Parameters
    ----------
    into : what is written to: it holds the result until it is given to `deal` again
    moved : two slots of times, and a name: in a line that has both, the second time is for `extra`, by that name
    """
    rows = len(fields.plain)
    into.starts[:, :rows] = into.ends[:, :rows] = NONE
    into.numbers[:, :rows], into.filled[:] = MISSING, 0
    _deal(data, fields, classes, rules, into, moved)
    return into._replace(
        starts=into.starts[:, :rows],
        ends=into.ends[:, :rows],
        numbers=into.numbers[:, :rows],
        offsets=into.offsets[: rows + 1],
    )


def warm() -> None:
    """Compile what reads lines, from their bytes to the texts of their columns."""
    data = np.frombuffer(b'{"a":"x"}\n', np.uint8)
    names, known, nothing = Names(["a"]), Names([]), np.zeros(0, np.int32)
    fields, _ = scan(data, 0, names, fields_for(len(data)))
    classes = np.zeros(1, np.int64)
    types(data, fields, names.number("a"), known)
    room = room_to_deal(len(data), texts=1, numbers=1)
    dealt = deal(data, fields, classes, Rules.of([[Rule("a", 0)]], names), room, moved=(0, 0, 0))
    texts(data, dealt.kinds[:0], nothing, nothing, dealt.numbers[0])
    copies(data, nothing, nothing)


@njit(cache=True, nogil=True)
def _types(data: Bytes, fields: Fields, name: int, known: NameTable, found: Ints) -> None:
    plain, offsets, names, kinds, starts = fields.plain, fields.offsets, fields.names, fields.kinds, fields.starts
    place, table = pointer_to(data), table_at(known)
    before = 0  # the one of the line before is tried first
    for row in range(len(found)):
        at = offsets[row]
        while at < offsets[row + 1] and names[at] != name:
            at += 1
        if at < offsets[row + 1] and kinds[at] == STRING:
            if before > 0 and after_key(place, starts[at], table, before) != NONE:
                found[row] = before
            else:
                found[row] = before = name_of_text(place, starts[at], table)
        if found[row] == NONE:
            plain[row] = False


@njit(cache=True, nogil=True)
def _deal(  # noqa: C901  one loop: with a function a field it takes five times as long
    data: Bytes, fields: Fields, classes: Ints, rules: Rules, dealt: Dealt, moved: tuple[int, int, int]
) -> None:
    # Arrays are taken out of their tuples once: a kernel that does it for each value is three times slower.
    plain, offsets = fields.plain, fields.offsets
    names, kinds, starts, ends = fields.names, fields.kinds, fields.starts, fields.ends
    of_name, slots, forms, wanted = rules.of_name, rules.slots, rules.forms, rules.kinds
    or_extra, is_kept, largest = rules.or_extra, rules.is_kept, rules.largest
    text_starts, text_ends, numbers, filled = dealt.starts, dealt.ends, dealt.numbers, dealt.filled
    place = pointer_to(data)
    left_names, left_kinds, left_starts, left_ends = dealt.names, dealt.kinds, dealt.value_starts, dealt.value_ends
    dealt.offsets[0] = count = 0
    for row in range(len(classes)):
        first, of_class = count, classes[row]
        if not plain[row] or of_class == NEVER:
            dealt.offsets[row + 1] = count
            continue
        for i in range(offsets[row], offsets[row + 1]):
            name, kind = names[i], kinds[i]
            if kind == NULL:
                continue
            rule = of_name[of_class, name] if name < of_name.shape[1] else NONE
            if rule != NONE and wanted[rule] >> kind & 1:
                slot, start, end = slots[rule], starts[i], ends[i]
                if forms[rule] == TEXT:
                    plain[row] &= text_starts[slot, row] == NONE
                    text_starts[slot, row], text_ends[slot, row] = start, end
                    filled[slot] += 1
                else:
                    plain[row] &= numbers[slot, row] == MISSING
                    value = iso_time(place, start, end) if forms[rule] == TIME else _whole(place, start, end)
                    numbers[slot, row] = value
                    plain[row] &= value != MISSING and value <= largest[rule]
                if not is_kept[rule]:
                    continue
            elif rule != NONE and not or_extra[rule]:
                plain[row] = False
            left_names[count], left_kinds[count] = name, kind
            left_starts[count], left_ends[count] = starts[i], ends[i]
            count += 1
        if numbers[moved[0], row] != MISSING and numbers[moved[1], row] != MISSING:
            left_names[count], left_kinds[count], left_starts[count] = moved[2], ISO, row
            count += 1
        if not plain[row]:
            count = first
        dealt.offsets[row + 1] = count


@njit(cache=True, nogil=True)
def _whole(data: Any, start: int, end: int) -> Whole:
    value = np.int64(0)
    for i in range(start, end):
        if data[i] < 48:
            return MISSING  # negative
        value = value * 10 + (data[i] - 48)
    return value
