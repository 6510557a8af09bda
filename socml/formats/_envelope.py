"""JSON documents that hold their records in a list (`{"Records": [{…}, {…}]}`) → the records, in bounded memory.

Also pages of such documents one after the other, documents spread over lines, JSON lines, and a bare array; and records that
stand under their ids (`{"evt-1": {…}, "evt-2": {…}}`), each of which is handed on with its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import orjson

from socml.formats._json import is_too_deep
from socml.formats._json_array import RECORD_LIMIT
from socml.formats._reader import Source
from socml.formats._records import json_records

__all__ = ["first_keyed", "first_objects", "first_records", "keyed_members", "members"]

# A string, whole or up to the end of what is there; a bracket
_MARK = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?P<end>"|\Z)|[{}\[\]]', re.DOTALL)
_QUOTE, _OPEN = ord('"'), b"{["
_TOGETHER = re.compile(rb'\}\s*\{"\w+"\s*:')  # objects one after the other on a line
_BETWEEN = b", \t\r\n"
_NUMBERED = re.compile(rb"Record \d{1,20}")  # what evtx_dump writes before each object
_ID = re.compile(rb'"[^"\\]{0,200}"\s{0,20}:\s{0,20}')  # before a record that stands under it
_BOM = b"\xef\xbb\xbf"


def members(source: Source, *lists: str, deepest: int = 2, opens: bytes = b"{") -> Iterator[tuple[int, bytes]]:
    """Yield the records of a file with their lines: those in a list of one of these names, else its objects.

    The list may lie in up to `deepest` objects: what lies deeper is a part of a record. A document with such a list
    begins with one of `opens`.

    What stands among the records of a list and is no object is yielded as well, for the reader to reject; so is what
    a file that is cut inside a record ends with. The rest of a document around its list is no record.
    """
    head = b""
    for chunk in source.chunks():
        head += chunk
        if len(head) >= 1 << 20:
            break
    layout = _layout(head, lists, deepest, opens)
    if layout == "lines":
        yield from json_records(source)
        return
    yield from _scanned(source, _Scanner(lists if layout == "list" else ()))


def keyed_members(source: Source, *names: str) -> Iterator[tuple[int, bytes]]:
    """Yield the members of a document, or of its object of this name, each with its line and the id before it."""
    return _scanned(source, _Scanner(names, is_keyed=True))


def first_keyed(head: bytes, *names: str, limit: int) -> list[bytes]:
    """Return the first members of a document, or of its object of this name, that holds objects under their ids.

    Examples
    --------
    >>> first_keyed(b'{"e1": {"a": 1}, "e2": {"a": 2}}', limit=2)
    [b'"e1": {"a": 1}', b'"e2": {"a": 2}']
    """
    return [record for _, record in islice(_Scanner(names, is_keyed=True).feed(head.removeprefix(_BOM)), limit)]


def _scanned(source: Source, scanner: _Scanner) -> Iterator[tuple[int, bytes]]:
    for chunk in source.chunks():
        yield from scanner.feed(chunk)
        if len(scanner.held) > RECORD_LIMIT:
            yield scanner.start_line, bytes(scanner.held[:65536])
            return
    yield from scanner.rest()


def first_objects(head: bytes, *lists: str, limit: int = 5, deepest: int = 2) -> list[dict[str, object]]:
    """Return the first objects that a file's head holds, as `members` would yield them, for a sniff.

    Examples
    --------
    >>> first_objects(b'{"Records":[{"a":1},{"a":2},{"a"', "Records")
    [{'a': 1}, {'a': 2}]
    >>> first_objects(b'{"a":1}\\n{"a"')
    [{'a': 1}]
    """
    objects = []
    for record in first_records(head, *lists, limit=limit, deepest=deepest):
        try:
            value = orjson.loads(record.strip(b"\r\0"))
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict) and not is_too_deep(record, value):
            objects.append(value)
    return objects


def first_records(head: bytes, *lists: str, limit: int, deepest: int, opens: bytes = b"{") -> list[bytes]:
    """Return the first records that a file's head holds, as they are written."""
    head = head.removeprefix(_BOM)
    layout = _layout(head, lists, deepest, opens)
    if layout == "lines" and not head.lstrip().startswith(b"["):
        found: list[bytes] = [line for line in head.split(b"\n")[: limit * 4] if line.strip()]
    else:
        scanner = _Scanner(lists) if layout == "list" else _Scanner((), in_array=head.lstrip().startswith(b"["))
        found = []
        for _, record in scanner.feed(head):
            found.append(record)
            if len(found) >= limit:
                break
    return found[:limit]


def _layout(head: bytes, lists: Sequence[str], deepest: int, opens: bytes) -> str:
    start = head.removeprefix(_BOM).lstrip()
    if lists and start[:1] in opens:
        opening = re.search(_opening(lists), start)
        if opening and start[: opening.start()].count(b"{") - start[: opening.start()].count(b"}") <= deepest:
            return "list"
    first = start.split(b"\n", 1)[0].strip()
    is_parted = first.startswith(b"{") and first.endswith(b"},")  # lines of a list that has no brackets
    return (
        "documents"
        if is_parted or first == b"{" or _NUMBERED.fullmatch(first) or _TOGETHER.search(first[:65536])
        else "lines"
    )


def _opening(lists: Sequence[str], sign: bytes = b"[") -> bytes:
    return rb'"(?:' + "|".join(map(re.escape, lists)).encode() + rb')"\s*:\s*' + re.escape(sign)


class _Scanner:
    """Follows brackets and strings, and cuts out the records: objects of the list, or of the outermost level."""

    def __init__(self, lists: Sequence[str], *, in_array: bool = False, is_keyed: bool = False) -> None:
        self.held = b""  # not yet yielded
        self.line = self.start_line = 1  # where `held` begins; where the record in it begins
        self._sign = b"{" if is_keyed else b"["  # what opens the list
        self._opening = re.compile(_opening(lists, self._sign) + rb"\Z") if lists else None
        self._inside = not lists  # whether we are in the list
        self._level = 1 if in_array or is_keyed else 0  # depth of the list's members
        self._depth = 0
        self._at = 0  # up to where `held` was looked at
        self._begin = 0  # of the record, or of what stands before it
        self._is_record = False
        self._skip = self._sign if in_array or (is_keyed and not lists) else b""  # what opens it is still to come
        self._is_keyed = is_keyed

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Take the next chunk; yield the records that end in it."""
        data = self.held = self.held + chunk
        for mark in _MARK.finditer(data, self._at):
            at, character = mark.start(), data[mark.start()]
            if character == _QUOTE:
                if mark["end"] != b'"':  # the string goes on in the next chunk
                    self._at = at
                    break
                continue
            if character in _OPEN:
                yield from self._opened(data, at)
                self._depth += 1
            else:
                self._depth -= 1
                if self._is_record and self._depth == self._level:
                    yield self.start_line, data[self._begin : at + 1]
                    self._is_record = False
                    self._pass(data, at + 1)
                elif self._inside and self._depth < self._level:
                    yield from self._closed(data, at)
        else:
            self._at = len(data)
        if not self._inside:
            self._pass(data, max(self._begin, min(self._at, len(data)) - 4096))
        self.held, self._at, self._begin = data[self._begin :], self._at - self._begin, 0

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """Yield what the file ends with, if it is inside the list."""
        left = self.held.strip(_BETWEEN + (b"}" if self._is_keyed and not self._is_record else b"]"))
        if self._inside and left.removeprefix(_BOM):
            yield self.start_line if self._is_record else self.line, left

    def _opened(self, data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        is_list = data[at] == self._sign[0]
        if is_list and not self._inside and self._opening and self._opening.search(data[max(at - 300, 0) : at + 1]):
            self._inside, self._level = True, self._depth + 1
            self._pass(data, at + 1)
        elif self._skip and data[at] == self._skip[0]:
            self._skip = b""
            self._pass(data, at + 1)
        elif self._inside and self._depth == self._level:
            between = data[self._begin : at].removeprefix(_BOM).strip(_BETWEEN)
            is_id = self._is_keyed and _ID.fullmatch(between) is not None
            if between and not is_id and not _NUMBERED.fullmatch(between):
                yield self.line, between
            self._pass(data, data.find(b'"', self._begin) if is_id else at)
            self.start_line, self._is_record = self.line, True

    def _closed(self, data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        between = data[self._begin : at].strip(_BETWEEN)
        if between:
            yield self.line, between
        self._inside = self._opening is None
        self._depth = max(self._depth, 0)
        self._pass(data, at + 1)

    def _pass(self, data: bytes, to: int) -> None:
        """Count the lines up to there; what is before is not needed any more."""
        self.line += data.count(b"\n", self._begin, to)
        self._begin = to
