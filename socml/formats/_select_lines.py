"""Lines of a block → an array of texts that are read all at once, by cuts; what is no plain text is set aside.

The fast way of the text formats that come in gigabytes: it takes lines *in full*, and every other line goes to the
format's careful reader, alone. So it may be as plain as one likes, and both ways say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._iso import from_iso
from socml.formats._reader import Block
from socml.formats._times import microseconds
from socml.project import EXTRA, TIME

__all__ = ["Cells", "Lines", "Records", "iso_micros", "lines_of"]

_LONGEST = 1 << 16  # bytes of a line that is read with others
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Lines:
    """The lines of a block, without their ends.

    Attributes
    ----------
    bytes_ : every line, as Arrow's binary
    text : whether a line is text that is cut: UTF-8, without NUL or carriage return, of a usual length
    first_line : number of the first in its file
    """

    bytes_: pa.Array
    text: NDArray[np.bool_]
    first_line: int

    def table(self) -> pa.Table:
        """Return the lines of text: `line`, and `row`, which counts all lines of the block from 0."""
        if self.text.all():
            return pa.table({"row": np.arange(len(self.text)), "line": self.bytes_.view(pa.string())})
        rows = np.flatnonzero(self.text)
        return pa.table({"row": rows, "line": self.bytes_.take(pa.array(rows)).view(pa.string())})

    def texts(self, rows: Rows) -> pa.Array:
        """Return some lines, which must be text."""
        if len(rows) == len(self.text):
            return self.bytes_.view(pa.string())
        return self.bytes_.take(pa.array(rows)).view(pa.string())

    def numbered(self, rows: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield some lines with their numbers, as the careful reader takes them."""
        for row in rows:
            yield self.first_line + row, self.bytes_[row].as_py().strip(b"\r\0")


def lines_of(block: Block, *, ascii_only: bool = False) -> Lines:
    """Return the lines of a block.

    Parameters
    ----------
    ascii_only : whether only printable ASCII and tabs are text

    Examples
    --------
    >>> lines = lines_of(Block(7, b"one\\r\\nt\\xffwo\\nthree\\n"))
    >>> lines.table().to_pydict(), list(lines.numbered([1]))
    ({'row': [0, 2], 'line': ['one', 'three']}, [(8, b't\\xffwo')])
    """
    data = block.data.replace(b"\r\n", b"\n") if b"\r" in block.data else block.data
    codes = np.frombuffer(data, np.uint8, len(data) - data.endswith(b"\n"))
    marks, odd = _marks(data, codes, ascii_only=ascii_only)
    ends = np.append(marks, len(codes)) if block.data else np.array([], int)
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends - np.arange(len(ends))
    joined = data.replace(b"\n", b"")
    lines = pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(joined)])
    text = np.diff(offsets) <= _LONGEST
    text[_rows_at(ends, odd)] = False
    if not ascii_only and not data.isascii():
        _mark_what_is_not_utf8(lines, text, ends, codes)
    return Lines(lines, text, block.first_line)


def _marks(data: bytes, codes: NDArray[np.uint8], *, ascii_only: bool) -> tuple[Rows, Rows]:
    """Return where the line ends are, and the bytes that no text has."""
    if not ascii_only:
        has_odd = b"\0" in data or b"\r" in data
        odd = np.flatnonzero((codes == 0) | (codes == ord("\r"))) if has_odd else np.array([], int)
        return np.flatnonzero(codes == ord("\n")), odd
    special = np.flatnonzero((codes - np.uint8(ord(" "))) > ord("~") - ord(" "))
    kinds = codes[special]
    return special[kinds == ord("\n")], special[(kinds != ord("\n")) & (kinds != ord("\t"))]


def _rows_at(ends: Rows, places: Rows) -> Rows:
    return np.unique(np.searchsorted(ends, places)) if len(places) else places


def _mark_what_is_not_utf8(lines: pa.Array, text: NDArray[np.bool_], ends: Rows, codes: NDArray[np.uint8]) -> None:
    try:
        lines.cast(pa.string())
    except pa.ArrowInvalid:
        for row in _rows_at(ends, np.flatnonzero(codes >= 0x80)).tolist():
            try:
                lines[row].as_py().decode()
            except UnicodeDecodeError:
                text[row] = False


class Records(Sequence[bytes]):
    """The bytes of some lines of text, made one by one only when they are asked for.

    Examples
    --------
    >>> records = Records(pa.array(["one", "two"]))
    >>> records[-1], list(records), len(records)
    (b'two', [b'one', b'two'], 2)
    """

    def __init__(self, texts: pa.Array) -> None:
        self._texts = texts.view(pa.binary())

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        found = self._texts[at]
        texts: bytes | list[bytes] = found.to_pylist() if isinstance(at, slice) else found.as_py()
        return texts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._texts.to_pylist())


class Cells:
    """Values of some lines, `width` a line, as a reader cuts them; those that are null are absent.

    Examples
    --------
    >>> cells = Cells(pa.array(["a", "b", None, "d"]), 2)
    >>> cells.column(1).to_pylist(), cells.as_map(["x", "y"]).to_pylist()
    (['b', 'd'], [[('x', 'a'), ('y', 'b')], [('y', 'd')]])
    """

    def __init__(self, values: pa.Array, width: int) -> None:
        self.values, self.width = values, width
        self.rows = len(values) // width if width else 0

    def without(self, unset: str) -> Cells:
        """Return the values, null where they are `unset`."""
        there = pc.invert(pc.equal(self.values, unset))
        if self.values.null_count or self.values.offset or there.offset:
            return Cells(pc.if_else(there, self.values, None), self.width)
        _, offsets, data = self.values.buffers()  # the values as they are, not copied
        return Cells(pa.StringArray.from_buffers(len(there), offsets, data, there.buffers()[1]), self.width)

    def column(self, at: int) -> pa.Array:
        """Return one value of each line."""
        return self.values.take(pa.array(np.arange(at, len(self.values), self.width, dtype=np.int32)))

    def present(self) -> NDArray[np.bool_]:
        """Return which values are there, shape (rows, width)."""
        return np.asarray(self.values.is_valid()).reshape(self.rows, self.width)

    def as_map(self, names: Sequence[str | None]) -> pa.Array:
        """Return one map a line, from a value's name to the value; values without a name are left out."""
        wanted = self.present() & np.array([name is not None for name in names])
        at = np.flatnonzero(wanted)
        offsets = np.zeros(self.rows + 1, np.int32)
        np.cumsum(np.count_nonzero(wanted, axis=1), out=offsets[1:])
        keys = pa.array([name or "" for name in names], pa.string()).take(pa.array(at % self.width))
        return pa.MapArray.from_arrays(pa.array(offsets), keys, self.values.take(pa.array(at))).cast(EXTRA)


_ISO = (
    r"^(19[7-9]\d|20\d\d)-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.]\d{1,6})?"
    r"(Z|[-+](0\d|1[0-5]):?[0-5]\d)$"
)


def iso_micros(texts: pa.Array) -> pa.Array:
    """Return ISO 8601 times as microseconds since 1970.

    Null is what is none, and what may be one that this does not read: years before 1970 and after 2099, more digits
    than a microsecond has, no zone.
    """
    usual = pc.match_substring_regex(texts, _ISO)
    texts = texts if pc.all(usual).as_py() else pc.if_else(usual, texts, None)
    try:
        return texts.cast(TIME).cast(pa.int64())
    except pa.ArrowInvalid:  # a day that does not exist
        return pa.array([_micros_of(text) for text in texts.to_pylist()], pa.int64())


def _micros_of(text: str | None) -> int | None:
    try:
        return None if text is None else microseconds(from_iso(text))
    except ValueError:
        return None
