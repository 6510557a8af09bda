"""Blocks of Zeek's JSON lines → events, column by column. Lines that are not plain are read by themselves, the careful way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._reader import Block, Parsed, ReadOptions
from socml.formats._select_lines import Lines, Records, lines_of
from socml.formats.network._json_cuts import BOOL, LIST, NONE
from socml.formats.network._json_shapes import JsonLines, plain_lines
from socml.formats.network._zeek import TextFields, event_columns, log_events, log_type
from socml.formats.network._zeek_json_lines import HAS_CONNECTION, MEMBER, parsed_lines, zeek_text
from socml.formats.network._zeek_logs import SIGNATURES

__all__ = ["parse_block"]

_PATH = "_path"
_TELLING = sorted({HAS_CONNECTION, *(name for _, names in SIGNATURES for name in names)})


def parse_block(block: Block, file_name: str, options: ReadOptions) -> Iterator[Parsed]:
    """Yield the events of each type of log, then what the lines hold that are not plain."""
    lines = lines_of(block)
    odd = np.ones(len(lines.text), bool)
    for found in plain_lines(lines, _PATH):
        for path, plain in _by_log(found, file_name):
            odd[plain.rows] = False
            yield _events(path, plain, lines, options)
    rows = np.flatnonzero(odd).tolist()
    if rows:
        yield from parsed_lines(lines.numbered(rows), file_name, options)


def _by_log(found: JsonLines, file_name: str) -> Iterator[tuple[str, JsonLines]]:
    """Yield the lines of each type of log: by what they say, or by the names of their fields."""
    telling = [HAS_CONNECTION] if found.kind else _TELLING
    present = np.stack([found.kinds_of(name) != NONE for name in telling], axis=1)
    codes = present @ (1 << np.arange(len(telling)))
    for code in np.unique(codes).tolist():
        these = codes == code
        names = {name for name, here in zip(telling, present[np.argmax(these)], strict=True) if here}
        yield found.kind or log_type(names, file_name), found.only(these)


def _events(path: str, plain: JsonLines, lines: Lines, options: ReadOptions) -> Parsed:
    written = {name: _as_zeek_writes(name, texts, plain.kinds[name]) for name, texts in plain.columns.items()}
    written.pop(_PATH, None)
    fields = TextFields(written or {"_empty": pa.nulls(len(plain.rows), pa.string())}, MEMBER)
    columns, bad = event_columns(path, fields, MEMBER)
    texts = lines.texts(plain.rows)
    columns |= {"raw": texts, "source_line": pa.array(plain.rows + lines.first_line)}
    return log_events(columns, bad, Records(texts), fields, options)


def _as_zeek_writes(name: str, texts: pa.Array, kinds: NDArray[np.uint8]) -> pa.Array:
    """Return the values of a field as they stand in a tab-separated log."""
    for kind, written in ((BOOL, _flag), (LIST, lambda text: zeek_text(name, json.loads(text)))):
        mask = kinds == kind
        if mask.any():
            texts = pc.replace_with_mask(texts, pa.array(mask), _each(texts.filter(pa.array(mask)), written))
    return texts


def _each(texts: pa.Array, written: Callable[[str], str | None]) -> pa.Array:
    coded = texts.dictionary_encode()
    return pa.array([written(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _flag(text: str) -> str:
    return "T" if text == "true" else "F"
