"""A file that is one JSON document of limited size → the document."""

from __future__ import annotations

import orjson

from socml.formats._json import is_too_deep
from socml.formats._reader import Source
from socml.project import FormatError

__all__ = ["json_document"]

DOCUMENT_LIMIT = 96 << 20  # bytes; Python's objects take five to ten times as much


def json_document(source: Source, *, advice: str) -> object:
    """Return what the file holds.

    Parameters
    ----------
    advice : what to do with a document that is too large

    Raises
    ------
    FormatError
        If it is too large, or no JSON.
    """
    held: list[bytes] = []
    size = 0
    for chunk in source.chunks():
        held.append(chunk)
        size += len(chunk)
        if size > DOCUMENT_LIMIT:
            raise FormatError(f"{source.name} is over {DOCUMENT_LIMIT >> 20} MB, the limit for one document. {advice}")
    text = b"".join(held).removeprefix(b"\xef\xbb\xbf")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{source.name} is not valid JSON: {error}") from None
    if is_too_deep(text, found):
        raise FormatError(f"{source.name} is nested too deeply.")
    return found
