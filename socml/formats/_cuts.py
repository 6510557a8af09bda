"""Lines of text → their parts, cut at marks of one byte in all lines at once: no pattern, no loop over lines.

For formats whose parts end at a blank, a tab or a quote. Places are offsets in the bytes of all lines together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from socml.formats._select_lines import Cells

__all__ = ["Cuts", "Places", "bytes_of", "each_text", "split_cells"]

Places = NDArray[np.intp]


class Cuts:
    """Some lines of text, and where the marks in them are. A mark is a character of ASCII.

    Attributes
    ----------
    codes : the bytes of all lines, one after the other
    starts, ends : where each line begins and ends

    Examples
    --------
    >>> cuts = Cuts(pa.array(["ann: 12 on web", "bob:"]))
    >>> colon = cuts.first(":", cuts.starts)
    >>> cuts.texts(cuts.starts, colon).to_pylist(), cuts.count(" ", colon, cuts.ends).tolist()
    (['ann', 'bob'], [3, 0])
    >>> cuts.texts(cuts.last(" ", colon, cuts.ends), cuts.ends).to_pylist()
    [' web', ':']
    """

    def __init__(self, texts: pa.Array) -> None:
        self.codes, offsets = bytes_of(texts)
        self.starts, self.ends = offsets[:-1].astype(np.intp), offsets[1:].astype(np.intp)
        self._marks: dict[str, Places] = {}

    def marks(self, mark: str) -> Places:
        """Return where a mark is, in all lines."""
        if mark not in self._marks:
            self._marks[mark] = np.flatnonzero(self.codes == ord(mark))
        return self._marks[mark]

    def first(self, mark: str, after: Places) -> Places:
        """Return the first mark of each line at a place or after it; the line's end if there is none."""
        marks = self.marks(mark)
        if not len(marks):
            return self.ends
        at = np.searchsorted(marks, after)
        return np.asarray(np.minimum(np.append(marks, len(self.codes))[at], self.ends))

    def places(self, mark: str, number: int, after: Places) -> NDArray[np.intp]:
        """Return the first marks of each line at a place or after it, shape (lines, number); the line's end for each that it lacks."""
        marks = np.append(self.marks(mark), np.full(number, len(self.codes)))
        at = np.searchsorted(marks[: len(marks) - number], after)
        return np.asarray(np.minimum(marks[at[:, None] + np.arange(number)], self.ends[:, None]))

    def last(self, mark: str, after: Places, before: Places) -> Places:
        """Return the last mark of each line from `after` to `before`; `after` if there is none."""
        marks = self.marks(mark)
        if not len(marks):
            return after
        at = np.searchsorted(marks, before) - 1
        return np.maximum(np.where(at >= 0, marks[at], after), after)

    def count(self, mark: str, after: Places, before: Places) -> Places:
        """Return how many marks are from `after` to `before`."""
        marks = self.marks(mark)
        return np.searchsorted(marks, before) - np.searchsorted(marks, after)

    def byte(self, at: Places) -> NDArray[np.uint8]:
        """Return the byte at a place of each line, 0 where that is the line's end or outside of it."""
        inside = (at >= self.starts) & (at < self.ends)
        return (
            np.where(inside, self.codes[np.where(inside, at, 0)], 0) if len(self.codes) else np.zeros(len(at), np.uint8)
        )

    def texts(self, starts: Places, ends: Places) -> pa.Array:
        """Return one part of each line, from a place to another within the line."""
        offsets = np.empty(2 * len(starts) + 1, np.int32)
        offsets[:-1:2], offsets[1::2], offsets[-1] = starts, ends, len(self.codes)
        parts = pa.StringArray.from_buffers(2 * len(starts), pa.py_buffer(offsets), pa.py_buffer(self.codes))
        return parts.take(pa.array(np.arange(0, 2 * len(starts), 2)))

    def fixed(self, starts: Places, length: int) -> NDArray[np.uint8]:
        """Return the bytes of a part of one length in all lines, shape (lines, length); it must be within them."""
        return np.asarray(self.codes[starts[:, None] + np.arange(length)])


def split_cells(texts: pa.Array, separator: str, width: int) -> tuple[Cells, NDArray[np.bool_]]:
    """Return the cells of the lines that have `width` of them, and which lines these are.

    Examples
    --------
    >>> cells, fits = split_cells(pa.array(["a,b", "c", ",d"]), ",", 2)
    >>> cells.column(1).to_pylist(), fits.tolist()
    (['b', 'd'], [True, False, True])
    """
    cuts = Cuts(texts)
    fits = _have(cuts, separator, width - 1)
    if not fits.all():
        cuts = Cuts(texts.filter(pa.array(fits)))
    rows = len(cuts.starts)
    offsets = np.zeros(rows * width + 1, np.int32)
    ends = offsets[1:].reshape(rows, width)
    ends[:, :-1], ends[:, -1] = cuts.marks(separator).reshape(rows, width - 1), cuts.ends
    ends -= np.arange(rows, dtype=np.int32)[:, None] * np.int32(width - 1)  # separators that are out before the line
    ends -= np.arange(width, dtype=np.int32)
    joined = cuts.codes.tobytes().translate(None, separator.encode("ascii"))
    values = pa.StringArray.from_buffers(rows * width, pa.py_buffer(offsets), pa.py_buffer(joined))
    return Cells(values, width), fits


def _have(cuts: Cuts, mark: str, number: int) -> NDArray[np.bool_]:
    """Return which lines have so many of a mark."""
    marks = cuts.marks(mark)
    if number and len(marks) == number * len(cuts.starts):  # the usual case: all of them, in turn
        first, last = marks[::number], marks[number - 1 :: number]
        if ((first >= cuts.starts) & (last < cuts.ends)).all():
            return np.ones(len(first), bool)
    return np.asarray(cuts.count(mark, cuts.starts, cuts.ends) == number)


def each_text(texts: pa.Array, holds: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Return what holds of each text; of the same ones it is asked once."""
    coded = texts.dictionary_encode()
    return np.asarray(np.array([holds(text) for text in coded.dictionary.to_pylist()], bool)[np.asarray(coded.indices)])


def bytes_of(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the bytes of texts and where each begins, from 0."""
    if texts.offset or not len(texts):
        texts = pa.concat_arrays([texts, pa.array([], texts.type)])
    _, where, data = texts.buffers()
    offsets = np.frombuffer(where, np.int32)[: len(texts) + 1] if where else np.zeros(1, np.int32)
    whole = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return whole[offsets[0] : offsets[-1]], offsets - offsets[0]
