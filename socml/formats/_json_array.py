"""A file that is one JSON array → its members, one at a time, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._reader import Source

RECORD_LIMIT = 16 << 20  # bytes of one member
_MARK = re.compile(rb'["\\{}\[\]]')
_BETWEEN = b", \t\r\n"


def array_members(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the line and the bytes of each member object of the array.

    What else stands between the objects is yielded as well, for the reader to reject; so is what a file that is
    cut inside a member ends with, and the start of a member over the limit, after which nothing more is read.
    """
    scanner = _Scanner()
    for chunk in source.chunks():
        yield from scanner.feed(chunk)
        if len(scanner.held) > RECORD_LIMIT:
            yield scanner.start_line, bytes(scanner.held[:65536])
            return
    rest = bytes(scanner.held).strip(_BETWEEN)
    if scanner.depth < 1:
        rest = rest.removesuffix(b"]").strip(_BETWEEN)
    if rest:
        yield scanner.start_line, rest


class _Scanner:
    """Follows the brackets and strings of an array over chunks of it."""

    def __init__(self) -> None:
        self.held = bytearray()  # since the last member, not yet yielded
        self.depth = 0  # 1 between the members
        self.line = self.start_line = 1
        self._in_string = False
        self._escaped = 0  # 1 if the last chunk ended with a backslash
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Take the next chunk; yield the members that end in it."""
        data = chunk if self._begun else chunk.removeprefix(b"\xef\xbb\xbf")
        position = self._escaped
        self.held += data[:position]
        for mark in _MARK.finditer(data):
            at = mark.start()
            if at < position:
                continue  # escaped
            character = mark.group()
            if self._in_string and character not in b'"\\':
                continue
            end = at + 2 if self._in_string and character == b"\\" else at + 1
            self.held += data[position:end]
            position = end
            yield from self._step(character)
        self._escaped = max(position - len(data), 0)
        self.held += data[position:]

    def _step(self, character: bytes) -> Iterator[tuple[int, bytes]]:
        if character == b'"':
            self._in_string = not self._in_string
        elif character in b"{[":
            self.depth += 1
            if not self._begun:
                self._begun, self.held = True, bytearray()
            elif self.depth == 2:
                yield from self._member_begins()
        elif character in b"}]":
            self.depth -= 1
            if self.depth == 1:
                yield self.start_line, bytes(self.held)
                self.line += self.held.count(b"\n")
                self.held = bytearray()

    def _member_begins(self) -> Iterator[tuple[int, bytes]]:
        before = bytes(self.held[:-1])
        between = before.strip(_BETWEEN)
        if between:
            yield self.line + before[: before.index(between)].count(b"\n"), between
        self.line += before.count(b"\n")
        self.start_line, self.held = self.line, self.held[-1:]
