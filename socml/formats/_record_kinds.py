"""A text → the kind of record it is, by how it begins: what `_inner` reads, and a message is not."""

from __future__ import annotations

import re
from collections.abc import Callable

from socml.formats._cef import MARK
from socml.formats._json import as_object
from socml.formats._snare import is_snare
from socml.formats.host._syslog_headers import header
from socml.formats.network.panos import is_panos

__all__ = ["LONGEST_HEADER", "LONGEST_RECORD", "RECORD_HINT", "XML_EVENT", "is_record", "kind_of"]

LONGEST_HEADER = 1000  # characters before `CEF:`
LONGEST_RECORD = 1 << 20  # characters of a text that is read as a record
_ACCESS = re.compile(r'\S{1,256} \S{1,256} [^\[]{1,256}\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "')
# What a text that is a record may begin with or hold: read by RE2, for lines that need not be looked at
RECORD_HINT = (
    r"\{\"|^\s*\{|CEF: ?\d|LEEF: ?\d|^\s*(?:<\d{1,3}>|[A-Z][a-z]{2} +\d{1,2} [\d ]{0,5}\d\d:|(?:1 )?\d{4}[-/]\d\d[-/]\d\d[T ])|"
    r"\[\d\d/[A-Z][a-z]{2}/\d{4}:|MSWinEventLog|<\?xml |\d [+-]\d\d:\d\d |<\w{0,32}:?Event[\s>]|,\d{4}/\d\d/\d\d \d\d:"
)
XML_EVENT = re.compile(r"<(?:[A-Za-z][\w.-]{0,31}:)?Event[\s>]")
_XML_BEGINS = re.compile(r"<\?xml |^<[A-Za-z][\w.-]{1,60}[ >]")


def kind_of(text: str) -> str:
    """Return what a text is a record of: a key of `_KINDS`, or "json"; empty if of nothing."""
    if text.startswith("{") and text.endswith("}"):
        return "json"
    return next((kind for kind, fits in _KINDS.items() if fits(text)), "")


def is_record(text: str) -> bool:
    """Return whether a text looks like a record of another tool, rather than a message.

    Examples
    --------
    >>> is_record('{"a":1}'), is_record("CEF:0|v|p|1|2|n|3|"), is_record("Failed password for root")
    (True, True, False)
    """
    text = text.strip()
    return len(text) <= LONGEST_RECORD and bool(kind_of(text))


def _holds_event(text: str) -> bool:
    return text.endswith("Event>") and XML_EVENT.search(text, 0, LONGEST_HEADER) is not None


def _holds_element(text: str) -> bool:
    begins = _XML_BEGINS.search(text, 0, LONGEST_HEADER) if text.endswith(">") else None
    return begins is not None and (begins[0] == "<?xml " or text.endswith(f"</{begins[0][1:-1]}>"))


def _holds_object(text: str) -> bool:
    brace = text.find('{"', 0, LONGEST_HEADER)
    return brace > 0 and text.endswith("}") and bool(as_object(text[brace:].encode()))


_KINDS: dict[str, Callable[[str], object]] = {  # the first that fits
    "cef": lambda text: MARK.search(text, 0, LONGEST_HEADER),
    "panos": is_panos,
    "snare": is_snare,
    "windows-xml": _holds_event,
    "xml": _holds_element,
    "wrapped-json": _holds_object,
    "syslog": header,
    "access": _ACCESS.match,
}
