"""Where the values of some JSON lines lie → Zeek's fields, that become text, numbers or times when they are asked for.

A column of numbers or times that is not plain throughout is left to `socml.formats._zeek`, as text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._columns import epoch_times, extra_map, numbers
from socml.formats._zeek import emptied
from socml.formats._zeek_cells import NAME_BYTES, NamedFields, plain_column, strings
from socml.formats._zeek_json_lines import MEMBER, separator, zeek_text
from socml.formats._zeek_logs import EVERY_LOG, LOGS
from socml.kernels.iso_times import NO_TIME
from socml.kernels.json_lines import LIST
from socml.kernels.json_tables import Spans, iso_column, joined
from socml.kernels.json_texts import texts
from socml.kernels.json_values import LOOSE, NONE, STRING
from socml.kernels.named_spans import named_strings
from socml.tables import EVENT, TIME

__all__ = ["Behind", "SpanFields", "Table"]

_UNSET = np.frombuffer(b"", np.uint8)  # no number is written so
_NO_TIMES = np.zeros(0, np.int64)


class Behind:
    """A block of bytes, and texts that are written behind it, to lie there like values of the block."""

    def __init__(self, block: bytes) -> None:
        self._parts, self._size = [block, b"TF"], len(block) + 2
        self.words = len(block), len(block) + 1  # where T and F stand, which is what true and false are read as

    def written(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return where texts stand that are written here as strings of JSON."""
        encoded = [text.encode().replace(b"\\", b"\\\\") for text in texts]
        return self.put(b"".join(encoded), np.cumsum([len(text) for text in encoded]))

    def put(self, texts: bytes, stops: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return where texts stand that are put here in one piece, by where each of them stops in it."""
        ends = (self._size + stops).astype(np.int32)
        starts = np.append(np.int32(self._size), ends)[:-1]
        self._parts.append(texts)
        self._size += len(texts)
        return starts, ends

    def whole(self) -> bytes:
        """Return the block and what is behind it."""
        return b"".join(self._parts)


class Table:
    """The values of the lines of one type of log: where they lie, by name.

    Attributes
    ----------
    names : the row of `spans` for each name
    emptied : names with a text that stands for an empty one
    """

    def __init__(self, path: str, names: dict[str, int], spans: Spans) -> None:
        self.path, self.names, self.spans = path, names, spans
        self.emptied: set[str] = set()

    def put(self, cells: Sequence[tuple[str, int, str]], behind: Behind) -> None:
        """Put texts into the table, each by its name and its place among the lines."""
        at = [self.names[name] for name, _, _ in cells], [place for _, place, _ in cells]
        self.spans.starts[at], self.spans.ends[at] = behind.written([text for _, _, text in cells])
        self.spans.kinds[at] = STRING
        self.emptied |= {name for name, _, text in cells if text == MEMBER}

    def settle(self, block: bytes, behind: Behind) -> None:
        """Write lists, and numbers that are not in a column of their own, as they are to be read."""
        columns = {**EVERY_LOG, **(LOGS[self.path].columns if self.path in LOGS else {})}
        data = np.frombuffer(block, np.uint8)
        for name, at in self.names.items():
            kinds = self.spans.kinds[at]
            lists = np.flatnonzero(kinds == LIST)
            if len(lists):
                self._join(name, lists, data, behind)
            unsettled = kinds == LIST
            if name not in columns or not _is_decimal(columns[name]):
                unsettled |= kinds == LOOSE
            others = np.flatnonzero(unsettled)
            if len(others):
                self._write(name, others, block, behind)

    def _join(self, name: str, places: NDArray[np.intp], data: NDArray[np.uint8], behind: Behind) -> None:
        """Write the lists that a kernel can write."""
        starts, ends, kinds = (part[self.names[name]] for part in self.spans)
        stops, found = joined(data, starts[places], ends[places], ord(separator(name)))
        simple, stops = places[stops != NONE], stops[stops != NONE]
        starts[simple], ends[simple] = behind.put(found.tobytes(), stops)
        kinds[simple] = STRING
        if (found[stops[np.diff(stops, prepend=0) == 1] - 1] == ord(MEMBER)).any():
            self.emptied.add(name)

    def _write(self, name: str, places: NDArray[np.intp], block: bytes, behind: Behind) -> None:
        starts, ends, kinds = (part[self.names[name]] for part in self.spans)
        spans = zip(starts[places].tolist(), ends[places].tolist(), strict=True)
        found = [
            zeek_text(name, value) or "" for value in orjson.loads(b"[%b]" % b",".join(block[s:e] for s, e in spans))
        ]
        starts[places], ends[places] = behind.written(found)
        kinds[places] = STRING
        if MEMBER in found:
            self.emptied.add(name)


class SpanFields(NamedFields):
    """The fields of a table, in bytes that hold the block and what is behind it."""

    def __init__(self, table: Table, whole: bytes) -> None:
        self._data, self._at, self._emptied = np.frombuffer(whole, np.uint8), table.names, table.emptied
        self._starts, self._ends, self._kinds = table.spans
        self.rows = self._starts.shape[1]
        self._strings = np.full(self.rows, STRING, np.uint8)
        self._loose = {name for name, at in self._at.items() if (self._kinds[at] == LOOSE).any()}
        self._texts: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._texts:
            self._texts[name] = self._as_python_writes(name, self._as_it_stands(name))
        return self._texts[name]

    def text(self, name: str) -> pa.Array:
        """Return a field as text, where an empty set is ""."""
        return emptied(self[name], MEMBER) if name in self._emptied else self[name]

    def plain(self, name: str, column: str) -> pa.Array | None:
        """Return a field as this column."""
        to = EVENT[column].type
        starts, ends = self._starts[self._at[name]], self._ends[self._at[name]]
        if pa.types.is_string(to) or pa.types.is_list(to) or ((starts == ends) & (starts != NONE)).any():
            return None
        found = plain_column(self._data, np.stack((starts - 1, ends)), 0, _UNSET, column)
        if found is None and column == "time":
            micros = iso_column(self._data, starts, ends)
            found = None if micros is None else pa.array(micros, mask=micros == NO_TIME).view(TIME)
        if found is None and name in self._loose and _is_decimal(column):
            written = self._as_it_stands(name)
            typed, wrong = epoch_times(written) if column == "time" else numbers(written, to)
            found = None if wrong else typed
        return found

    def left_over(self, names: Sequence[str]) -> pa.Array:
        """Return one map a row, from a field's name to its text; those that are unset are left out."""
        keys = sum(len(name.encode()) for name in names)
        if not keys or keys * self.rows > NAME_BYTES or not (self._loose | self._emptied).isdisjoint(names):
            return extra_map({name: self.text(name) for name in names}, self.rows)
        offsets, keys_found, found = named_strings(
            self._data, self._starts, self._ends, {name: self._at[name] for name in names}
        )
        return pa.MapArray.from_arrays(pa.array(offsets), strings(*keys_found), strings(*found))

    def _as_it_stands(self, name: str) -> pa.Array:
        starts, ends = self._starts[self._at[name]], self._ends[self._at[name]]
        return strings(*texts(self._data, self._strings, starts, ends, _NO_TIMES), starts != NONE)

    def _as_python_writes(self, name: str, column: pa.Array) -> pa.Array:
        if name not in self._loose:
            return column
        loose = pa.array(self._kinds[self._at[name]] == LOOSE)
        written = [zeek_text(name, float(text)) for text in column.filter(loose).to_pylist()]
        return pc.replace_with_mask(column, loose, pa.array(written, pa.string()))


def _is_decimal(column: str) -> bool:
    return column == "time" or pa.types.is_floating(EVENT[column].type)
