"""Blocks in braces, and properties that a number groups → records, each with its fields by their paths.

`event { time 2026-03-02; user bob; from { ip 192.0.2.7; } }`, over one line or several, and `event.1.user=bob`, as routers,
daemons and Java write them. Blind to a brace within a text without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from socml.formats._fields import add_numbered
from socml.formats._multiline import numbered_lines
from socml.formats._reader import Source

__all__ = ["first_grouped_records", "grouped_records"]

_REMARK = re.compile(rb"\s{0,40}(?:[#!]|//)[^\n]{0,1000}")
_BEGINS = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s{0,40}(?:[#!]|//)[^\n]{0,1000}\n|\s{0,40}\n){0,50}[A-Za-z][\w.:-]{0,60}(?: [^\n{}=]{1,100})? ?\{\s{0,40}[\n\w\"]"
)
_MARK = re.compile(r"\"[^\"\\]*+(?:\\(?:.|\Z)[^\"\\]*+)*+(?:\"|\Z)|[{};]|[^\"{};]+", re.DOTALL)
_STATEMENT = re.compile(
    r"(?P<name>[A-Za-z_@][\w.@/-]{0,60})(?: {0,20}[=:] {0,20}| {1,40})(?P<value>.{1,4000})", re.DOTALL
)
# Several on one line, as HCL and the text of Protocol Buffers have them
_ONE_LISTED = re.compile(
    r"(?P<name>[A-Za-z_][\w.-]{0,60}) {0,4}[=:] {0,4}(?P<value>\"[^\"]{0,1000}\"|[^\s,\"]{1,1000})(?:, {0,4}| {1,4}|$)"
)
_LISTED = re.compile(rf"(?:{_ONE_LISTED.pattern.replace('?P<name>', '?:').replace('?P<value>', '?:')}){{2,50}}")
_PROPERTY = re.compile(
    r"(?P<group>[A-Za-z_][\w-]{0,60}(?:\.\d{1,9}|\[\d{1,9}\]))\.(?P<name>[\w.-]{1,60})\s{0,4}[=:]\s{0,4}(?P<value>.{0,4000})"
)
_MOST_LINES, _DEEPEST = 2000, 6  # of one record
_Grouped = tuple[int, bytes, "dict[str, object]"]


def grouped_records(source: Source, head: bytes) -> Iterator[_Grouped]:
    """Yield records with their first line; one without fields is what stands around them."""
    return _records(numbered_lines(source), in_braces=_BEGINS.match(head) is not None)


def first_grouped_records(head: bytes, limit: int) -> list[dict[str, object]]:
    """Return the first records of a file of blocks or of numbered properties; none if it is no such file.

    Examples
    --------
    >>> first_grouped_records(b'event {\\n  user bob;\\n  from { ip "192.0.2.7"; }\\n}\\nevent { user ann; }\\n', 5)
    [{'user': 'bob', 'from.ip': '192.0.2.7'}, {'user': 'ann'}]
    >>> first_grouped_records(b"# log\\nevent.1.user=bob\\nevent.1.ip=192.0.2.7\\nevent.2.user=ann\\n", 5)
    [{'user': 'bob', 'ip': '192.0.2.7'}, {'user': 'ann'}]
    """
    in_braces = _BEGINS.match(head) is not None
    lines = [line for line in head[:100_000].split(b"\n") if line.strip() and not _REMARK.fullmatch(line)]
    if not in_braces and not (lines and _PROPERTY.fullmatch(lines[0].decode("utf-8", "replace").strip())):
        return []
    numbered = enumerate(head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[: _MOST_LINES * limit], 1)
    found = list(islice((fields for _, _, fields in _records(numbered, in_braces=in_braces) if fields), limit))
    return found if len(found) > 1 else []


def _records(lines: Iterable[tuple[int, bytes]], *, in_braces: bool) -> Iterator[_Grouped]:
    first, held = 0, list[bytes]()
    block: _Block | _Properties = _Block() if in_braces else _Properties()
    for number, line in lines:
        text = line.decode("utf-8", "backslashreplace").strip()
        if not text or _REMARK.fullmatch(line):
            yield number, line, {}
            continue
        if held and (block.is_whole(text) or len(held) >= _MOST_LINES):
            yield first, b"\n".join(held), block.found
            held, block = [], _Block() if in_braces else _Properties()
        first = first if held else number
        held.append(line)
        block.take(text)
    if held:
        yield first, b"\n".join(held), block.found


class _Properties:
    """Reads lines of one number."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {}
        self._group = ""

    def is_whole(self, text: str) -> bool:
        """Return whether a line is of another number."""
        found = _PROPERTY.fullmatch(text)
        return found is None or found["group"] != self._group

    def take(self, text: str) -> None:
        """Take a line."""
        if found := _PROPERTY.fullmatch(text):
            self._group = found["group"]
            self.found.setdefault(found["name"], found["value"].strip().strip("\"'"))


class _Block:
    """Reads the lines of one block."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {}
        self._counts: dict[str, int] = {}
        self._above: list[str] = []  # the names of blocks that are open
        self._said = ""  # of a statement that is not ended

    def is_whole(self, text: str) -> bool:
        """Return whether the block is closed."""
        return not self._above

    def take(self, text: str) -> None:
        """Take a line."""
        for mark in _MARK.findall(text):
            if mark == "{":
                name, _, value = self._said.strip().partition(" ")
                if value and not self._above:  # `lease 192.0.2.7 {`
                    self.found[name] = value.strip("\"'")
                self._above.append(name)
                self._said = ""
            elif mark in ("}", ";"):
                self._end()
                if mark == "}" and self._above:
                    self._above.pop()
            else:
                self._said += mark
        self._end()

    def _end(self) -> None:
        said, self._said = self._said.strip(" ,"), ""
        if self._above and _LISTED.fullmatch(said):
            for one in _ONE_LISTED.finditer(said):
                path = ".".join((*self._above[1:], one["name"]))
                add_numbered(self.found, self._counts, path, one["value"].strip("\"'"))
        elif len(self._above) <= _DEEPEST and self._above and (found := _STATEMENT.fullmatch(said)):
            path = ".".join((*self._above[1:], found["name"]))
            add_numbered(self.found, self._counts, path, found["value"].strip().strip("\"'"))
