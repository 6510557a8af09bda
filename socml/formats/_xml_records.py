"""A file of XML elements, in a document or one after the other without one → the elements, one at a time, as bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.parsers import expat

from socml.formats._reader import Source

__all__ = ["LOOKED_AT", "element_fields", "parse_element", "xml_records"]

LOOKED_AT = 65536  # bytes of what is no element that are handed on
_MOST_FIELDS = 500
_VALUE = "value"  # of an element with a name of its own: what its text is
_NAMES = ("name", "Name", "key", "Key", "k", "id")
_VALUES = ("value", "Value", "val", "v")  # attributes of such an element that hold what it is


def xml_records(
    source: Source,
    around: re.Pattern[bytes],
    begins: re.Pattern[bytes],
    close_of: Callable[[re.Match[bytes]], bytes],
    *,
    largest: int,
) -> Iterator[tuple[int, bytes]]:
    """Yield the elements with their lines; and what stands among them and is none, for the reader to reject.

    Parameters
    ----------
    around : what may stand before, between and after elements; matches nothing, too
    begins : how an element begins
    close_of : what ends the element that a match of `begins` began
    largest : bytes of one element; what is longer ends the reading
    """
    held, line, at = b"", 1, 0
    for chunk in source.chunks():
        held, at = held[at:] + chunk, 0
        while True:
            between = around.match(held, at)
            start = between.end() if between else at
            found = begins.match(held, start)
            close = close_of(found) if found else b""
            end = held.find(close, start) if found else -1
            if end < 0:
                break
            line += held.count(b"\n", at, start)
            yield line, held[start : end + len(close)]
            line += held.count(b"\n", start, end)
            at = end + len(close)
        if len(held) - at > largest:
            yield line, held[at : at + LOOKED_AT]
            return
    between = around.match(held, at)
    rest = held[between.end() :] if between else held[at:]
    if rest.strip():
        yield line + held.count(b"\n", at, len(held) - len(rest)), rest


def parse_element(
    record: bytes,
    begin: Callable[[str, dict[str, str]], None],
    end: Callable[[str], object],
    text: Callable[[str], None],
) -> None:
    """Tell of each start, end and text in an element.

    Raises
    ------
    ValueError
        If it is no well-formed element, or declares an entity.
    """

    def refuse(*_: object) -> None:
        raise ValueError("a record that declares entities")

    parser = expat.ParserCreate()
    parser.buffer_text, parser.buffer_size = True, 1 << 20
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(record, True)
    except (expat.ExpatError, LookupError) as error:  # the latter of an encoding that nobody knows
        raise ValueError(f"not a whole record of XML: {str(error)[:200]}") from None


def element_fields(record: bytes) -> dict[str, object]:
    """Return the attributes of a record and the texts of its elements, by their paths.

    Raises
    ------
    ValueError
        If it is no well-formed element, or declares an entity.
    """
    fields: dict[str, object] = {}
    path: list[str] = []
    is_named: list[bool] = []

    def end(_: str) -> None:
        path.pop()
        is_named.pop()

    def begin(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        own = next((attributes.pop(key) for key in _NAMES if key in attributes and path), "")
        path.append(own or ("" if name.lower() == _VALUE and is_named[-1:] == [True] else name))
        is_named.append(bool(own))
        for key, value in attributes.items():
            fields.setdefault(".".join([*path[1:], *([] if own and key in _VALUES else [key])]), value)
        if len(fields) > _MOST_FIELDS:
            raise ValueError(f"a record of more than {_MOST_FIELDS} fields")

    def text(data: str) -> None:
        if data.strip():
            name = ".".join(filter(None, path[1:])) or "text"
            fields[name] = f"{fields.get(name, '')}{data}"

    parse_element(record, begin, end, text)
    return {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
