"""Lines of a delimited file → its records, each of which may span lines within quotes; and whether the first is names.

A quote opens a cell only at the cell's start, so an inch sign within a cell opens nothing. A cell that is not closed
within `MOST_LINES` costs its first line, and no more.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from socml.formats._addresses import address

__all__ = ["MOST_LINES", "first_is_names", "joined_lines", "shape_of"]

MOST_LINES = 2000  # of one record
_MOST_BYTES = 1 << 20
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?%?")
_HEX_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+")
_TIME = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3})[-/. ]\d{2,4}(?:[ T].*)?|\d{8}[-T ]\d\d:?\d\d.*|\d{1,2}:\d\d(?::\d\d.*)?"
)
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,250}\.[A-Za-z]{2,24}")
_URL = re.compile(r"(?:(?:https?|ftp):/|/[^\s/]{0,255})/\S{0,2000}|[A-Za-z]:\\\S{0,2000}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.){1,10}(?:[a-z]{2,24}|xn--[a-z0-9-]{2,50})")
_HASH = re.compile(r"[0-9a-fA-F]{32,128}")
_HOLDS_CLOCK = re.compile(r"\d:\d\d:\d\d")
_MOSTLY = 0.8


def joined_lines(
    lines: Iterable[tuple[int, bytes]], quote: bytes, delimiter: bytes
) -> Iterator[tuple[int, bytes, int]]:
    """Yield records with the number of their first line, and of how many lines each is.

    Examples
    --------
    >>> list(joined_lines([(1, b'a,"b'), (2, b'c",d'), (3, b'5" x,e')], b'"', b","))
    [(1, b'a,"b\\nc",d', 2), (3, b'5" x,e', 1)]
    """
    opening = re.compile(rb"(?:^|%s) *%s" % (re.escape(delimiter), re.escape(quote)))
    held: list[tuple[int, bytes]] = []
    quotes = size = 0
    alone = -1  # lines up to here open nothing: the cell that they opened was never closed
    source = iter(lines)
    waiting: deque[tuple[int, bytes]] = deque()
    while True:
        numbered = waiting.popleft() if waiting else next(source, None)
        if numbered is None:
            if not held:
                return
            alone = held[0][0]
            waiting.extendleft(reversed(held))
            held, quotes, size = [], 0, 0
            continue
        number, line = numbered
        count = line.count(quote)
        if not held and (count % 2 == 0 or number <= alone or not opening.search(line)):
            yield number, line, 1
            continue
        held.append(numbered)
        quotes, size = quotes + count, size + len(line)
        if quotes % 2 == 0:
            yield held[0][0], b"\n".join(line for _, line in held), len(held)
        elif len(held) < MOST_LINES and size < _MOST_BYTES:
            continue
        else:
            alone = held[0][0]
            waiting.extendleft(reversed(held))
        held, quotes, size = [], 0, 0


def shape_of(cell: str) -> str:
    """Return what a cell looks like; "text" if nothing special.

    Examples
    --------
    >>> [shape_of(c) for c in ("12.5", "192.0.2.1", "2026-03-02 10:00", "www.example.org", "bytes", "")]
    ['number', 'address', 'time', 'domain', 'text', '']
    """
    cell = cell.strip()
    if not cell:
        return ""
    if _NUMBER.fullmatch(cell) or _HEX_NUMBER.fullmatch(cell):
        return "number"
    if address(cell):
        return "address"
    if len(cell) > 256:
        return "text"
    for name, pattern in (("time", _TIME), ("mail", _MAIL), ("url", _URL), ("hash", _HASH), ("domain", _DOMAIN)):
        if pattern.fullmatch(cell):
            return name
    return "text"


def first_is_names(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of some rows holds the names of the others' columns.

    It does not if it comes again among them and tells itself apart in no column, if it holds a moment within a text, or if more of its cells look like the
    data below them (numbers, addresses, times, domains …) than like none of it. Names that are numbers (years) stand
    over cells that are numbers too: they are taken for names only where they are whole, differ, and grow.

    Examples
    --------
    >>> first_is_names([["a", "b"], ["1", "2"]]), first_is_names([["0", "tcp"], ["0", "tcp"], ["1", "udp"]])
    (True, False)
    >>> first_is_names([["dyn1.example.com", "malicious"], ["www.example.org", "benign"]])
    False
    """
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if not below:
        return not any(shape_of(cell) not in ("text", "") for cell in first)
    if any(_HOLDS_CLOCK.search(cell) and shape_of(cell) == "text" for cell in first):
        return False  # a moment within a text, which no name holds
    names = values = 0
    for at, cell in enumerate(first):
        shapes = [shape for row in below if (shape := shape_of(row[at]))]
        usual = max(set(shapes), key=shapes.count) if shapes else ""
        if not usual or shapes.count(usual) < _MOSTLY * len(shapes):
            continue
        shape = shape_of(cell)
        if usual != "text":
            values += shape == usual
            names += shape in ("text", "domain") and usual != "domain"
        elif shape not in ("text", "", "domain"):  # a dotted name may stand over words
            values += 1
    if values == names == 0 and len(below) > 1:  # only words: names are not among the values of their column
        repeats = sum(cell.strip() != "" and any(row[at] == cell for row in below) for at, cell in enumerate(first))
        is_repeated_header = any(list(row) == list(first) for row in below)
        return repeats <= len(first) / 2 or is_repeated_header
    return names >= values
