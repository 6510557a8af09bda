"""Blocks of Zeek's JSON lines → events, column by column. Lines that are not plain are read by themselves, the careful way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._reader import Block, Parsed, ReadOptions
from socml.formats._select_lines import Cells, Lines, Records, lines_of
from socml.formats.network._json_select import BOOL, LIST, NONE, TEXT, JsonLines, Kinds, is_usual_name
from socml.formats.network._zeek import event_columns, log_events, log_type
from socml.formats.network._zeek_cells import NamedFields
from socml.formats.network._zeek_json_lines import HAS_CONNECTION, MEMBER, parsed_lines, zeek_text
from socml.formats.network._zeek_logs import SIGNATURES

if TYPE_CHECKING:
    import duckdb

__all__ = ["ZeekJsonBlocks"]

Written = Callable[[pa.Array, list[str]], pa.Array]
_PATH = "_path"
_SAMPLE = 400  # lines of the first block, and as many odd ones of each other, that fields are learned from
_TELLING = sorted({HAS_CONNECTION, *(name for _, names in SIGNATURES for name in names)})


class ZeekJsonBlocks:
    """Reads the blocks of one file; what fields it met in one it knows in the next."""

    def __init__(self, file_name: str, options: ReadOptions, connection: duckdb.DuckDBPyConnection) -> None:
        self._file_name, self._options, self._connection = file_name, options, connection
        self._kinds, self._is_first = Kinds(), True

    def parse(self, block: Block) -> Iterator[Parsed]:
        """Yield the events of each type of log, then what the lines hold that are not plain."""
        lines = lines_of(block)
        odd = np.ones(len(lines.text), bool)
        if self._is_first:
            self._learn(line for _, line in lines.numbered(range(0, len(odd), len(odd) // _SAMPLE + 1)))
            self._is_first = False
        for found in self._kinds.read(self._connection, lines):
            for path, plain in self._by_log(found):
                odd[plain.rows] = False
                yield self._events(path, plain, lines)
        rows = np.flatnonzero(odd).tolist()
        if rows:
            self._learn(line for _, line in lines.numbered(rows[:_SAMPLE]))
            yield from parsed_lines(lines.numbered(rows), self._file_name, self._options)

    def _learn(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if not isinstance(found, dict):
                continue
            path = found.get(_PATH)
            if _PATH not in found:
                self._kinds.learn("", found)
            elif isinstance(path, str) and is_usual_name(path):
                self._kinds.learn(f'"{_PATH}":"{path}"', found)

    def _by_log(self, found: JsonLines) -> Iterator[tuple[str, JsonLines]]:
        """Yield the lines of each type of log: by what they say, or by the names of their fields."""
        hint = json.loads(found.hint.split(":", 1)[1]) if found.hint else None
        path = found.column(_PATH)
        if hint is not None:
            is_said = (
                np.zeros(len(found.rows), bool) if path is None else np.asarray(pc.equal(path, hint).fill_null(False))
            )
            found = found.only(is_said & (found.kind(_PATH) == TEXT))
        elif path is not None:
            found = found.only(found.kind(_PATH) == NONE)
        present = np.stack([found.kind(name) != NONE for name in _TELLING], axis=1)
        codes = present @ (1 << np.arange(len(_TELLING)))
        if hint is not None:
            codes = present[:, _TELLING.index(HAS_CONNECTION)].astype(np.int64)
        for code in np.unique(codes).tolist():
            these = codes == code
            names = {name for name, here in zip(_TELLING, present[np.argmax(these)], strict=True) if here}
            yield hint or log_type(names, self._file_name), found.only(these)

    def _events(self, path: str, plain: JsonLines, lines: Lines) -> Parsed:
        names = [
            name if kinds.any() and name != _PATH else None
            for name, kinds in zip(plain.names, plain.kinds.T, strict=True)
        ]
        fields = NamedFields(Cells(_as_zeek_writes(plain), plain.cells.width), names, MEMBER)
        columns, bad = event_columns(path, fields, MEMBER)
        texts = lines.texts(plain.rows)
        columns |= {"raw": texts, "source_line": pa.array(plain.rows + lines.first_line)}
        return log_events(columns, bad, Records(texts), fields, self._options)


def _as_zeek_writes(plain: JsonLines) -> pa.Array:
    """Return the values as they stand in a tab-separated log."""
    values, kinds = plain.cells.values, plain.kinds.ravel()
    if (kinds == BOOL).any():
        values = _replaced(values, kinds == BOOL, lambda texts, _: pc.if_else(pc.equal(texts, "true"), "T", "F"), plain)
    if (kinds == LIST).any():
        values = _replaced(values, kinds == LIST, _joined, plain)
    return values


def _replaced(values: pa.Array, mask: NDArray[np.bool_], written: Written, plain: JsonLines) -> pa.Array:
    at = np.flatnonzero(mask)
    names = [plain.names[place] for place in (at % plain.cells.width).tolist()]
    return pc.replace_with_mask(values, pa.array(mask), written(values.take(pa.array(at)), names))


def _joined(texts: pa.Array, names: list[str]) -> pa.Array:
    pairs = zip(texts.to_pylist(), names, strict=True)
    return pa.array([zeek_text(name, json.loads(text)) for text, name in pairs], pa.string())
