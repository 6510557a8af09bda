"""XML of a tool that nobody knows → events, by what tools usually call things (`_field_names.toml`); the rest is kept.

Records are the elements that repeat, the outermost of them; if none does, the document is one record. A field is an element's text or an attribute, by its path; of `<Data Name="x">y</Data>`
the name is x. Nothing is fetched and no entity expanded. Blind to records that hold elements of their own name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._old_encodings import head_of
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock
from socml.formats._xml_records import element_fields, xml_records

__all__ = ["AnyXml"]

_LARGEST = 4 << 20  # bytes of one record
_HEAD = 65536  # bytes that are looked at for the records' name
_GUESS, _BARE_GUESS = 0.62, 0.5
_TAG = re.compile(rb"<([A-Za-z_][\w:.-]{0,100})[\s>/]")
_FIRST = re.compile(
    rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|<!--(?:[^-]|-(?!->)){0,2000}-->)*<(?P<name>[A-Za-z_][\w:.-]{0,100})[\s>/]"
)


class AnyXml:
    """XML documents, and elements one after the other, of any tool."""

    name = "any-xml"
    about = "XML of a tool that nobody knows: the elements that repeat; columns by what tools usually call things"
    specification = "https://www.w3.org/TR/xml/"
    examples = (
        '<audit when="2026-03-02T10:00:00Z"><userName>bob</userName><clientIp>192.0.2.7</clientIp><action>login failed</action></audit>',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """A guess: as sure as the share of records with a time and something else that is known; never over 0.62."""
        name = record_name(head)
        if not name:
            return 0.0
        closed = head[: head.rfind(b"</%s>" % name, 0, _HEAD) + len(name) + 3]  # behind it, none is looked for
        bare = rb"<%s(?:\s[^<>]{0,60000})?/>" % name
        shown = re.findall(rb"%s|<%s(?:\s[^<>]{0,60000})?>.*?</%s>" % (bare, name, name), closed, re.DOTALL)
        shown = (shown or re.findall(bare, head[:_HEAD]))[:20]
        rows = []
        for record in shown or [head[:65536].strip()]:
            with suppress(ValueError):
                rows.append(guessed_row(element_fields(record), Clock(None, None, None))[1])
        known = sum("time" in taken and len(taken) > 1 for taken in rows)
        return _BARE_GUESS + (_GUESS - _BARE_GUESS) * known / len(rows) if known else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        name = re.escape(record_name(head_of(source)) or b"record")
        around = re.compile(
            rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|<!--(?:[^-]|-(?!->)){0,2000}-->|"
            rb"<(?!%s[\s>/])[A-Za-z_][^<>]{0,4000}>[^<]{0,4000}</[A-Za-z_][\w:.-]{0,100}>|</?(?!%s[\s>/])[A-Za-z_][^<>]{0,4000}>)*"
            % (name, name)
        )
        begins = re.compile(rb"<%s(?:\s[^<>]{0,60000})?>" % name)
        records = xml_records(source, around, begins, lambda found: _close(found, name), largest=_LARGEST)
        return clocked(records, _event, source, options)


def record_name(head: bytes) -> bytes:
    """Return the name of the elements that are a file's records; empty if it is no XML, or a page of HTML.

    Examples
    --------
    >>> record_name(b"<log><entry a='1'/><entry a='2'/></log>"), record_name(b"<e>1</e>\\n<e>2</e>"), record_name(b"<html><p/></html>")
    (b'entry', b'e', b'')
    """
    first = _FIRST.match(head)
    if first is None or first["name"].lower().rpartition(b":")[2] in (b"html", b"svg", b"body", b"plist"):
        return b""
    tags = _TAG.findall(head[:_HEAD])
    counts = Counter(tags)
    return next((tag for tag in dict.fromkeys(tags) if counts[tag] > 1), first["name"])


def _close(begins: re.Match[bytes], name: bytes) -> bytes:
    return b"/>" if begins[0].endswith(b"/>") else b"</%s>" % name.replace(b"\\", b"")


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    row, _ = guessed_row(element_fields(record), clock)
    return with_inner(row, row.get("message"), clock)
