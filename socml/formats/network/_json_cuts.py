"""Lines of JSON → their values, cut out of all lines at once, and what is left of each line: its *shape*.

In a line without escapes quotes come in pairs, so every key, text, list and literal is found by its marks, without a
parser. A value is what stands directly behind a colon: a text, a list, or all up to the next key or brace.
"""

from __future__ import annotations

import json
import re
from math import isfinite

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._cuts import Places, bytes_of
from socml.formats._json import loads_exactly, text_of

__all__ = ["BOOL", "DECIMAL", "LIST", "NONE", "OTHER", "TEXT", "WHOLE", "CutLines"]

NONE, TEXT, WHOLE, DECIMAL, BOOL, LIST, OTHER = range(7)  # what a value is; OTHER is never plain
_FLAT = 50  # brackets of a list that is not nested too deep
_LONGEST_NUMBER = 100  # characters
_MOST_BRACES = 8  # that end behind a literal
_SIMPLE_LIST = r'^\[(?:"[^"]*"(?:,"[^"]*")*|(?:0|-?[1-9][0-9]{0,17})(?:,(?:0|-?[1-9][0-9]{0,17}))*)?\]$'
_DECIMAL = r"^-?(?:[1-9][0-9]*\.(?:[0-9]*[1-9]|0)|0\.(?:0|0{0,3}[1-9](?:[0-9]*[1-9])?))$"
_SURE = 16  # characters of a decimal, its point among them: no shorter one is the same float
_NEGATIVE = r"^-[1-9][0-9]{0,99}$"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")
_AS_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as `text_of` writes a list


class CutLines:
    """Lines of text with their values cut out.

    Attributes
    ----------
    bad : which lines are not plain
    shapes : what is left of each line
    first : number of the first value of each line, and of all values at the end
    what : what each value is, and NONE at the end
    """

    def __init__(self, texts: pa.Array) -> None:
        codes, offsets = bytes_of(texts)
        has_escapes = bool((codes == ord("\\")).any())
        if has_escapes:
            codes, offsets = bytes_of(pc.replace_substring(texts, "\\/", "/"))
        self._codes, self._offsets = codes, offsets
        self.bad = np.diff(offsets) < len("{}")
        self.bad |= (codes[np.minimum(offsets[:-1], len(codes) - 1)] != ord("{")) | (codes[offsets[1:] - 1] != ord("}"))
        if has_escapes or codes.min() < ord(" "):
            self.bad[self._line_of(np.flatnonzero((codes < ord(" ")) | (codes == ord("\\"))))] = True
        opens, closes = self._texts()
        lists, list_ends = self._lists(opens, closes)
        if len(lists):  # what is within a list is part of it
            inside = np.searchsorted(opens, np.stack([lists, list_ends]))
            depth = np.bincount(inside[0], minlength=len(opens) + 1) - np.bincount(inside[1], minlength=len(opens) + 1)
            outside = np.cumsum(depth)[:-1] == 0
            opens, closes = opens[outside], closes[outside]
        starts, ends, self.what = self._values(opens, closes, lists, list_ends)
        if self.bad.any():
            kept = np.repeat(~self.bad, np.diff(np.searchsorted(starts, offsets)))
            starts, ends, self.what = starts[kept], ends[kept], self.what[kept]
        self.count = len(starts)
        pieces = np.empty(2 * self.count + 2, np.int32)
        pieces[0], pieces[1:-1:2], pieces[2:-1:2], pieces[-1] = 0, starts, ends, len(codes)
        self._pieces = pa.StringArray.from_buffers(len(pieces) - 1, pa.py_buffer(pieces), pa.py_buffer(codes))
        self._places = np.arange(1, 2 * self.count + 1, 2, dtype=np.int64)  # of each value in the pieces
        self.first = np.searchsorted(starts, offsets)
        self.shapes = self._left(ends - starts)
        self._starts = starts
        self._settle()
        self.what = np.append(self.what, np.uint8(NONE))

    def values(self, numbers: Places) -> pa.Array:
        """Return some values as text, null where the number is -1."""
        absent = numbers < 0
        places = self._places[numbers]
        return self._pieces.take(pa.array(places, mask=absent) if absent.any() else pa.array(places))

    def _line_of(self, places: Places) -> Places:
        return np.searchsorted(self._offsets, places, side="right") - 1

    def _texts(self) -> tuple[Places, Places]:
        """Return the quotes around each key and text."""
        quotes = np.flatnonzero(self._codes == ord('"'))
        counts = np.diff(np.searchsorted(quotes, self._offsets))
        self.bad |= counts % 2 == 1
        if self.bad.any():
            quotes = quotes[np.repeat(~self.bad, counts)]
        return quotes[::2], quotes[1::2]

    def _lists(self, opens: Places, closes: Places) -> tuple[Places, Places]:
        """Return where each list that is in no other begins and ends."""
        marks = np.flatnonzero((self._codes == ord("[")) | (self._codes == ord("]")))
        text = np.searchsorted(opens, marks) - 1
        if len(opens):
            marks = marks[(text < 0) | (closes[text] < marks)]
        lines = self._line_of(marks)
        good = ~self.bad[lines]
        marks, lines = marks[good], lines[good]
        steps = np.where(self._codes[marks] == ord("["), 1, -1)
        depth = np.append(np.cumsum(steps), 0)  # and at -1, before the first
        begin, end = np.searchsorted(lines, [np.arange(len(self.bad)), np.arange(1, len(self.bad) + 1)])
        before = depth[begin - 1]
        self.bad |= depth[end - 1] != before
        here = depth[:-1] - before[lines]
        self.bad[lines[here < 0]] = True
        good = ~self.bad[lines]
        return marks[(steps > 0) & (here == 1) & good], marks[(steps < 0) & (here == 0) & good]

    def _values(
        self, opens: Places, closes: Places, lists: Places, list_ends: Places
    ) -> tuple[Places, Places, NDArray[np.uint8]]:
        """Return where the value of each key begins and ends, and what it seems to be."""
        codes = self._codes
        is_key = codes[1:][closes] == ord(":")
        keys = np.flatnonzero(is_key)
        starts = closes[keys] + 2
        firsts = codes[starts]
        keys, starts, firsts = (found[firsts != ord("{")] for found in (keys, starts, firsts))
        ends, what = starts.copy(), np.full(len(starts), OTHER, np.uint8)

        texts = np.flatnonzero(firsts == ord('"'))
        is_value = np.zeros(len(opens), bool)
        is_value[keys[texts] + 1] = True
        self.bad[self._line_of(opens[is_value == is_key])] = True  # a text that is neither, or both
        starts[texts], ends[texts], what[texts] = opens[keys[texts] + 1] + 1, closes[keys[texts] + 1], TEXT

        of_lists = np.flatnonzero(firsts == ord("["))
        at = np.searchsorted(lists, starts[of_lists])
        found = np.append(lists, -1)[at] == starts[of_lists]  # else the line is bad already
        of_lists, at = of_lists[found], at[found]
        ends[of_lists], what[of_lists] = list_ends[at] + 1, LIST
        stray = np.ones(len(lists), bool)
        stray[at] = False
        self.bad[self._line_of(lists[stray])] = True

        literals = np.flatnonzero(what == OTHER)
        counts = np.diff(np.searchsorted(starts, self._offsets))
        begin, stop = starts[literals], np.repeat(self._offsets[1:].astype(np.intp), counts)[literals]
        following = np.append(opens, len(codes))[keys[literals] + 1]
        end = np.where(following < stop, following - (codes[following - 1] == ord(",")), stop)
        braced = np.arange(len(end))
        for _ in range(_MOST_BRACES):
            braced = braced[(end[braced] > begin[braced]) & (codes[end[braced] - 1] == ord("}"))]
            end[braced] -= 1
        ends[literals] = end
        return starts, ends, what

    def _left(self, lengths: Places) -> pa.Array:
        """Return each line without its values."""
        left = self._pieces.take(pa.array(np.arange(0, 2 * self.count + 1, 2)))
        gone = np.zeros(self.count + 1, np.int32)
        np.cumsum(lengths, out=gone[1:])
        offsets = (self._offsets - gone[self.first]).astype(np.int32)
        return pa.StringArray.from_buffers(len(self.bad), pa.py_buffer(offsets), left.buffers()[2])

    def _settle(self) -> None:
        """Tell what the values are; odd decimals and lists are written as the careful reader does."""
        literals = np.flatnonzero(self.what == OTHER)
        texts, firsts = self.values(literals), self._codes[self._starts[literals]]
        length = np.asarray(pc.binary_length(texts))
        is_whole = np.asarray(pc.ascii_is_decimal(texts)) & ((firsts != ord("0")) | (length == 1))
        self.what[literals[is_whole & (length <= _LONGEST_NUMBER)]] = WHOLE
        left = ~is_whole
        for kind, are_of in ((BOOL, _are_booleans), (DECIMAL, _are_exact), (WHOLE, _are_negative)):
            left = np.flatnonzero(left)
            literals, texts = literals[left], texts.take(pa.array(left))
            of_kind = are_of(texts)
            self.what[literals[of_kind]] = kind
            left = ~of_kind
        literals, texts = literals[left], texts.filter(pa.array(left))
        self.what[literals] = DECIMAL
        self._rewrite(literals, texts, pa.array([_number(text) for text in texts.to_pylist()], pa.string()))
        lists = np.flatnonzero(self.what == LIST)
        texts = self.values(lists)
        self._rewrite(lists, texts, _lists_written(texts))
        self.bad[self._line_of(self._starts[self.what == OTHER])] = True

    def _rewrite(self, numbers: Places, texts: pa.Array, written: pa.Array) -> None:
        """Take other texts for some values; null is one that no plain line has."""
        self.what[numbers[np.asarray(written.is_null())]] = OTHER
        other = np.flatnonzero(np.asarray(pc.not_equal(texts, written).fill_null(False)))
        if len(other):
            self._places[numbers[other]] = len(self._pieces) + np.arange(len(other))
            self._pieces = pa.concat_arrays([self._pieces, written.take(pa.array(other))])


def _are_booleans(texts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.is_in(texts, pa.array(["true", "false"])))


def _are_negative(texts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(texts, _NEGATIVE))


def _are_exact(texts: pa.Array) -> NDArray[np.bool_]:
    """Return which texts are decimals as Python writes them."""
    exact = np.asarray(pc.match_substring_regex(texts, _DECIMAL))
    length = np.asarray(pc.binary_length(texts))
    exact &= length <= _LONGEST_NUMBER
    long = np.flatnonzero(exact & (length > _SURE))
    texts = texts.take(pa.array(long))
    exact[long] = pc.equal(texts.cast(pa.float64()).cast(pa.string()), texts)
    return exact


def _number(text: str) -> str | None:
    """Return a number that is not whole as the careful reader writes it; None if it is none."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return repr(number) if isfinite(number) else None


def _lists_written(texts: pa.Array) -> pa.Array:
    coded = texts.dictionary_encode()
    simple = pc.match_substring_regex(coded.dictionary, _SIMPLE_LIST).to_pylist()
    pairs = zip(coded.dictionary.to_pylist(), simple, strict=True)
    return pa.array([text if is_simple else _written(text) for text, is_simple in pairs], pa.string()).take(
        coded.indices
    )


def _written(text: str) -> str | None:
    """Return a list as the careful reader writes it; None if that would refuse it, or might."""
    if text.count("[") + text.count("{") >= _FLAT:
        return None
    try:
        if _AS_TEXT(orjson.loads(text)) == text:
            return text  # the usual case: nothing is given twice, and no number is too long
        return text_of(loads_exactly(f'{{"":{text}}}'.encode())[""])
    except ValueError:
        return None
