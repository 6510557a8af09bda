"""An XML file → its elements of some names, one at a time, in bounded memory; nothing is fetched and no entity expanded.

A document that declares entities is refused: that is how XML is made to grow without end, or to read other files.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # no document is parsed with it
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from xml.parsers import expat

from socml.formats._reader import Source

__all__ = ["Element", "elements", "root_name"]

ELEMENT_LIMIT = 16 << 20


@dataclass
class Element:
    """One element: its tree, its bytes, its line, and the names and attributes of those around it, outermost first."""

    line: int
    raw: bytes
    tree: ET.Element
    around: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def elements(source: Source, *names: str) -> Iterator[Element | tuple[int, bytes, ValueError]]:
    """Yield the outermost elements of these names; last, if the document is broken, where, its bytes, and why."""
    reader = _Reader(names)
    for chunk in source.chunks():
        yield from reader.feed(chunk)
        if reader.failed:
            return
    yield from reader.close()


def root_name(head: bytes) -> str:
    """Return the name of the outermost element of a file's head; "" if it is no XML.

    Examples
    --------
    >>> root_name(b'<?xml version="1.0"?><!-- x --><nmaprun scanner="nmap">')
    'nmaprun'
    """
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(name)
    with suppress(expat.ExpatError, LookupError, ValueError):  # the latter two of encodings
        parser.Parse(head[:65536], False)
    return found[0] if found else ""


class _Reader:
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = set(names)
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse
        self._builder: ET.TreeBuilder | None = None
        self._depth = 0  # inside the element that is being built
        self._around: list[tuple[str, dict[str, str]]] = []
        self._held, self._offset = b"", 0  # bytes from where we may still need them, and where they begin
        self._begin, self._line = 0, 1
        self._done: list[Element] = []
        self.failed = False

    def feed(self, chunk: bytes) -> Iterator[Element | tuple[int, bytes, ValueError]]:
        self._held += chunk
        yield from self._parse(chunk, last=False)
        keep = self._begin if self._builder else self._parser.CurrentByteIndex
        cut = max(min(keep - self._offset, len(self._held)), 0)
        self._held, self._offset = self._held[cut:], self._offset + cut
        if len(self._held) > ELEMENT_LIMIT and not self.failed:
            self.failed = True
            yield self._line, self._held[:65536], ValueError("an element over the limit")

    def close(self) -> Iterator[Element | tuple[int, bytes, ValueError]]:
        yield from self._parse(b"", last=True)

    def _parse(self, chunk: bytes, *, last: bool) -> Iterator[Element | tuple[int, bytes, ValueError]]:
        problem = None
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            problem = ValueError(f"not well-formed XML: {expat.ErrorString(error.code)}")
        except LookupError:
            problem = ValueError("not well-formed XML: an encoding that nobody knows")
        except ValueError as error:
            problem = error
        done, self._done = self._done, []
        yield from done
        if problem is not None:
            self.failed = True
            begin = self._begin if self._builder else max(self._parser.CurrentByteIndex - 200, self._offset)
            raw = self._held[max(begin - self._offset, 0) :][:65536]
            yield self._parser.CurrentLineNumber, raw, problem

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._builder is None and name in self._names:
            self._builder, self._depth = ET.TreeBuilder(), 0
            self._begin, self._line = self._parser.CurrentByteIndex, self._parser.CurrentLineNumber
        if self._builder is not None:
            self._builder.start(name, attributes)
            self._depth += 1
        else:
            self._around.append((name, attributes))

    def _end(self, name: str) -> None:
        if self._builder is None:
            self._around.pop()
            return
        self._builder.end(name)
        self._depth -= 1
        if self._depth == 0:
            end = self._held.find(b">", self._parser.CurrentByteIndex - self._offset) + 1
            raw = self._held[self._begin - self._offset : end]
            self._done.append(Element(self._line, raw, self._builder.close(), list(self._around)))
            self._builder = None

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def _refuse(self, *declared: object) -> None:
        raise ValueError(f"the document declares an entity ({declared[0]!r}), which is refused")
