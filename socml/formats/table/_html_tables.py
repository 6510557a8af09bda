"""A page of HTML with a table, as reports are saved → the table's rows, each with the names of its columns.

The names are the first row of headings (`<th>`) of three or more, else the first row of three or more cells; a later row of
headings names what follows it. End tags may be missing. Blind to tables within cells, and to names that stand at the left.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice

from socml.formats._reader import Source
from socml.formats._records import Skip

__all__ = ["first_html_rows", "html_rows", "is_page"]

_PAGE = re.compile(
    rb"\s{0,1000}<(?:!doctype html|html|head|body|table|meta|style|div|h[1-6]|center|p)\b", re.IGNORECASE
)
_ROW = re.compile(rb"<tr\b", re.IGNORECASE)
_CELL = re.compile(r"<(?P<kind>t[hd])\b[^<>]{0,4000}>", re.IGNORECASE)
_ENDS = re.compile(r"</(?:tr|t[hd]|thead|tbody|table)\b", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,4000}>|<!--[^<>]{0,4000}-->")
_LEAST_COLUMNS = 3
_LARGEST = 4 << 20  # bytes of a row


def is_page(head: bytes) -> bool:
    """Return whether a file is a page of HTML with a table.

    Examples
    --------
    >>> is_page(b"<!DOCTYPE html><table><tr><td>1</table>"), is_page(b"<log><tr/></log>")
    (True, False)
    """
    return _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")) is not None and _ROW.search(head) is not None


def html_rows(source: Source) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    """Yield each row with its line, its bytes and its fields; or with a Skip or a ValueError, if it has none."""
    return _named(_pieces(source.chunks()))


def first_html_rows(head: bytes, limit: int) -> list[dict[str, object]]:
    """Return the fields of the first rows that a page's head holds.

    Examples
    --------
    >>> first_html_rows(b"<table><tr><th>Time<th>User<th>IP</tr><tr><td>1 &amp; 2<td><b>bob</b></td><td></tr></table>", 5)
    [{'Time': '1 & 2', 'User': 'bob'}]
    """
    rows = (fields for _, _, fields in _named(_pieces(iter([head]))) if isinstance(fields, dict))
    return list(islice(rows, limit))


def _pieces(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield what begins with each `<tr`, up to the next, with its line; and what stands before the first."""
    held, line = b"", 1
    for chunk in chunks:
        data, at = held + chunk, 0
        for begins in _ROW.finditer(data, 1):  # a piece begins with its own tag
            yield line, data[at : begins.start()]
            line += data.count(b"\n", at, begins.start())
            at = begins.start()
        held = data[at:]
        if len(held) > _LARGEST:
            yield line, held
            line, held = line + held.count(b"\n"), b""
    yield line, held


def _named(pieces: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    names: list[str] = []
    for line, piece in pieces:
        cells, is_heading = _cells(piece.decode("utf-8", "replace")) if _ROW.match(piece) else ([], False)
        result: dict[str, object] | Exception
        if (is_heading or not names) and len(cells) >= _LEAST_COLUMNS and len(set(cells)) == len(cells):
            names, result = cells, Skip("header")
        elif not names or (len(cells) < _LEAST_COLUMNS and len(cells) != len(names)):
            result = Skip("part of the page around the table")
        elif len(cells) != len(names):
            result = ValueError(f"{len(cells)} cells for {len(names)} columns")
        else:
            result = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
        yield line, piece.strip(), result


def _cells(row: str) -> tuple[list[str], bool]:
    """Return the texts of a row's cells, and whether all are headings."""
    begins = list(_CELL.finditer(row))
    if not begins:
        return [], False
    ends = [*(found.start() for found in begins[1:]), len(row)]
    texts = [_ENDS.split(row[found.end() : end], maxsplit=1)[0] for found, end in zip(begins, ends, strict=True)]
    cells = [" ".join(html.unescape(_TAG.sub(" ", text)).split()) for text in texts]
    return cells, all(found["kind"].lower() == "th" for found in begins)
