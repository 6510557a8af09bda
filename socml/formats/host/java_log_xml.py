"""Logs of Java programs as XML (Log4j's XMLLayout, log4net, NLog; java.util.logging) → events, each read by what its message is.

Records may stand in a document or one after the other without anything around them, as loggers append them. Log4j's are
`<log4j:event logger= timestamp= level= thread=>` with a message in CDATA, those of java.util.logging `<record>` with `<millis>`.
Nothing is fetched and no entity expanded: a record that declares one is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._inner import with_inner
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._stamps import time_of
from socml.formats._times import Clock
from socml.formats._values import severity_of
from socml.formats._xml_records import LOOKED_AT, parse_element, xml_records

__all__ = ["JavaLogXml"]

_LARGEST = 4 << 20  # bytes of one record
_START = re.compile(rb"<(?P<name>(?:log4[a-z]{1,4}:)?event|record)(?P<more>[\s>])")
_AROUND = re.compile(
    rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|<!DOCTYPE[^>\[]{0,400}>|<!--(?:[^-]|-(?!->)){0,2000}-->|"
    rb"</?(?:(?:log4[a-z]{1,4}:)?(?:eventSet|events)|log)(?:\s[^>]{0,1000})?>)*"
)
_SHOWN = 200  # elements of one record


class JavaLogXml:
    """Logs of Java programs as XML."""

    name = "java-log-xml"
    about = "logs of Java and .NET programs as XML: Log4j's XMLLayout, log4net, NLog, java.util.logging"
    specification = "https://logging.apache.org/log4j/1.x/apidocs/org/apache/log4j/xml/XMLLayout.html"
    examples = (
        '<log4j:event logger="a.Login" timestamp="1772445600123" level="WARN" thread="main"><log4j:message>'
        "<![CDATA[Failed login for user ann from 192.0.2.9]]></log4j:message></log4j:event>",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a first element that is a record with a level, and a time or a message."""
        start = head[:LOOKED_AT]
        around = _AROUND.match(start)
        begins = _START.match(start, around.end() if around else 0)
        if begins is None:
            return 0.0
        if begins["name"] == b"record":
            return 0.96 if b"<level>" in start and b"<millis>" in start else 0.0
        return 0.96 if re.search(rb'\slevel\s?=\s?["\']', start) and b"message>" in start else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(xml_records(source, _AROUND, _START, _close, largest=_LARGEST), _event, source, options)


def _close(begins: re.Match[bytes]) -> bytes:
    return b"</%s>" % begins["name"]


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    fields = _fields(record)
    stamp = fields.pop("timestamp", "") or fields.pop("millis", "") or fields.pop("date", "")
    if not stamp:
        raise ValueError("a record without timestamp, millis or date")
    message, level = fields.pop("message", ""), fields.get("level", "")
    row: dict[str, object] = {
        "time": time_of(stamp, clock),
        "event_category": "host",
        "event_severity": severity_of(level),
        "message": message.strip() or None,
        "process_name": fields.pop("application", None),
        "extra": {name: text for name, text in fields.items() if text},
    }
    return with_inner(row, message, clock)


def _fields(record: bytes) -> dict[str, str]:
    """Return the attributes of a record and the texts of its elements, by name without prefix; of NDC and MDC data too.

    Raises
    ------
    ValueError
        If it is no well-formed element, or declares an entity.
    """
    fields: dict[str, str] = {}
    inside: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        inside.append(name)
        if name == "data" and "name" in attributes:  # <log4j:data name="user" value="ann"/>
            fields.setdefault(attributes["name"], attributes.get("value", ""))
        else:
            fields.update({key: value for key, value in attributes.items() if key not in fields})
        if len(fields) > _SHOWN:
            raise ValueError(f"a record of more than {_SHOWN} fields")

    def text(data: str) -> None:
        if len(inside) > 1:
            fields[inside[-1]] = fields.get(inside[-1], "") + data

    parse_element(record, begin, lambda _: inside.pop(), text)
    return {name: value.strip() for name, value in fields.items()}
