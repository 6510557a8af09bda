"""YAML of maps, as a list or one a document (`---`) → records, each with its fields by their paths.

Read is what programs write: maps within maps, lists of texts, quoted texts, blocks (`|`, `>`). Nothing is built from tags.
Blind to what an alias stands for, and a single document that is no list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from socml.formats._multiline import numbered_lines
from socml.formats._reader import Source

__all__ = ["first_yaml_records", "yaml_records"]

_KEY = re.compile(r"(?P<key><<|[\"']?[A-Za-z_@][\w.@/ -]{0,80}[\"']?):(?: {1,40}(?P<value>\S.*)?)?")
_ITEM = re.compile(r"(?P<indent> {0,40})- {1,8}(?=\{|<<:|[\"']?[A-Za-z_@][\w.@/ -]{0,80}[\"']?:(?: |$))")
_BEGINS = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[ \t]{0,40}\r?\n|[#%][^\n]{0,1000}\n){0,50}(?:---|- | {1,40}- |[A-Za-z_][\w.@/ -]{0,80}:(?: &[^\n]{1,1000}|[ \t\r]{0,8})\n)"
)
_PARTED = re.compile(rb"[A-Za-z_][\w.@/ -]{0,80}: [^\n]{1,1000}\n(?s:.{0,100000}?)^---\s{0,8}$", re.MULTILINE)
_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?: .*)?")
_QUOTED = re.compile(r"(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')(?: {1,20}#.*)?")
# A map in braces, and one of its fields, which may hold another
_BRACES = re.compile(r"\{ {0,8}[\"']?[A-Za-z_@].{0,8000}\}")
_IN_BRACES = re.compile(
    r"[\"']?(?P<key>[A-Za-z_@][\w.@/-]{0,80})[\"']?: {1,8}(?:(?P<opens>\{)|(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^,{}]*))|(?P<closes>\})"
)
_ANCHOR, _ALIAS = (
    re.compile(r"&[\w-]{1,60}(?: {1,8}|$)"),
    re.compile(r"\*[\w-]{1,60}"),
)  # what is written elsewhere is not looked up
_BLOCK = re.compile(r"[|>][+-]?\d?")
_DEEPEST, _MOST_LINES = 20, 2000  # of one record
_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})


def yaml_records(source: Source) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """Yield records with their first line; one without fields is what stands around them."""
    return _records(numbered_lines(source))


def first_yaml_records(head: bytes, limit: int) -> list[dict[str, object]]:
    """Return the first records of a file that is a list of maps, or has a map in each document; none if it is no such file.

    Examples
    --------
    >>> first_yaml_records(b"- time: 10:00\\n  user: {name: bob}\\n- time: 10:01\\n  source:\\n    ip: '192.0.2.7'\\n", 5)
    [{'time': '10:00', 'user.name': 'bob'}, {'time': '10:01', 'source.ip': '192.0.2.7'}]
    >>> first_yaml_records(b"---\\nuser: bob\\ntags:\\n- a\\n- b\\n---\\nuser: ann\\n", 5), first_yaml_records(b"user: bob\\n", 5)
    ([{'user': 'bob', 'tags': 'a, b'}, {'user': 'ann'}], [])
    """
    if not _BEGINS.match(head) and not _PARTED.match(head):
        return []
    lines = enumerate(head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[: _MOST_LINES * limit], 1)
    found = list(islice((fields for _, _, fields in _records(lines) if fields), limit))
    return found if len(found) > 1 else []


def _records(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    first, held, above = 0, list[str](), ""  # the latter: the line of a key, above a list
    indent = -1  # of the dashes that begin records; -1 where documents are the records
    is_parted = False  # whether a document ended
    for number, line in lines:
        text = line.decode("utf-8", "backslashreplace").rstrip()
        item = _ITEM.match(text)
        if item and indent < 0 and not is_parted:
            for number_above, one in enumerate(held, first):
                yield number_above, one.encode(), {}
            held, indent = [], len(item["indent"])
        begins = item is not None and len(item["indent"]) == indent
        is_key = not held and indent < 0 and text.endswith(":") and _KEY.fullmatch(text) is not None
        is_parted = is_parted or (bool(held) and _DOCUMENT.fullmatch(text) is not None)
        if begins or _DOCUMENT.fullmatch(text) or len(held) >= _MOST_LINES:
            yield from _record(first, held)
            held = []
        if not text or text.lstrip().startswith("#") or _DOCUMENT.fullmatch(text) or text.startswith("%"):
            yield number, line, {}
        elif is_key and not above:
            above = text
            yield number, line, {}
        else:
            if not held:
                first = number
                held = [above] if above and not begins else []
            held.append(text.replace("- ", "  ", 1) if begins else text)
            above = ""
    yield from _record(first, held)


def _record(first: int, lines: list[str]) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    if lines:
        yield first, "\n".join(lines).encode(), _fields(lines)


def _fields(lines: list[str]) -> dict[str, object]:
    """Return the fields of one map by their paths; none if a line is of no map."""
    one = _Map()
    return one.found if all(map(one.takes, lines)) else {}


class _Map:
    """Reads the lines of a map, one after the other."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {}
        self._above: list[tuple[int, str]] = []  # maps that are open: how far their names are indented, and those
        self._block = -1  # how far the name of a block of text is indented
        self._path = ""  # of the last field

    def takes(self, line: str) -> bool:
        """Take a line; return whether it is one of a map."""
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        if 0 <= self._block < indent:
            self.found[self._path] = f"{self.found.get(self._path, '')}\n{body}".strip()
            return True
        self._block = -1
        if not self._above and _BRACES.fullmatch(body):
            self.found |= _in_braces(body, "")
            return True
        body = body.removeprefix("- ")
        named = _KEY.fullmatch(body)
        if named:
            return self._takes_field(indent, named["key"].strip("\"'"), named["value"] or "")
        before = self.found.get(self._path)
        if self._path:
            self.found[self._path] = f"{before}, {_scalar(body)}" if before else _scalar(body)
        return bool(self._path)

    def _takes_field(self, indent: int, name: str, value: str) -> bool:
        if anchor := _ANCHOR.match(value):
            value = value[anchor.end() :]
        if name == "<<" or _ALIAS.fullmatch(value):
            return True
        while self._above and self._above[-1][0] >= indent:
            self._above.pop()
        self._path = path = ".".join([*(above for _, above in self._above), name])
        if not value:
            self._above.append((indent, name))
        elif _BLOCK.fullmatch(value):
            self._block = indent
        elif _BRACES.fullmatch(value):
            self.found |= _in_braces(value, f"{path}.")
        elif value not in _EMPTY:
            self.found.setdefault(path, _scalar(value))
        return len(self._above) <= _DEEPEST


def _in_braces(text: str, above: str) -> dict[str, object]:
    found: dict[str, object] = {}
    path = [above.rstrip(".")] if above else []
    for one in _IN_BRACES.finditer(text, 1):
        if one["closes"]:
            path = path[:-1]
        elif one["opens"]:
            path.append(one["key"])
        elif (value := one["value"].strip()) and not _ALIAS.fullmatch(value):
            found[".".join((*path[-_DEEPEST:], one["key"]))] = _scalar(value)
    return found


def _scalar(value: str) -> str:
    """Return a text without its quotes, or the remark behind it."""
    quoted = _QUOTED.fullmatch(value)
    if quoted is None:
        return value.split(" #", 1)[0].rstrip()
    text = quoted["text"]
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]
