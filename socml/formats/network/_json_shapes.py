"""Lines of JSON → those that are plain, field by field, for each kind of record.

A line without its values is a shape, such as `{"a":,"b":{"c":""}}` (see `_json_cuts`), and few lines have one of their own:
each shape is parsed once, by the careful reader's parser, which says what the fields are called and that the line is sound.
A line is *plain* if its shape is, and each value is what a value may be. Lines with blanks outside of texts, nulls, empty
objects or escapes other than `\\/` are not plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._cuts import Places
from socml.formats._json import flatten, loads_exactly
from socml.formats._select_lines import Lines, Rows
from socml.formats.network._json_cuts import CutLines

__all__ = ["JsonLines", "plain_lines"]

_MOST_SHAPES, _MOST_KINDS, _MOST_FIELDS = 1000, 32, 400  # of one block: a bound on time and memory
_MOST_CELLS = 1 << 24  # lines times fields that are held at once
_MOST_BRACES = 50  # of a line that is not nested too deep
_TEXT_OR_GAP = re.compile(r'"[^"]*"|:(?=[,}])')


@dataclass
class JsonLines:
    """Plain lines whose field that tells the kind of record has the same text; `kind` is None where there is no such field.

    Attributes
    ----------
    rows : which lines of the block they are
    columns : field → its values as text: texts without quotes, numbers and lists as JSON; null where it is absent
    kinds : field → what each value is: NONE, TEXT, WHOLE, …
    """

    kind: str | None
    rows: Rows
    columns: dict[str, pa.Array]
    kinds: dict[str, NDArray[np.uint8]]

    def only(self, keep: NDArray[np.bool_]) -> JsonLines:
        """Return some of the lines, with the fields that any of them has."""
        if keep.all():
            return self
        kinds = {name: kept for name, found in self.kinds.items() if (kept := found[keep]).any()}
        mask = pa.array(keep)
        return JsonLines(self.kind, self.rows[keep], {name: self.columns[name].filter(mask) for name in kinds}, kinds)

    def kinds_of(self, name: str) -> NDArray[np.uint8]:
        """Return what the values of a field are."""
        return self.kinds[name] if name in self.kinds else np.zeros(len(self.rows), np.uint8)


def plain_lines(lines: Lines, by: str) -> Iterator[JsonLines]:
    """Yield the plain lines of a block, by the text of the field `by`; all others are for the careful reader.

    Examples
    --------
    >>> from socml.formats._reader import Block
    >>> from socml.formats._select_lines import lines_of
    >>> found = next(plain_lines(lines_of(Block(1, b'{"t":"a","n":{"m":[1,"x"]}}\\n{"t":"a","t":"b"}\\n')), "t"))
    >>> found.kind, found.rows.tolist(), {name: column.to_pylist() for name, column in found.columns.items()}
    ('a', [0], {'t': ['a'], 'n.m': ['[1,"x"]']})
    """
    table = lines.table()
    if not pc.sum(pc.binary_length(table["line"])).as_py():  # no line, or empty ones
        return
    cut = CutLines(table["line"].chunk(0))
    if cut.count:
        yield from _by_kind(cut, np.asarray(table["row"]), by)


def _fields(shape: str) -> dict[str, bool]:
    """Return the fields of a shape, and whether each is a text; none if no line of this shape is plain."""
    bare = _TEXT_OR_GAP.sub(lambda found: "" if found[0] != ":" else ":", shape)
    if not set("{}:,").issuperset(bare) or bare.count("{") > _MOST_BRACES:
        return {}
    try:
        parsed = loads_exactly(_TEXT_OR_GAP.sub(lambda found: found[0] if found[0] != ":" else ":0", shape).encode())
    except ValueError:
        return {}
    fields = flatten(parsed)
    return {} if {} in fields.values() else {name: value == "" for name, value in fields.items()}


def _by_kind(cut: CutLines, rows: Rows, by: str) -> Iterator[JsonLines]:
    good = np.flatnonzero(~cut.bad)
    if not len(good):
        return
    coded = cut.shapes.take(pa.array(good)).dictionary_encode()
    shapes, of_line = coded.dictionary.to_pylist(), np.asarray(coded.indices)
    usual = np.argsort(-np.bincount(of_line, minlength=len(shapes)), kind="stable")[:_MOST_SHAPES]
    fields: list[dict[str, bool]] = [{} for _ in shapes]
    for shape in usual.tolist():
        fields[shape] = _fields(shapes[shape])
    counts = np.array([len(names) for names in fields])
    where = np.array([list(names).index(by) if names.get(by) else -1 for names in fields])
    sound = (counts > 0) & np.array([names.get(by, True) for names in fields])
    fits = sound[of_line] & (np.diff(cut.first)[good] == counts[of_line])
    good, of_line = good[fits], of_line[fits]
    where = where[of_line]
    kinds = cut.values(np.where(where < 0, -1, cut.first[good] + where)).dictionary_encode("encode")
    of_kind = np.asarray(kinds.indices)
    for kind in np.argsort(-np.bincount(of_kind), kind="stable")[:_MOST_KINDS].tolist() if len(good) else []:
        these = np.flatnonzero(of_kind == kind)
        yield from _json_lines(cut, rows, kinds.dictionary[kind].as_py(), good[these], of_line[these], fields)


def _json_lines(
    cut: CutLines, rows: Rows, kind: str | None, lines: Places, of_line: Places, fields: list[dict[str, bool]]
) -> Iterator[JsonLines]:
    """Yield the lines of one kind, with the fields that any of them has: so many at a time as there is room for."""
    at: dict[str, int] = {}
    order = np.argsort(of_line, kind="stable")
    begins = np.flatnonzero(np.append(True, np.diff(of_line[order]) != 0))
    groups = sorted(np.split(order, begins[1:]), key=lambda group: int(group[0]))
    for group in groups:
        names = fields[int(of_line[group[0]])]
        if len(at.keys() | names.keys()) <= _MOST_FIELDS:
            for name in names:
                at.setdefault(name, len(at))
    if len(at) * len(lines) > _MOST_CELLS and len(lines) > 1:
        for half in np.array_split(np.arange(len(lines)), 2):
            yield from _json_lines(cut, rows, kind, lines[half], of_line[half], fields)
        return
    numbers = np.full((len(at), len(lines)), -1)
    whole = np.ones(len(lines), bool)
    for group in groups:
        names = fields[int(of_line[group[0]])]
        if names.keys() <= at.keys():
            numbers[np.array([at[name] for name in names])[:, None], group] = (
                cut.first[lines[group]] + np.arange(len(names))[:, None]
            )
        else:
            whole[group] = False
    columns = {name: cut.values(numbers[row]) for name, row in at.items()}
    found = JsonLines(kind, rows[lines], columns, {name: cut.what[numbers[row]] for name, row in at.items()})
    yield found.only(whole)
